"""A node that was born before we came: by a click in the real window it is born again, and from then on it can be read."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from PySide6.QtWidgets import QApplication, QMessageBox

from app.settings import Settings, SettingsFile
from app.window.birth_requests import NOTICE
from app.window.composition import Composition
from models.domain.connection import Connection
from models.domain.control import Link
from models.storage.workspace import Workspace
from mqtt.reading.conventions.sparkplug_payload import read_payload
from tests.helpers.live_window import live_windows
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.recording import exported
from tests.unit.reading.test_sparkplug import metric, payload

pytestmark = pytest.mark.services
SLOW_MS = 30_000


class Node:
    """plant-a/edge-1, with one figure by alias. Use as a context manager."""

    def __init__(self, broker: Mosquitto) -> None:
        self.commands: list[MQTTMessage] = []
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._told
        self._client.connect("127.0.0.1", broker.port)
        self._client.subscribe("spBv1.0/plant-a/NCMD/edge-1", 1)

    def __enter__(self) -> Self:
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, value: float) -> None:
        self._client.publish("spBv1.0/plant-a/NDATA/edge-1", payload(metric(alias=7, value=value), seq=1, at=0))

    def _told(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.commands.append(message)
        (asked,) = read_payload(message.payload).metrics
        if asked.name == "Node Control/Rebirth":
            birth = payload(metric("bdSeq", kind=8, value=3), metric("queue/depth", alias=7, value=0.5), seq=0, at=0)
            self._client.publish("spBv1.0/plant-a/NBIRTH/edge-1", birth)


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


def conventions(one: Composition) -> dict[str, str]:
    fleet = one.screens.fleet.fleet if one.screens is not None else None
    return dict(zip(fleet.id, fleet.convention, strict=True)) if fleet is not None else {}


def test_a_click_brings_the_birth_and_names_the_values(open_window, workspace, broker, qtbot) -> None:
    SettingsFile(workspace.settings).save(Settings(Connection(host="127.0.0.1", port=broker.port), embedded=False))
    one = open_window()
    qtbot.waitUntil(lambda: one.link.state is not None and one.link.state.link is Link.CONNECTED, timeout=SLOW_MS)
    births = one._actions["agent.births"]
    with Node(broker) as node:
        node.say(1)
        qtbot.waitUntil(lambda: conventions(one).get("plant-a/edge-1") == "sparkplug", timeout=SLOW_MS)
        assert not births.isEnabled()
        one.screens.fleet.table.selectAll()
        assert births.isEnabled()
        one.data.show_missing()
        missing = one.data.screen.missing
        qtbot.waitUntil(lambda: missing.topics.records.rowCount() == 1, timeout=SLOW_MS)
        assert not missing.births.isEnabled()
        missing.topics.selectAll()
        missing.births.click()
        box = one.window.findChild(QMessageBox)
        assert "plant-a/edge-1" in box.text()
        assert node.commands == []
        next(button for button in box.buttons() if box.buttonRole(button) is box.ButtonRole.AcceptRole).click()
        qtbot.waitUntil(lambda: NOTICE in set(one.window.notices.keys()), timeout=SLOW_MS)
        qtbot.waitUntil(lambda: len(node.commands) == 1, timeout=SLOW_MS)
        (command,) = node.commands
        assert (command.qos, command.retain) == (0, False)
        node.say(2)
        qtbot.waitUntil(lambda: len(values(workspace)) == 2, timeout=SLOW_MS)
    assert values(workspace) == [0.5, 2.0]
    assert [row["topic"] for row in exported(workspace, "messages") if "NCMD" in row["topic"]] == [
        "spBv1.0/plant-a/NCMD/edge-1"
    ]


def values(workspace: Workspace) -> list[float]:
    return [float(row["value"]) for row in exported(workspace, "samples") if row["metric"] == "queue/depth"]
