"""Publishing by hand through the real recorder: to a real broker, acknowledged, and recorded as any other message."""

import subprocess

import pytest

from app.control_client import ControlClient
from models.domain.messages import Properties
from models.domain.problems import EnvironmentProblem
from models.domain.publishing import OutgoingMessage
from models.domain.queries import CancelToken, MessageLine, MessageRequest
from models.storage.history.reader import HistoryReader
from models.storage.workspace import Workspace
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.needs import program
from tests.helpers.poll import until
from tests.helpers.recorder_process import RecorderProcess, environment

pytestmark = pytest.mark.services


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    one = tmp_path / "workspace"
    monkeypatch.setenv("XDG_RUNTIME_DIR", environment(one)["XDG_RUNTIME_DIR"])
    return Workspace.at(one)


def listed(workspace: Workspace, topic: bytes) -> list[MessageLine]:
    reader = HistoryReader(workspace)
    try:
        return [row for page in reader.answer(MessageRequest(topic=topic), CancelToken()) for row in page.rows]
    finally:
        reader.close()


def retained(broker: Mosquitto) -> bytes:
    """What a new subscriber gets; nothing within a second is nothing."""
    where = ["-h", "127.0.0.1", "-p", str(broker.port), "-t", "by hand/kept"]
    command = [program("mosquitto_sub"), *where, "-C", "1", "-W", "1", "-N"]
    return subprocess.run(command, capture_output=True, check=False).stdout


def code_of(call) -> str:
    with pytest.raises(EnvironmentProblem) as raised:
        call()
    return raised.value.problem.code


def connected(client: ControlClient) -> bool:
    return client.hello("cli").link == "connected"


def test_a_published_message_is_acknowledged_and_comes_back(workspace, broker):
    properties = Properties("application/json", "reply/to", b"\x00\xff", None, (("k", "ż"), ("k", "2")))
    payload = bytes(range(256))
    with RecorderProcess(workspace.root, broker.url) as recorder, ControlClient(workspace) as client:
        recorder.start()
        until(lambda: connected(client), "it is connected")
        told = client.publish(OutgoingMessage("by hand/ż", payload, 1, properties=properties))
        assert told.code == 0
        assert told.duration_us > 0
        client.publish(OutgoingMessage("by hand/0", b"", 0))
        client.publish(OutgoingMessage("by hand/kept", b"kept", 1, retain=True))
        assert retained(broker) == b"kept"
        until(lambda: listed(workspace, b"by hand/0") and listed(workspace, b"by hand/kept"), "all are recorded")
        (row,) = listed(workspace, "by hand/ż".encode())
        assert (row.payload, row.qos, row.properties) == (payload, 1, properties)
        assert code_of(lambda: client.publish(OutgoingMessage("a/#"))) == "publish.wildcard"
        since_us = client.hello("cli").since_us
        for odd in (Properties(correlation=b"x" * 70_000), Properties(expiry_s=-1)):  # what no packet can hold
            assert code_of(lambda odd=odd: client.publish(OutgoingMessage("a", properties=odd))) != "publish.unanswered"
        assert client.hello("cli").since_us == since_us  # nobody lost the connection by it
        client.publish(OutgoingMessage("by hand/kept", b"", 1, retain=True))
        assert retained(broker) == b""


def test_without_a_connection_it_says_so_at_once(workspace, broker):
    with RecorderProcess(workspace.root, broker.url) as recorder, ControlClient(workspace) as client:
        recorder.start()
        until(lambda: connected(client), "it is connected")
        broker.stop()
        until(lambda: not connected(client), "the connection broke")
        assert code_of(lambda: client.publish(OutgoingMessage("a"))) == "publish.not-connected"
