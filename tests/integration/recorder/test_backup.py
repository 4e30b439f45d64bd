"""`backup` and `restore` as commands, beside a real recorder."""

import itertools
import os
import resource
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from models.domain.connection import parse_url
from models.storage.history.store_view import read_catalogue
from models.storage.lock import read_lock
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY
from tests.helpers.recording import Recording

pytestmark = pytest.mark.services

CANARY = "canary-3f9b"
FIRST = 2_000


@pytest.fixture
def copy(tmp_path: Path, recording: Recording) -> Iterator[Recording]:
    one = Recording(tmp_path / "copy", beside=recording)
    yield one
    one.close()


class Publishing:
    """Numbers, one after the other, until told to stop."""

    def __init__(self, url: str) -> None:
        connection, _ = parse_url(url)
        self._publisher = BulkPublisher(connection, None, "numbers")
        self._enough = threading.Event()
        self.sent = 0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()
        self._publisher.close()

    def send(self, topic: bytes, payload: bytes) -> None:
        self._publisher.send([Outgoing(topic, payload)], 1)

    def _run(self) -> None:
        for first in itertools.count(0, 20):
            self._publisher.send([Outgoing(b"n", b"%d" % n) for n in range(first, first + 20)], 1)
            assert self._publisher.drain(30)
            self.sent = first + 20
            if self._enough.wait(0.02):
                return


def numbers(recording: Recording) -> list[int]:
    return [int(row["payload"]) for row in recording.export("messages") if row["topic"] == "n"]


def told(done: subprocess.CompletedProcess[bytes]) -> str:
    assert b"Traceback" not in done.stderr
    return done.stderr.decode()


def test_a_backup_while_recording_is_a_beginning_of_it_and_records_on_by_itself(
    broker: Mosquitto, recording: Recording, copy: Recording, tmp_path: Path
) -> None:
    recording.start("--broker", broker.url)
    with Publishing(broker.url) as publishing:
        recording.stored(FIRST, 60)
        before = publishing.sent
        done = recording.command("backup", str(tmp_path / "b.tar.gz"))
        assert done.returncode == 0, told(done)
        assert done.stdout == done.stderr == b""
        streamed = recording.command("backup", "-")
        assert streamed.returncode == 0, told(streamed)
        until(lambda: publishing.sent > before + 200, "recording goes on")
    assert copy.command("restore", str(tmp_path / "b.tar.gz")).returncode == 0
    held = numbers(copy)
    assert held == list(range(len(held))), "a beginning, nothing twice"
    assert len(held) >= min(before, FIRST) - 20

    other = Recording(tmp_path / "streamed-copy", beside=recording)
    piped = subprocess.run(
        other.argv("restore", "-"), input=streamed.stdout, capture_output=True, env=other.environment, cwd=REPOSITORY,
        check=False,
    )  # fmt: skip
    assert piped.returncode == 0, told(piped)
    later = numbers(other)
    assert later == list(range(len(later)))
    assert len(later) >= len(held)

    copy.start("--broker", broker.url)
    assert recording.connected(), "its session was not taken over"
    connection, _ = parse_url(broker.url)
    publisher = BulkPublisher(connection, None, "last")
    publisher.send([Outgoing(b"last", b"x")], 1)
    assert publisher.drain(30)
    publisher.close()
    for one in (recording, copy):
        until(lambda one=one: [row for row in one.export("messages") if row["topic"] == "last"], "both store it")
    assert copy.stop() == recording.stop() == 0
    clients = [clients_of(one)[-1] for one in (recording, copy)]
    assert clients[0] != clients[1]
    for one in (recording, copy, other):
        done = one.command("verify")
        assert done.returncode == 0, done.stdout
    assert numbers(copy) == held


def clients_of(recording: Recording) -> list[str]:
    catalogue = read_catalogue(recording.workspace)
    try:
        return [client for (client,) in catalogue.execute("SELECT client_id FROM capture ORDER BY id")]
    finally:
        catalogue.close()


@pytest.fixture
def recorded(broker: Mosquitto, recording: Recording) -> Recording:
    """A recording that has ended."""
    recording.start("--broker", broker.url)
    publishing = Publishing(broker.url)
    publishing.send(b"large", os.urandom(200_000))
    with publishing:
        recording.stored(500)
    assert recording.stop() == 0
    return recording


def test_no_secret_lock_or_log_is_in_a_backup(recorded: Recording, copy: Recording, tmp_path: Path) -> None:
    assert recorded.workspace.log.exists()
    assert recorded.command("backup", str(tmp_path / "b")).returncode == 0
    assert copy.command("restore", str(tmp_path / "b")).returncode == 0
    assert {one.name for one in copy.workspace.root.iterdir()} == {
        "catalogue.db", "segments", "settings.toml", "tasks.db",
    }  # fmt: skip
    assert not read_lock(copy.workspace).pid

    settings = recorded.workspace.settings
    settings.write_text(f'[connection]\nurl = "mqtt://me:{CANARY}@localhost"\n')
    done = recorded.command("backup", str(tmp_path / "without"))
    assert done.returncode == 1
    assert "settings.toml is left out" in told(done)
    other = Recording(tmp_path / "other", beside=recorded)
    assert other.command("restore", str(tmp_path / "without")).returncode == 0
    assert {one.name for one in other.workspace.root.iterdir()} == {"catalogue.db", "segments", "tasks.db"}


