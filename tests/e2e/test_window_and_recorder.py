"""The real window (in this process, offscreen) with the real recorder as the process that it starts, and a real broker."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from paho.mqtt import publish
from PySide6.QtWidgets import QApplication

from app.control_client import ControlClient
from app.settings import Settings, SettingsFile
from app.window.composition import Composition
from app.window.places import FLEET
from models.domain.connection import Connection
from models.domain.control import Link
from models.storage.workspace import Workspace
from tests.helpers import keyring_file
from tests.helpers.live_window import live_windows, runs
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.poll import until

pytestmark = pytest.mark.services
SLOW_MS = 30_000


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    (tmp_path / "run").mkdir(mode=0o700)
    for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "run"))
    return Workspace.at(tmp_path / "w")


@pytest.fixture
def open_window(qapp: QApplication, workspace: Workspace, qtbot) -> Iterator[Callable[[], Composition]]:
    with live_windows(qapp, workspace) as open_one:
        yield open_one


@pytest.fixture
def recorded_broker(broker: Mosquitto, workspace: Workspace) -> Mosquitto:
    SettingsFile(workspace.settings).save(Settings(Connection(host="127.0.0.1", port=broker.port), embedded=False))
    return broker


def say_online(broker: Mosquitto, agent: str) -> None:
    payload = json.dumps({"state": "online", "name": agent.upper(), "interval_s": 30})
    publish.single(f"agents/{agent}/status", payload, qos=1, hostname="127.0.0.1", port=broker.port)


def connected(one: Composition) -> bool:
    return one.link.state is not None and one.link.state.link is Link.CONNECTED


def told(one: Composition) -> set[str]:
    return set(one.window.notices.keys())


def agents(one: Composition) -> set[str]:
    return set() if one.screens is None or one.screens.fleet.fleet is None else set(one.screens.fleet.fleet.id)


def test_starts_a_recorder_and_shows_what_it_records(open_window, recorded_broker, qtbot) -> None:
    one = open_window()
    qtbot.waitUntil(lambda: connected(one), timeout=SLOW_MS)
    assert one.link.state.started_by == "window"
    say_online(recorded_broker, "shown")
    qtbot.waitUntil(lambda: "shown" in agents(one), timeout=SLOW_MS)
    assert one.window.shown_screen == FLEET
    assert "recorder" not in told(one)


def test_a_killed_recorder_is_told_within_five_seconds_and_started_again(open_window, recorded_broker, qtbot) -> None:
    one = open_window()
    qtbot.waitUntil(lambda: connected(one), timeout=SLOW_MS)
    say_online(recorded_broker, "before")
    qtbot.waitUntil(lambda: "before" in agents(one), timeout=SLOW_MS)
    pid = one.link.state.pid
    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: one.link.state is None and "recorder" in told(one), timeout=5_000)
    qtbot.waitUntil(lambda: connected(one), timeout=SLOW_MS)
    assert one.link.state.pid != pid
    assert "recorder" not in told(one)
    say_online(recorded_broker, "after")
    qtbot.waitUntil(lambda: {"before", "after"} <= agents(one), timeout=SLOW_MS)


def test_a_second_window_attaches_to_the_same_recorder_and_shows_the_same(open_window, recorded_broker, qtbot) -> None:
    one = open_window()
    qtbot.waitUntil(lambda: connected(one), timeout=SLOW_MS)
    other = open_window()
    qtbot.waitUntil(lambda: connected(other), timeout=SLOW_MS)
    assert other.link.state.pid == one.link.state.pid
    say_online(recorded_broker, "both")
    qtbot.waitUntil(lambda: "both" in agents(one) and "both" in agents(other), timeout=SLOW_MS)
    assert one.screens.fleet.fleet.name == other.screens.fleet.fleet.name
    one.close()
    one.window.hide()
    say_online(recorded_broker, "later")
    qtbot.waitUntil(lambda: "later" in agents(other), timeout=SLOW_MS)


def test_the_tail_follows_what_is_committed(open_window, recorded_broker, qtbot) -> None:
    one = open_window()
    pages = []
    one.tail.follow(pages.append)
    one.tail.set_watched(True, lists=True)
    qtbot.waitUntil(lambda: connected(one), timeout=SLOW_MS)
    say_online(recorded_broker, "followed")
    qtbot.waitUntil(lambda: any(page.messages for page in pages), timeout=SLOW_MS)
    newest = pages[-1]
    assert newest.newest_received_us <= newest.committed_us <= one.clock.wall_us()


def test_a_broker_that_refuses_is_told_with_the_way_to_change_it(open_window, make_broker, workspace, qtbot) -> None:
    guarded = make_broker(allow_anonymous=False, username="me", password="s3cr3t-w0rd")
    connection = Connection(host="127.0.0.1", port=guarded.port, user="me")
    SettingsFile(workspace.settings).save(Settings(connection, embedded=False))
    one = open_window()
    qtbot.waitUntil(lambda: one.link.state is not None and one.link.state.link is Link.REFUSED, timeout=SLOW_MS)
    qtbot.waitUntil(lambda: "broker" in told(one))
    one.connection.open()
    form = one.connection.dialog.form
    assert form.connection() == connection
    form.password.setText("s3cr3t-w0rd")
    one.connection.dialog.test_button.click()
    qtbot.waitUntil(one.connection.dialog.test_button.isEnabled, timeout=SLOW_MS)
    assert one.connection.dialog.steps.failed_step() is None
    one.connection.dialog.save_button.click()
    qtbot.waitUntil(lambda: connected(one), timeout=SLOW_MS)
    qtbot.waitUntil(lambda: "broker" not in told(one))
    assert "s3cr3t-w0rd" not in "".join(
        path.read_text(errors="replace")
        for path in workspace.root.rglob("*")
        if path.suffix in (".toml", ".log", ".lock")
    )


def test_the_first_start_fills_by_itself(open_window, qtbot) -> None:
    one = open_window()
    assert one.screens is None
    qtbot.waitUntil(lambda: len(agents(one)) > 1, timeout=SLOW_MS)
    assert one.link.state.embedded
    assert "first-run" in told(one)


def test_a_password_typed_once_connects_after_a_restart_and_lies_in_the_keyring_alone(
    open_window, make_broker, workspace, qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = "canary-9d2e"
    for name, value in keyring_file.variables(tmp_path / "keyring.json").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    guarded = make_broker(allow_anonymous=False, username="me", password=canary)
    one = open_window()
    qtbot.waitUntil(lambda: one.link.state is not None, timeout=SLOW_MS)
    one._actions["file.connect"].trigger()
    dialog = one.connection.dialog
    dialog.form.host.setText(f"mqtt://me@127.0.0.1:{guarded.port}")
    dialog.form.password.setText(canary)
    qtbot.waitUntil(dialog.form.keyring.keep.isEnabled, timeout=SLOW_MS)
    dialog.save_button.click()
    qtbot.waitUntil(lambda: connected(one) and not one.link.state.embedded, timeout=SLOW_MS)
    qtbot.waitUntil(lambda: not dialog.isVisible(), timeout=SLOW_MS)
    pid = one.link.state.pid
    one.save_layout()
    one.close()
    with ControlClient(workspace) as client:
        client.stop()
    until(lambda: not runs(pid), "the recorder ended", 20)
    again = open_window()  # neither window nor recorder knows it but from the keyring
    qtbot.waitUntil(lambda: connected(again), timeout=SLOW_MS)
    assert again.link.state.pid != pid
    assert json.loads((tmp_path / "keyring.json").read_text()) == {
        f"murmurscope mqtt://me@127.0.0.1:{guarded.port}": canary
    }
    pid = again.link.state.pid
    again.close()
    with ControlClient(workspace) as client:
        client.stop()
    until(lambda: not runs(pid), "the recorder ended", 20)  # files of work under way come and go
    ours = [file for folder in ("w", "run") for file in (tmp_path / folder).rglob("*") if file.is_file()]
    assert ours
    assert [file for file in ours if canary.encode() in file.read_bytes()] == []
