"""The program as a person starts it, on a screen."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.settings import Settings, SettingsFile
from models.domain.connection import Connection
from models.storage.lock import read_lock
from models.storage.workspace import Workspace
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.needs import bound_to_parent, program
from tests.helpers.poll import until
from tests.helpers.x11 import x_environment, x_server

pytestmark = pytest.mark.services
ROOT = Path(__file__).resolve().parents[2]
SLOW_S = 40


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with x_server() as display:
        yield display


@pytest.fixture
def workspace(tmp_path: Path, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))  # the lock and socket paths are looked at here too
    workspace = Workspace.at(tmp_path / "w")
    SettingsFile(workspace.settings).save(Settings(Connection(host="127.0.0.1", port=broker.port), embedded=False))
    return workspace


@pytest.fixture
def start(display: str, tmp_path: Path, workspace: Workspace) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    started: list[subprocess.Popen[bytes]] = []
    environment = {**x_environment(display), "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path / "state")}

    def start_one(*arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-P", "-m", "app", "--workspace", str(workspace.root), *arguments]
        started.append(subprocess.Popen(bound_to_parent(command), env=environment, cwd=tmp_path))
        return started[-1]

    yield start_one
    for one in started:
        if one.poll() is None:
            one.kill()
            one.wait()
    until(lambda: not read_lock(workspace).held, "the recorder ended after the last window", SLOW_S)


def windows(display: str) -> list[str]:
    found = subprocess.run(
        [program("xdotool"), "search", "--onlyvisible", "--name", "Murmurscope"],
        env={**os.environ, "DISPLAY": display},
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.split()


def press(display: str, window: str, keys: str) -> None:
    tool, environment = program("xdotool"), {**os.environ, "DISPLAY": display}
    subprocess.run([tool, "windowactivate", "--sync", window], env=environment, check=True)
    subprocess.run([tool, "key", "--window", "0", keys], env=environment, check=True)


def log_of(tmp_path: Path) -> str:
    path = tmp_path / "state/murmurscope/log/window.log"
    return path.read_text() if path.exists() else ""


def test_opens_records_is_raised_by_a_second_start_and_ends_in_order(start, display, workspace, tmp_path) -> None:
    one = start()
    (window,) = until(lambda: windows(display), "the window is on the screen", SLOW_S)
    until(lambda: read_lock(workspace).held, "a recorder writes the workspace", SLOW_S)
    again = start()
    assert again.wait(SLOW_S) == 0
    assert len(windows(display)) == 1
    press(display, window, "ctrl+q")
    assert one.wait(SLOW_S) == 0
    until(lambda: not read_lock(workspace).held, "the recorder ended after the last window", SLOW_S)
    log = log_of(tmp_path)
    assert "first paint" in log
    assert "ERROR" not in log


def test_new_window_opens_another_on_the_same_recorder(start, display, workspace, tmp_path) -> None:
    start()
    (first,) = until(lambda: windows(display), "the window is on the screen", SLOW_S)
    pid = until(lambda: read_lock(workspace).pid, "a recorder writes the workspace, and says who it is", SLOW_S)
    other = start("--new-window")
    until(lambda: len(windows(display)) == 2, "a second window is on the screen", SLOW_S)
    (second,) = set(windows(display)) - {first}
    press(display, second, "ctrl+q")
    assert other.wait(SLOW_S) == 0
    assert read_lock(workspace).pid == pid
    assert windows(display) == [first]


def test_a_signal_ends_it_in_order(start, display, tmp_path) -> None:
    one = start()
    until(lambda: windows(display), "the window is on the screen", SLOW_S)
    until(lambda: "first paint" in log_of(tmp_path), "it is painted")
    one.terminate()
    assert one.wait(SLOW_S) == 0
    assert "ERROR" not in log_of(tmp_path)
