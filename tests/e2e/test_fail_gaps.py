"""What never arrived: stored with cause and count, exported, drawn in the plots, told in the status bar."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from PySide6.QtWidgets import QApplication, QToolButton

from app.settings import Settings, SettingsFile
from app.window.composition import Composition
from models.domain.connection import Connection
from models.domain.control import Link
from models.storage.workspace import Workspace
from tests.helpers.live_window import live_windows
from tests.helpers.poll import until
from tests.helpers.recording import exported
from tests.helpers.sessions import Publisher

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


def metrics(say, seq):
    say("agents/a/metrics", json.dumps({"metrics": {"process.cpu.utilization": 0.5}, "boot": "one", "seq": seq}))


def skip_numbers(broker):
    """The agent's own numbering: three of its messages are lost on their way to the broker."""
    with Publisher(broker.port) as say:
        for seq in (0, 1, 5, 6):
            metrics(say, seq)


def lose_session(broker):
    """A broker that keeps nothing on disk starts anew."""
    with Publisher(broker.port) as say:
        metrics(say, 0)
    broker.restart()


def overflow_a_queue(broker):
    """Nine of ten for somebody who is away: the broker counts what it throws away, over all its clients."""
    with contextlib.closing(Sleeper(broker.port)):
        pass
    with Publisher(broker.port) as say:
        for _ in range(10):
            say("asleep/x", b"x")
        metrics(say, 0)


class Sleeper:
    """A client that leaves a session behind, and is never seen again."""

    def __init__(self, port):
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, "sleeper", clean_session=False)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        granted = []
        self._client.on_subscribe = lambda *_: granted.append(1)
        until(self._client.is_connected, "it is connected")
        self._client.subscribe("asleep/#", 1)
        until(lambda: granted, "it is subscribed")

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@pytest.mark.parametrize(
    ("lose", "cause", "count", "drawn", "told"),
    [
        (skip_numbers, "sequence", "3", "3 messages missing: the publisher's numbers jumped", "missing 3"),
        (lose_session, "session-lost", "0", "Nothing known: the broker forgot our session", "missing 0 or more"),
        pytest.param(
            lose_session,
            "not-connected",
            "0",
            "Nothing known: not connected",
            "missing 0 or more",
            marks=pytest.mark.long,
        ),
        (overflow_a_queue, "broker-dropped", "9", "9 messages missing: dropped by the broker", "missing 9"),
    ],
)
def test_what_never_arrived_is_told_everywhere(
    open_window, make_broker, workspace, qtbot, lose, cause, count, drawn, told
) -> None:
    broker = make_broker(max_queued_messages=1, extra=["sys_interval 1"])
    SettingsFile(workspace.settings).save(Settings(Connection(host="127.0.0.1", port=broker.port), embedded=False))
    one = open_window()
    qtbot.waitUntil(lambda: one.link.state is not None and one.link.state.link is Link.CONNECTED, timeout=SLOW_MS)
    with Publisher(broker.port) as say:  # known from the beginning on
        say("agents/a/status", json.dumps({"state": "online"}))
    qtbot.waitUntil(lambda: "a" in known_agents(one), timeout=SLOW_MS)
    lose(broker)

    def gap():
        return [row for row in exported(workspace, "gaps") if row["cause"] == cause]

    qtbot.waitUntil(lambda: bool(gap()), timeout=SLOW_MS)
    (row,) = gap()
    assert row["count"] == count
    assert row["agent"] == ("a" if cause == "sequence" else "")
    assert row["since"] <= row["until"]

    fleet = one.screens.fleet.fleet
    one.screens.open_agent(int(fleet.agent[known_agents(one).index("a")]))
    plots = one.screens.agent.plots
    qtbot.waitUntil(lambda: drawn in [band.text for band in plots.events.bands], timeout=SLOW_MS)
    assert drawn in [band.text for plot in plots.main for band in plot._bands]

    qtbot.waitUntil(lambda: told in status_bar(one), timeout=SLOW_MS)


def known_agents(one: Composition) -> list[str]:
    return [] if one.screens is None or one.screens.fleet.fleet is None else list(one.screens.fleet.fleet.id)


def status_bar(one: Composition) -> list[str]:
    return [figure.accessibleName() for figure in one.window.health_bar.findChildren(QToolButton)]
