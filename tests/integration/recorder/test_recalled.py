"""A recorder that is killed and starts again with a broker that replays nothing: names, units and availability as before."""

import contextlib
import csv
import io
import json
from pathlib import Path

import apsw
import pytest

from app.control_client import ControlClient
from models.domain.connection import parse_url
from models.domain.control import Link
from models.storage.engine import open_reader
from models.storage.export.run import export
from models.storage.workspace import Workspace
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.helpers.poll import until
from tests.helpers.recorder_process import RecorderProcess, environment

pytestmark = pytest.mark.services
CONFIG = {
    "name": "Load", "stat_t": "odd/7/a", "unit_of_meas": "%", "avty_t": "odd/7/b", "pl_avail": "hello", "pl_not_avail": "bye-bye",
    "dev": {"ids": "box-7", "name": "Box"}, "val_tpl": "{{ value_json.x }}",
}  # fmt: skip


def exported(workspace: Workspace, dataset: str) -> list[dict[str, str]]:
    written = io.BytesIO()
    export(workspace, dataset, written)
    return list(csv.DictReader(io.StringIO(written.getvalue().decode(), newline="")))


def send(url: str, *told: tuple[str, str]) -> None:
    """Not retained."""
    connection, _ = parse_url(url)
    one = BulkPublisher(connection, None, "publisher")
    one.send([Outgoing(topic.encode(), payload.encode()) for topic, payload in told], 1, list(range(len(told))))
    assert one.drain(30)
    one.close()


def connected(workspace: Workspace) -> None:
    with ControlClient(workspace) as client:
        until(lambda: client.hello("cli").link is Link.CONNECTED, "it is connected")


def stored(workspace: Workspace, topic: str, count: int) -> None:
    def held() -> int:
        total = 0
        for path in workspace.segments.glob("*.db"):
            reader = open_reader(path)
            with contextlib.suppress(apsw.SQLError):  # it is being made
                query = "SELECT 1 FROM message JOIN topic ON topic.id = topic_id WHERE name = ?"
                total += len(reader.execute(query, (topic.encode(),)).fetchall())
            reader.close()
        return total

    until(lambda: held() == count, "it is stored")


def test_what_was_declared_outlives_a_kill(broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    workspace = Workspace.at(tmp_path / "workspace")
    monkeypatch.setenv("XDG_RUNTIME_DIR", environment(workspace.root)["XDG_RUNTIME_DIR"])
    with RecorderProcess(workspace.root, broker.url) as recorder:
        recorder.start()
        connected(workspace)
        send(
            broker.url,
            ("homeassistant/sensor/x/config", json.dumps(CONFIG)),
            ("odd/7/b", "hello"),
            ("odd/7/a", '{"x":5,"y":7}'),
        )
        stored(workspace, "odd/7/a", 1)
        recorder.kill()
    with RecorderProcess(workspace.root, broker.url) as recorder:
        recorder.start()
        connected(workspace)
        send(broker.url, ("odd/7/a", '{"x":6,"y":7}'), ("odd/7/b", "bye-bye"))
        stored(workspace, "odd/7/b", 2)
        assert recorder.stop() == 0
    samples = exported(workspace, "samples")
    assert [(one["agent"], one["metric"], one["unit"], one["value"]) for one in samples] == [
        ("box-7", "Load", "1", "0.05"), ("box-7", "Load", "1", "0.06"),
    ]  # fmt: skip
    assert [(one["agent"], one["name"], one["convention"], one["presence"]) for one in exported(workspace, "agents")] == [
        ("box-7", "Box", "home-assistant", "offline"),
    ]  # fmt: skip
