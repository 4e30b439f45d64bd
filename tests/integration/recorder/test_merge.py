"""A recorder on a server is useful from a laptop: its backups come into the workspace there, through a recorder or without."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.domain.connection import parse_url
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY
from tests.helpers.recording import Recording

pytestmark = pytest.mark.services


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Recording]:
    one = Recording(tmp_path / "server")
    yield one
    one.close()


@pytest.fixture
def laptop(tmp_path: Path, server: Recording) -> Iterator[Recording]:
    one = Recording(tmp_path / "laptop", beside=server)
    yield one
    one.close()


def publish(url: str, numbers: range) -> None:
    connection, _ = parse_url(url)
    publisher = BulkPublisher(connection, None, "numbers")
    sent = [Outgoing(b"agents/a-%d/metrics" % (n % 3), b'{"metrics": {"x": %d}, "n": %d}' % (n, n)) for n in numbers]
    publisher.send(sent, 1)
    assert publisher.drain(30)
    publisher.close()


def rows_of(recording: Recording) -> list[str]:
    return sorted(row["payload"] for row in recording.export("messages") if row["topic"].startswith("agents/a-"))


def stored(recording: Recording, count: int) -> None:
    """Brokers tell of themselves, too."""
    until(lambda: len(rows_of(recording)) == count, f"{count} numbers are stored")


def said(done: "subprocess.CompletedProcess[bytes]", code: int = 0) -> str:
    assert done.returncode == code, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    return done.stdout.decode() + done.stderr.decode()


@pytest.mark.parametrize("running", [True, False], ids=["through a recorder", "without a recorder"])
def test_a_day_of_a_server_comes_through_a_pipe_and_the_next_adds_what_is_new(
    running: bool,
    broker: Mosquitto,
    make_broker: Callable[..., Mosquitto],
    server: Recording,
    laptop: Recording,
    tmp_path: Path,
) -> None:
    server.start("--broker", broker.url)
    if running:
        other = make_broker()
        laptop.start("--broker", other.url)
        publish(other.url, range(9_000, 9_030))
        stored(laptop, 30)
    publish(broker.url, range(300))
    stored(server, 300)
    piped = server.command("backup", "--since", "24h", "-")
    assert piped.returncode == 0, piped.stderr
    done = subprocess.run(
        laptop.argv("import", "-"), input=piped.stdout, capture_output=True, env=laptop.environment, cwd=REPOSITORY,
        check=False,
    )  # fmt: skip
    assert " messages of 3 agents: " in said(done)
    publish(broker.url, range(300, 400))
    stored(server, 400)
    said(server.command("backup", str(tmp_path / "b.tar.gz")))
    assert " messages of 3 agents: " in said(laptop.command("import", str(tmp_path / "b.tar.gz")))
    assert said(laptop.command("import", str(tmp_path / "b.tar.gz"))) == (
        "nothing new was imported; 1 file of history held already\n"
    )
    assert "Make a backup of it" in said(laptop.command("import", str(server.workspace.root)), 6)
    traffic = tmp_path / "traffic.jsonl"
    traffic.write_text('{"ts": 1790000000, "topic": "t", "qos": 0, "retain": 0, "payload_b64": ""}\n')
    assert "one after the other" in said(laptop.command("import", str(traffic), str(tmp_path / "b.tar.gz")), 2)
    assert server.stop() == 0
    last = said(laptop.command("import", str(server.workspace.root)))
    assert "nothing new" in last or " messages of 0 agents: " in last, "nothing but what the broker tells of itself"
    if running:
        publish(other.url, range(9_030, 9_050))
        stored(laptop, 50 + 400)
        assert laptop.stop() == 0

    assert len(rows_of(laptop)) - len(rows_of(server)) == (50 if running else 0)
    assert set(rows_of(server)) <= set(rows_of(laptop))
    assert laptop.command("verify").returncode == 0
    assert {path.name for path in laptop.workspace.root.iterdir()} & {"importing"} == set()
