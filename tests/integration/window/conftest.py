"""A window on a workspace that a real recorder writes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.window.composition import Composition, WindowOptions
from models.storage.workspace import Workspace
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.recorder_process import RecorderProcess


@pytest.fixture
def live_window(
    qapp: QApplication, broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> Iterator[Composition]:
    (tmp_path / "run").mkdir(mode=0o700, exist_ok=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    with RecorderProcess(tmp_path / "w", broker.url) as recorder:
        recorder.start()
        one = Composition(qapp, Workspace.at(tmp_path / "w"), WindowOptions(theme="light"))
        one.window.resize(1_200, 700)
        one.window.show()
        one.fill()
        qtbot.waitUntil(lambda: one.data is not None and one.link.state is not None, timeout=20_000)
        yield one
        one.close()
        one.window.close()
        one.window.deleteLater()
        recorder.stop()
