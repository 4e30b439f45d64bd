import sys
from pathlib import Path

import pytest

from app.window import new_window
from app.window.new_window import start_window
from tests.helpers.poll import until


def test_starts_a_process_of_its_own(qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = f"import pathlib, sys; pathlib.Path({str(tmp_path / 'told')!r}).write_text(' '.join(sys.argv[1:]))"
    monkeypatch.setattr(new_window, "own_command", lambda *words: [sys.executable, "-c", code, *words])
    assert start_window("--workspace", "/x") is None
    until(
        lambda: (tmp_path / "told").exists() and (tmp_path / "told").read_text() == "--workspace /x", "it was started"
    )


def test_says_when_it_cannot_be_started(qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_window, "own_command", lambda *words: [str(tmp_path / "gone"), *words])
    problem = start_window("--new-window")
    assert problem is not None
    assert problem.code == "file.unusable"
    assert problem.params["path"] == str(tmp_path / "gone")
