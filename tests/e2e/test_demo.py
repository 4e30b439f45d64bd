"""`murmurscope demo` as a person starts it: painted, labelled, alive, and ended with its window."""

import csv
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.demo_workspace import is_demo
from models.domain.problems import EnvironmentProblem
from models.storage.export.run import export
from models.storage.lock import read_lock
from models.storage.workspace import Workspace
from tests.helpers.needs import bound_to_parent, program
from tests.helpers.poll import until
from tests.helpers.x11 import x_environment, x_server

pytestmark = pytest.mark.services
ROOT = Path(__file__).resolve().parents[2]
SLOW_S = 60
SPEED = "8"  # it dies after 13 s and is back after 21


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with x_server() as display:
        yield display


@pytest.fixture
def start(
    display: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    (tmp_path / "run").mkdir(mode=0o700)
    for name, folder in (("XDG_RUNTIME_DIR", "run"), ("XDG_STATE_HOME", "state"), ("XDG_DATA_HOME", "data")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    environment = {**x_environment(display), "PYTHONPATH": str(ROOT)}
    started: list[subprocess.Popen[str]] = []

    def start_one(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-P", "-m", "app", *arguments]
        started.append(
            subprocess.Popen(bound_to_parent(command), env=environment, cwd=tmp_path, text=True, stderr=subprocess.PIPE)
        )
        return started[-1]

    yield start_one
    for one in started:
        if one.poll() is None:
            one.kill()
        one.communicate()
    until(lambda: not read_lock(Workspace.demo()).held, "the recorder ended after the last window", SLOW_S)


def windows(display: str, title: str) -> list[str]:
    command = [program("xdotool"), "search", "--onlyvisible", "--name", title]
    found = subprocess.run(command, env=x_environment(display), capture_output=True, text=True, check=False)
    return found.stdout.split()


def presence(workspace: Workspace) -> list[dict[str, str]]:
    written = io.BytesIO()
    try:
        export(workspace, "presence", written)
    except EnvironmentProblem:  # it is only being made
        return []
    return list(csv.DictReader(io.StringIO(written.getvalue().decode(), newline="")))


def test_the_demo_tells_its_story_in_a_labelled_window_and_ends_with_it(start, display, tmp_path) -> None:
    one = start("demo", "--agents", "12", "--rate", "40", "--speed", SPEED)
    workspace = Workspace.demo()
    (window,) = until(lambda: windows(display, "Demo – Murmurscope"), "the window is on the screen", SLOW_S)
    assert is_demo(workspace)
    until(lambda: len({row["agent"] for row in presence(workspace)}) == 12, "all agents are there", SLOW_S)

    def story() -> list[tuple[str, str, str]]:
        return [
            (row["presence"], row["condition"], row["cause"])
            for row in presence(workspace)
            if row["agent"] == "crawler-2"
        ]

    until(lambda: ("offline", "ok", "will") in story(), "the broker told of its end", SLOW_S)
    until(lambda: story()[-1][:2] == ("online", "ok"), "it came back", SLOW_S)
    assert ("online", "degraded", "status") in story()
    others = [row for row in presence(workspace) if row["presence"] == "offline" and row["agent"] != "crawler-2"]
    assert not [row for row in others if row["agent"] != "crawler-1"], "nobody else dies"  # whose turn comes next
    again = start("demo")
    assert again.wait(SLOW_S) == 0
    assert windows(display, "Demo – Murmurscope") == [window], "the first came to the front"
    one.terminate()
    assert one.wait(SLOW_S) == 0
    until(lambda: not read_lock(workspace).held, "the recorder ended with the window", SLOW_S)
    assert str(workspace.root) not in (tmp_path / "state/murmurscope/window.json").read_text().split('"recent"')[0]


def test_a_workspace_with_recordings_is_refused(start, tmp_path) -> None:
    real = Workspace.at(tmp_path / "real")
    real.root.mkdir()
    real.settings.write_text('[connection]\nurl = "mqtt://lab"\n')
    one = start("demo", "--workspace", str(real.root))
    assert one.wait(SLOW_S) == 6
    assert "the demo mixes with none" in one.stderr.read()
    assert real.settings.read_text() == '[connection]\nurl = "mqtt://lab"\n'


def test_a_recorder_records_no_other_broker_into_the_demo(start, tmp_path) -> None:
    demo = Workspace.at(tmp_path / "demo")
    demo.root.mkdir()
    demo.settings.write_text("[demo]\n")
    one = start("record", "--workspace", str(demo.root), "--broker", "mqtt://127.0.0.1:1")
    assert one.wait(SLOW_S) == 6
    assert "records nothing but its simulated fleet" in one.stderr.read()
