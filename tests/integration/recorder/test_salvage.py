"""`verify --salvage` on a workspace that a recorder writes: what can be read of a damaged file is handed to it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.domain.clock import SystemClock
from models.domain.connection import parse_url
from models.storage.copies.verify import verify
from models.storage.sealing.seal import seal
from models.storage.writing.writer import StoreWriter
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.poll import until
from tests.helpers.recording import Recording

pytestmark = pytest.mark.services


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    one = Recording(tmp_path / "recording")
    yield one
    one.close()


def publish(url: str, numbers: range) -> None:
    connection, _ = parse_url(url)
    publisher = BulkPublisher(connection, None, "numbers")
    publisher.send([Outgoing(b"agents/a/metrics", b'{"metrics": {"x": %d}}' % n) for n in numbers], 1)
    assert publisher.drain(30)
    publisher.close()


def numbers_of(recording: Recording) -> list[int]:
    """Of the samples that `export` writes."""
    return [int(float(row["value"])) for row in recording.export("samples") if row["metric"] == "x"]


def words(done: "subprocess.CompletedProcess[bytes]") -> str:
    assert b"Traceback" not in done.stderr
    return done.stdout.decode() + done.stderr.decode()


@pytest.mark.parametrize("sealed", [False, True])
def test_a_file_without_its_header_comes_back_while_recording(
    sealed: bool, broker: Mosquitto, recording: Recording
) -> None:
    recording.start("--broker", broker.url)
    publish(broker.url, range(300))
    until(lambda: len(numbers_of(recording)) == 300, "all is stored")
    recording.stop()
    if sealed:
        writer = StoreWriter(recording.workspace, SystemClock())
        seal(recording.workspace.segment(1), recording.workspace.sealing(1))
        writer.sealing.swap_in(1)
        writer.close()
    path = recording.workspace.segment(1)
    data = bytes(4096) + path.read_bytes()[4096:]
    path.write_bytes(data)
    recording.start("--broker", broker.url)
    publish(broker.url, range(300, 350))
    until(lambda: numbers_of(recording) == list(range(300, 350)), "recording goes on, and the rest is told as missing")
    told = words(recording.command("verify"))
    assert "segment 1: " in told
    done = recording.command("verify", "--salvage")
    assert done.returncode == 0, done.stderr
    assert "segment 1: brought back " in words(done)
    assert sorted(numbers_of(recording)) == list(range(350))
    assert path.read_bytes() == data
    assert "nothing to bring back" in words(recording.command("verify", "--salvage"))
    assert [one.code for one in verify(recording.workspace)] == ["set-aside"]
    assert not list(recording.workspace.root.glob("salvage-*"))
