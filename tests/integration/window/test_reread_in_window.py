"""History read again from the window, with a real recorder behind it."""

from pathlib import Path

import pytest
from PySide6.QtCore import QDateTime, Qt
from pytestqt.qtbot import QtBot

from app.rules_file import RulesFile
from app.window.composition import Composition
from app.window.places import DATA, FLEET
from models.domain.rules import rule_of
from tests.helpers.recorder_process import REPOSITORY
from widgets.data.job_texts import progress, title
from widgets.data.jobs import Job, JobKind, JobState

RECORDING = REPOSITORY / "tests" / "recordings" / "winston-json-logs.jsonl"
LINES = len(RECORDING.read_text(encoding="utf-8").splitlines())
pytestmark = pytest.mark.services


@pytest.fixture
def window(live_window: Composition, qtbot: QtBot) -> Composition:
    """With a recording in it."""
    live_window.data.import_files([str(RECORDING)])
    ended(live_window, qtbot)
    return live_window


def ended(window: Composition, qtbot: QtBot) -> Job:
    queue = window.data.controller.queue
    qtbot.waitUntil(lambda: queue.jobs[0].state.ended, timeout=30_000)
    return queue.jobs[0]


def agents(window: Composition) -> set[str]:
    fleet = window.screens.fleet.fleet
    return set(fleet.id) if fleet is not None else set()


def reread(window: Composition) -> None:
    window._actions["file.reread"].trigger()
    assert window.data.rereading.dialog.isVisible()
    window.data.rereading.dialog.start.click()


def test_history_is_read_with_a_rule_that_came_later_and_all_of_it_changes(window: Composition, qtbot: QtBot) -> None:
    window.window.show_screen(FLEET)
    qtbot.waitUntil(lambda: agents(window) == {"crawler-1"}, timeout=10_000)
    RulesFile(window._workspace.rules).add(rule_of({"topic": "agents/#", "means": "ignore"}))
    reread(window)
    assert window.window.shown_screen == DATA
    window.window.show_screen(FLEET)
    job = ended(window, qtbot)
    assert (job.kind, job.state, job.problem) == (JobKind.REREAD, JobState.DONE, None)
    assert (job.reread.agents, job.reread.logs, job.reread.left_segments) == (0, 0, 0)
    assert job.reread.messages >= LINES, "and what the broker itself says"
    assert f"messages {job.reread.messages}, files {job.reread.segments}: agents 0," in progress(job, 0)
    qtbot.waitUntil(lambda: agents(window) == set(), timeout=10_000)
    shown = window.window.notices._notices["reread"]
    assert shown.sentence.startswith("History was read again: messages ")


def test_a_time_without_history_is_told_as_such(window: Composition, qtbot: QtBot) -> None:
    window._actions["file.reread"].trigger()
    dialog = window.data.rereading.dialog
    dialog.span.choice.setCurrentIndex(2)
    assert dialog.span.since.isVisible()
    dialog.span.since.setDateTime(QDateTime.fromSecsSinceEpoch(1_000_000_000))
    dialog.span.until.setDateTime(QDateTime.fromSecsSinceEpoch(1_000_000_060))
    dialog.start.click()
    job = ended(window, qtbot)
    assert (job.state, job.reread.segments) == (JobState.DONE, 0)
    assert title(job).startswith("History read again, 2001-09-")
    assert progress(job, 0) == "nothing was recorded in that time"
    assert window.data.screen.work._told.text() == progress(job, 0)


def test_it_waits_for_what_is_under_way_and_can_be_cancelled(window: Composition, qtbot: QtBot, tmp_path: Path) -> None:
    queue = window.data.controller.queue
    queue.verify()
    window._actions["file.reread"].trigger()
    dialog = window.data.rereading.dialog
    assert dialog.waits.isVisible(), "something else comes first, which is told"
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert len(queue.jobs) == 2, "nothing was asked for"
    qtbot.waitUntil(lambda: queue.jobs[0].state.ended, timeout=30_000)
    before = agents(window)
    RulesFile(window._workspace.rules).add(rule_of({"topic": "#", "means": "ignore"}))
    reread(window)
    assert not dialog.waits.isVisible()
    queue.cancel(queue.jobs[0].number)
    job = ended(window, qtbot)
    assert (job.state, progress(job, 0)) == (JobState.CANCELLED, "cancelled, history stays as it was")
    assert agents(window) == before


def test_without_a_recorder_it_says_so(window: Composition, qtbot: QtBot) -> None:
    window.link._state = None
    window._actions["file.reread"].trigger()
    assert window.data.rereading.dialog is None
    assert (
        window.window.notices._notices["reread"].sentence == "History cannot be read again while no recorder answers."
    )


def test_it_is_offered_where_a_rule_was_kept_and_in_the_list_of_rules(window: Composition, qtbot: QtBot) -> None:
    window.rules._take_up("The rule is kept.")
    notices = window.window.notices
    qtbot.waitUntil(lambda: "rule" in notices.keys())  # noqa: SIM118 - a method
    assert notices._notices["rule"].action == "Read history again…"
    notices._notices["rule"].on_action()
    assert window.data.rereading.dialog.isVisible()
    window.data.rereading.dialog.reject()
    window.rules.list.open()
    window.rules.list.list.reread.click()
    assert window.data.rereading.dialog.isVisible()