def test_what_people_made_of_a_workspace_comes_back_and_is_never_written_over(
    recorded: Recording, copy: Recording, tmp_path: Path
) -> None:
    made = {
        "rules.toml": b'[[rules]]\ntopic = "x/#"\nmeans = "ignore"\n',
        "queries.toml": b'[saved]\nbroken = "level:error"\n',
        "layouts/Night shift.toml": b"# not even a layout\n",
    }
    recorded.workspace.layouts.mkdir()
    for name, text in made.items():
        (recorded.workspace.root / name).write_bytes(text)
    assert recorded.command("backup", str(tmp_path / "b")).returncode == 0
    assert copy.command("restore", str(tmp_path / "b")).returncode == 0
    assert {name: (copy.workspace.root / name).read_bytes() for name in made} == made

    mine = Recording(tmp_path / "mine", beside=recorded)
    mine.workspace.layouts.mkdir(parents=True)
    (mine.workspace.layouts / "Night shift.toml").write_bytes(b"mine")
    assert mine.command("restore", str(tmp_path / "b")).returncode != 0
    assert (mine.workspace.layouts / "Night shift.toml").read_bytes() == b"mine"
    assert [one.name for one in mine.workspace.root.iterdir()] == ["layouts"]

    long = "x" * 120
    (recorded.workspace.layouts / f"{long}.toml").write_bytes(b"")
    done = recorded.command("backup", str(tmp_path / "c"))
    assert done.returncode == 1, "a part is missing"
    assert f"{long}.toml' is left out" in told(done)


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    command: str, recorded: Recording, copy: Recording, tmp_path: Path
) -> None:
    backup = tmp_path / "b"
    one = recorded
    if command == "restore":
        assert recorded.command("backup", str(backup)).returncode == 0
        one = copy
    before = sorted(tmp_path.iterdir())
    done = subprocess.run(
        one.argv(command, str(backup)), capture_output=True, env=one.environment, cwd=REPOSITORY, check=False,
        preexec_fn=limited,
    )  # fmt: skip
    assert done.returncode == 1
    assert "There is not enough room for" in told(done)
    assert told(done).count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 1)])
def test_a_backup_that_is_stopped_leaves_no_file(
    how: signal.Signals, code: int, recorded: Recording, tmp_path: Path
) -> None:
    """Halfway, as it waits there for a segment that nobody hands it."""
    recorded.workspace.segment(1).unlink()
    os.mkfifo(recorded.workspace.segment(1))
    target = tmp_path / "out" / "b"
    target.parent.mkdir()
    process = subprocess.Popen(
        recorded.argv("backup", str(target)), stderr=subprocess.PIPE, env=recorded.environment, cwd=REPOSITORY
    )
    until(lambda: list(target.parent.iterdir()), "it began")
    process.send_signal(how)
    errors = process.communicate(timeout=30)[1]
    assert process.returncode == code
    assert errors == b""
    assert not target.exists()
    if how != signal.SIGKILL:
        assert list(target.parent.iterdir()) == []


def test_a_backup_is_not_written_over_by_mistake(recorded: Recording, tmp_path: Path) -> None:
    target = tmp_path / "b"
    target.write_text("mine")
    done = recorded.command("backup", str(target))
    assert done.returncode == 1
    assert "exists already" in told(done)
    assert target.read_text() == "mine"
    assert recorded.command("backup", str(target), "--overwrite").returncode == 0
    assert target.read_bytes()[:2] == b"\x1f\x8b"


def test_restore_refuses_a_workspace_in_use(recorded: Recording, tmp_path: Path) -> None:
    assert recorded.command("backup", str(tmp_path / "b")).returncode == 0
    done = recorded.command("restore", str(tmp_path / "b"))
    assert done.returncode == 6
    assert "is not empty" in told(done)


def test_a_backup_is_checked_as_a_workspace_is(recorded: Recording, tmp_path: Path) -> None:
    path = tmp_path / "b.tar.gz"
    assert recorded.command("backup", str(path)).returncode == 0
    done = recorded.command("verify", str(path))
    assert done.returncode == 0, told(done)
    assert done.stdout == recorded.command("verify").stdout
    recorded.workspace.segment(1).write_bytes(b"nonsense")
    assert recorded.command("backup", "--overwrite", str(path)).returncode in (0, 1)
    done = recorded.command("verify", str(path))
    assert done.returncode == 1
    assert b"segment 1: unreadable" in done.stdout
    assert recorded.command("verify", "--salvage", str(path)).returncode == 2
    path.write_bytes(path.read_bytes()[:-20])
    assert "no whole backup" in told(recorded.command("verify", str(path)))
