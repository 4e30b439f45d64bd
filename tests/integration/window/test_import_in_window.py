"""A recording dropped onto the window, with a real recorder behind it."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.window.composition import Composition
from app.window.places import DATA
from models.domain.queries import Failed, MessageRequest, MessageResult, Result
from tests.helpers.recorder_process import REPOSITORY
from widgets.data.jobs import Job, JobState

RECORDING = REPOSITORY / "tests" / "recordings" / "winston-json-logs.jsonl"
pytestmark = pytest.mark.services


@pytest.fixture
def window(live_window: Composition) -> Composition:
    return live_window


def ended(window: Composition, qtbot: QtBot) -> Job:
    queue = window.data.controller.queue
    qtbot.waitUntil(lambda: queue.jobs[0].state.ended, timeout=30_000)
    return queue.jobs[0]


def test_a_recording_is_imported_and_seen_and_a_wrong_file_refused(
    window: Composition, qtbot: QtBot, tmp_path: Path
) -> None:
    nonsense = tmp_path / "holiday.jsonl"
    nonsense.write_bytes(b"\x89PNG not at all\n" * 9)
    window.data.import_files([str(nonsense)])
    job = ended(window, qtbot)
    assert (job.state, job.problem.code) == (JobState.FAILED, "import.no-recording")
    lines = len(RECORDING.read_text(encoding="utf-8").splitlines())
    window.data.import_files([str(RECORDING)])
    job = ended(window, qtbot)
    assert job.state is JobState.DONE
    assert job.imported.messages == lines
    assert window.window.shown_screen == DATA
    qtbot.waitUntil(lambda: any(one.kind == "import" for one in window.data.screen.store.captures), timeout=20_000)
    (capture,) = (one for one in window.data.screen.store.captures if one.kind == "import")
    assert (capture.source, capture.messages) == (str(RECORDING), lines)
    window.data.screen.work.look.click()
    assert not window.window.time_range.live
    seen: list[Result | Failed] = []
    shown = window.window.time_range.current()
    window.source.ask(MessageRequest(since_us=shown.since_us, until_us=shown.until_us), seen.append)
    qtbot.waitUntil(lambda: bool(seen))
    assert isinstance(seen[0], MessageResult)
    assert len(seen[0].rows) == lines
