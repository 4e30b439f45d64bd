"""The program as a person starts it, on a screen."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from paho.mqtt import publish

from app.settings import Settings, SettingsFile
from models.domain.connection import Connection
from models.storage.lock import read_lock
from models.storage.workspace import Workspace
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.needs import bound_to_parent, program
from tests.helpers.poll import until
from tests.helpers.store import rows
from tests.helpers.x11 import x_environment, x_server

pytestmark = pytest.mark.services
ROOT = Path(__file__).resolve().parents[2]
SLOW_S = 40
AWAITED_S = 100.0  # a recorder waits a minute for a window that it has not met yet


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
    environment = {**x_environment(display), "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path / "state"),
                   "XDG_CACHE_HOME": str(tmp_path / "cache")}  # fmt: skip

    def start_one(*arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-P", "-m", "app", "--workspace", str(workspace.root), *arguments]
        started.append(subprocess.Popen(bound_to_parent(command), env=environment, cwd=tmp_path))
        return started[-1]

    yield start_one
    for one in started:
        if one.poll() is None:
            one.kill()
            one.wait()
    until(lambda: not read_lock(workspace).held, "the recorder ended after the last window", AWAITED_S)


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


def active(display: str) -> str:
    command, environment = [program("xdotool"), "getactivewindow"], {**os.environ, "DISPLAY": display}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout.strip()


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
    until(lambda: not read_lock(workspace).held, "the recorder ended after the last window", AWAITED_S)
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


def test_a_copied_workspace_is_only_looked_at_until_its_user_says_so(start, display, workspace, tmp_path) -> None:
    one = start()
    until(lambda: read_lock(workspace).held and workspace.catalogue.exists(), "a recorder writes the workspace", SLOW_S)
    until(lambda: rows(workspace, "catalogue", "SELECT 1 FROM sqlite_schema WHERE name = 'capture'"), "made", SLOW_S)
    until(lambda: rows(workspace, "catalogue", "SELECT 1 FROM capture"), "it records", SLOW_S)
    one.terminate()
    assert one.wait(SLOW_S) == 0
    until(lambda: not read_lock(workspace).held, "the recorder ended after the last window", AWAITED_S)
    copy = Workspace.at(shutil.copytree(workspace.root, tmp_path / "copy", ignore=shutil.ignore_patterns("recorder.*")))
    before = {path: path.read_bytes() for path in copy.root.rglob("*") if path.is_file()}
    looking = start("--workspace", str(copy.root))
    opened = tmp_path / "cache" / "murmurscope" / "opened"
    until(lambda: list(opened.glob("*/recorder.lock")), "the window holds what stands in for the copy", SLOW_S)
    looking.terminate()
    assert looking.wait(SLOW_S) == 0
    assert {path: path.read_bytes() for path in copy.root.rglob("*") if path.is_file()} == before
    assert list(opened.iterdir()) == []
    assert json.loads((tmp_path / "state/murmurscope/window.json").read_text())["workspace"] == str(workspace.root)
    recording = start("--workspace", str(copy.root), "--record-here")
    clients = "SELECT count(DISTINCT client_id) FROM capture"
    until(lambda: rows(copy, "catalogue", clients) == [(2,)], "it records, with a session of its own", SLOW_S)
    recording.terminate()
    assert recording.wait(SLOW_S) == 0
    until(lambda: not read_lock(copy).held, "that recorder ended, too", AWAITED_S)
    assert "ERROR" not in log_of(tmp_path)


# ------------------------------------------------------------ by keyboard alone

_CLIPBOARD = """
from PySide6.QtGui import QGuiApplication
app = QGuiApplication([])
print(app.clipboard().text())
"""


class Keyboard:
    """A person who has no mouse, at one window."""

    def __init__(self, display: str, window: str, state: Path) -> None:
        self.display, self.window, self._state = display, window, state

    def keys(self, *keys: str) -> None:
        for key in keys:
            press(self.display, self.window, key)

    def type(self, text: str) -> None:
        command = [program("xdotool"), "type", "--window", "0", "--delay", "15", text]
        subprocess.run(command, env={**os.environ, "DISPLAY": self.display}, check=True)

    def shown(self) -> int:
        """How many windows of any kind the program shows: the palette is one, too."""
        command = [program("xdotool"), "search", "--onlyvisible", "--class", "murmurscope"]
        environment = {**os.environ, "DISPLAY": self.display}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return len(done.stdout.split())

    def clipboard(self) -> str:
        done = subprocess.run(
            [sys.executable, "-c", _CLIPBOARD],
            env=x_environment(self.display),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip("\n")

    def palette(self, text: str, used: str) -> None:
        """Ctrl+K, the text, Enter; the window remembers what was run. An agent may not be known to it yet: tried again."""
        before = self.shown()
        for _ in range(10):
            self.keys("ctrl+k")
            until(lambda: self.shown() > before, "the palette is open")
            self.type(text)
            self.keys_to_popup("Return")
            try:
                until(lambda: self.last_used() == used, f"{used} was run", 3)
            except AssertionError:
                self.keys_to_popup("Escape")
            else:
                until(lambda: self.shown() == before, "the palette is gone")
                return
        raise AssertionError(f"{used} is not in the palette; used last: {self.last_used()}")

    def keys_to_popup(self, *keys: str) -> None:
        """Without raising the window, which would close a popup."""
        command = [program("xdotool"), "key", "--window", "0", *keys]
        subprocess.run(command, env={**os.environ, "DISPLAY": self.display}, check=True)

    def last_used(self) -> str:
        path = self._state / "murmurscope" / "window.json"
        used = json.loads(path.read_text()).get("palette") if path.exists() else None
        return used[0] if used else ""


def test_everything_is_done_by_keyboard_alone(start, display, workspace, broker, tmp_path) -> None:
    for name in ("crawler-1", "crawler-2", "planner-1"):
        payload = json.dumps({"state": "online", "interval_s": 30})
        publish.single(f"agents/{name}/status", payload, 1, retain=True, hostname="127.0.0.1", port=broker.port)
    one = start()
    (window,) = until(lambda: windows(display), "the window is on the screen", SLOW_S)
    until(lambda: "first paint" in log_of(tmp_path), "it is painted", SLOW_S)
    person = Keyboard(display, window, tmp_path / "state")
    person.palette("crawler-2", "agent:crawler-2")  # opens its screen
    person.palette("2h", "agent:crawler-2")  # a range is typed, not remembered
    person.keys("ctrl+shift+r")
    until(lambda: person.clipboard() == "live 2h", "the range that was typed is shown", SLOW_S)
    person.keys("ctrl+1", "ctrl+f")  # back to the fleet, into its filter
    person.type("planner")
    person.keys("Return", "ctrl+shift+c")
    copied = until(lambda: text if "planner-1" in (text := person.clipboard()) else "", "the row is copied", SLOW_S)
    titles, row = copied.splitlines()
    assert titles.split("\t")[0] == "Agent"
    assert row.split("\t")[0] == "planner-1"
    person.keys("Escape", "ctrl+n")
    until(lambda: len(windows(display)) == 2, "a second window is on the screen", SLOW_S)
    (other,) = set(windows(display)) - {window}
    person.keys("ctrl+q")
    assert one.wait(SLOW_S) == 0
    assert windows(display) == [other]
    press(display, other, "ctrl+q")
    until(lambda: not windows(display), "the second window is gone", SLOW_S)
    assert "ERROR" not in log_of(tmp_path)
    saved = json.loads((tmp_path / "state/murmurscope/window.json").read_text())
    assert saved["range"].startswith("live ")
    assert [one["root"] for one in saved["recent"]] == [str(workspace.root)]


def test_another_workspace_opens_in_a_window_of_its_own(start, display, workspace, tmp_path) -> None:
    other = Workspace.at(tmp_path / "other")
    SettingsFile(other.settings).save(Settings(Connection(host="127.0.0.1", port=9), embedded=False))
    state = tmp_path / "state" / "murmurscope"
    state.mkdir(parents=True)
    (state / "window.json").write_text(json.dumps({"recent": [{"root": str(other.root), "broker": "", "used_us": 5}]}))
    one = start()
    (window,) = until(lambda: windows(display), "the window is on the screen", SLOW_S)
    until(lambda: "first paint" in log_of(tmp_path), "it is painted", SLOW_S)
    Keyboard(display, window, tmp_path / "state").palette("other", f"workspace:{other.root}")
    until(lambda: len(windows(display)) == 2, "the other workspace has a window", SLOW_S)
    (second,) = set(windows(display)) - {window}
    until(lambda: read_lock(other).held, "and a recorder", SLOW_S)
    Keyboard(display, window, tmp_path / "state").palette("other", f"workspace:{other.root}")
    until(lambda: active(display) == second, "it was raised, not opened twice", SLOW_S)
    press(display, second, "ctrl+q")
    until(lambda: windows(display) == [window], "it is gone", SLOW_S)
    press(display, window, "ctrl+q")
    assert one.wait(SLOW_S) == 0
    until(lambda: not read_lock(other).held, "its recorder ended", AWAITED_S)
