"""Exports, imports and checks: what is asked for, how far it is, what came of it."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QDateTime, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from models.domain.problems import Problem
from models.domain.recorded import ImportResult, SkippedLine
from tests.widgets.conftest import Desk
from tests.widgets.fakes import SECOND
from widgets.common.state_view import StateKind
from widgets.data.jobs import ExportOrder, Finding, Job, JobKind, JobState, Salvaged
from widgets.data.work_view import WorkView
from widgets.records.agent_names import AgentNames

ORDER = ExportOrder("samples", "csv", "/home/ada/samples.csv", "crawler-1")


@pytest.fixture
def view(desk: Desk, shown: Callable[[QWidget], QWidget]) -> WorkView:
    names = AgentNames(desk.source)
    names.refresh()
    one = WorkView(names, desk.range, desk.theme, desk.clock.monotonic_us)
    one.resize(1_100, 600)
    shown(one)
    return one


def said(view: WorkView, row: int = 0) -> str:
    return str(view.jobs.records.index(row, 1).data())


def ordered(view: WorkView, qtbot: QtBot) -> ExportOrder:
    with qtbot.waitSignal(view.export.wanted) as wanted:
        view.export.start.click()
    (order,) = wanted.args
    assert isinstance(order, ExportOrder)
    return order


# ------------------------------------------------------------ the form


def test_what_was_looked_at_is_what_is_exported(view: WorkView, desk: Desk, qtbot: QtBot) -> None:
    view.export.prefill("logs", 9)
    order = ordered(view, qtbot)
    assert (order.dataset, order.agent, order.format) == ("logs", "planner-1", "csv")
    assert (order.since_us, order.until_us) == (desk.now - 60 * SECOND, desk.now)
    assert order.path.startswith("logs-planner-1-")
    assert order.path.endswith(".csv")
    assert view.export.span.itemText(0) == "The last 1m"


def test_everything_or_a_time_of_ones_own(view: WorkView, desk: Desk, qtbot: QtBot) -> None:
    form = view.export
    form.format.setCurrentIndex(1)
    form.span.setCurrentIndex(1)
    order = ordered(view, qtbot)
    assert (order.since_us, order.until_us, order.agent, order.format) == (0, 0, "", "jsonl")
    assert not form.since.isVisible()
    form.span.setCurrentIndex(2)
    assert form.since.isVisible()
    assert form.since.dateTime().toMSecsSinceEpoch() == (desk.now - 60 * SECOND) // 1_000 // 1_000 * 1_000
    late, early = QDateTime.fromSecsSinceEpoch(1_000_000_900), QDateTime.fromSecsSinceEpoch(1_000_000_000)
    form.since.setDateTime(late)
    form.until.setDateTime(early)
    order = ordered(view, qtbot)
    assert (order.since_us, order.until_us) == (1_000_000_000 * SECOND, 1_000_000_900 * SECOND), "in the right order"


def test_a_paused_range_is_what_is_shown(view: WorkView, desk: Desk, qtbot: QtBot) -> None:
    desk.range.zoom(desk.now - 50 * SECOND, desk.now - 20 * SECOND)
    assert view.export.span.itemText(0) == "As shown"
    order = ordered(view, qtbot)
    assert (order.since_us, order.until_us) == (desk.now - 50 * SECOND, desk.now - 20 * SECOND)


# ------------------------------------------------------------ jobs


def test_an_export_from_its_beginning_to_its_end(view: WorkView, desk: Desk, qtbot: QtBot) -> None:
    assert view._stack.view.state.kind is StateKind.EMPTY
    job = Job(1, JobKind.EXPORT, order=ORDER)
    view.show_jobs([job])
    assert view.jobs.records.index(0, 0).data() == "Export: Samples, crawler-1"
    assert said(view) == "waits"
    job.state, job.began_us = JobState.RUNNING, desk.clock.monotonic_us()
    desk.clock.advance(2 * SECOND)
    job.rows, job.bytes = 620_000, 10 * 1024**2
    view.show_jobs([job])
    assert said(view) == "620\u202f000 rows, 310\u202f000/s, 10 MiB"
    assert view.bar.isVisible()
    assert view.bar.maximum() == 0, "how much there will be is not known"
    with qtbot.waitSignal(view.cancel_wanted) as wanted:
        qtbot.keyClick(view.jobs, Qt.Key.Key_Delete)
    assert wanted.args == [1]
    job.state, job.ended_us, job.damaged = JobState.DONE, desk.clock.monotonic_us(), 1
    view.show_jobs([job])
    assert said(view) == "620\u202f000 rows, 10 MiB, in 2 s; files that could not be read whole: 1"
    assert (view.bar.isVisible(), view.cancel.isVisible(), view.folder.isVisible()) == (False, False, True)
    view.copy_path.click()
    assert QGuiApplication.clipboard().text() == ORDER.path
    with qtbot.waitSignal(view.folder_wanted) as asked:
        view.folder.click()
    assert asked.args == [ORDER.path]


def test_what_failed_says_why_and_what_to_do(view: WorkView) -> None:
    problem = Problem("file.full", {"path": "/mnt/x.csv"})
    view.show_jobs([Job(1, JobKind.EXPORT, JobState.FAILED, order=ORDER, problem=problem)])
    assert said(view).startswith("There is not enough room for /mnt/x.csv. Free some space")
    assert view._told.text() == said(view), "whole below the list"
    view.show_jobs([Job(1, JobKind.EXPORT, JobState.CANCELLED, order=ORDER)])
    assert said(view) == "cancelled, nothing was left behind"
    assert not view.folder.isVisible()


def test_an_import_tells_what_it_brought_and_leads_there(view: WorkView, desk: Desk, qtbot: QtBot) -> None:
    began = desk.clock.monotonic_us()
    job = Job(1, JobKind.IMPORT, JobState.RUNNING, paths=("/x/<monday>.jsonl.gz",), done=25, total=100, rows=1_000, began_us=began)  # fmt: skip
    desk.clock.advance(10 * SECOND)
    view.show_jobs([job])
    assert view.jobs.records.index(0, 0).data() == "Import of <monday>.jsonl.gz"
    assert said(view) == "1\u202f000 messages, 100/s, about 30 s left"
    assert (view.bar.maximum(), view.bar.value()) == (1_000, 250)
    first = SkippedLine("/x/<monday>.jsonl.gz", 17, "x")
    job.imported = ImportResult(2_000, 2, 50, 4, 0, {"json": 3}, 2, first, 5, 10)
    job.state, job.ended_us = JobState.DONE, desk.clock.monotonic_us()
    view.show_jobs([job])
    assert said(view) == (
        "messages 2\u202f000, agents 2, samples 50, log records 4, in 10 s; unreadable: 3; "
        "lines that are no records: 2, the first is line 17 of <monday>.jsonl.gz"
    )
    with qtbot.waitSignal(view.span_wanted) as wanted:
        view.look.click()
    assert wanted.args == [5, 11]


def test_a_check_lists_what_is_wrong_with_its_file(view: WorkView, desk: Desk) -> None:
    job = Job(
        2, JobKind.VERIFY, JobState.RUNNING, done=3, total=9, rows=500, began_us=desk.clock.monotonic_us() - SECOND
    )
    view.show_jobs([job])
    assert said(view) == "file 4 of 9, 500 messages, 500/s"
    job.state = JobState.DONE
    view.show_jobs([job])
    assert said(view).startswith("everything fits: messages 500, files 9, in")
    assert view._wrong.isHidden()
    job.findings = [Finding(3, "checksum", "message 7 is not as it came", "/w/segments/3.db")]
    view.show_jobs([job])
    assert said(view).startswith("something is wrong: findings 1, in files 1; messages 500, in")
    row = [view.findings.records.index(0, column).data() for column in range(4)]
    assert row == ["3.db", "a message is not as it came", "message 7 is not as it came", "/w/segments/3.db"]
    assert view._wrong.isVisible()


def test_what_is_damaged_may_be_salvaged(view: WorkView, desk: Desk, qtbot: QtBot) -> None:
    job = Job(1, JobKind.VERIFY, JobState.DONE, findings=[Finding(0, "structure", "x", "/w/catalogue.db")])
    view.show_jobs([job])
    assert view.salvage.isHidden()
    job.findings.append(Finding(3, "set-aside", "damaged before", "/w/segments/3.db"))
    view.show_jobs([job])
    with qtbot.waitSignal(view.salvage_wanted):
        view.salvage.click()
    salvage = Job(2, JobKind.SALVAGE, JobState.RUNNING, began_us=desk.clock.monotonic_us())
    view.show_jobs([salvage, job])
    assert said(view) == "finds what is damaged, and brings back what can still be read"
    assert view.salvage.isHidden()
    salvage.state, salvage.ended_us = JobState.DONE, salvage.began_us + 3 * SECOND
    view.show_jobs([salvage, job])
    assert said(view) == "there was nothing to bring back"
    salvage.salvaged = [Salvaged(3, "/w/segments/3.db", 9_812, 10_000)]
    view.show_jobs([salvage, job])
    assert said(view) == "9\u202f812 of 10\u202f000 messages are back, files 1, in 3 s"


def test_the_newest_job_is_at_hand_and_an_older_choice_stays(view: WorkView) -> None:
    first, second = Job(1, JobKind.VERIFY, JobState.DONE), Job(2, JobKind.EXPORT, JobState.RUNNING, order=ORDER)
    view.show_jobs([first])
    view.show_jobs([second, first])
    assert view.job is second
    view.jobs.selectRow(1)
    view.show_jobs([second, first])
    assert view.job is first
