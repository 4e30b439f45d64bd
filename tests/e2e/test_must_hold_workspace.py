"""Trouble with the workspace, met by the real recorder: nothing is overwritten, nothing that can be kept is lost."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from models.domain.clock import SystemClock
from models.domain.connection import parse_url
from models.storage.catalogue import SCHEMA
from models.storage.lock import read_lock
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.helpers.mosquitto import free_port
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY
from tests.helpers.recording import Recording
from tests.helpers.store import rows

pytestmark = pytest.mark.services

NOBODY = 65_534
TAKEN = "SELECT count(*) FROM segment WHERE state = 'open' AND taken_batch > 0"
NO_BROKER = f"mqtt://127.0.0.1:{free_port()}"


def publish(broker, numbers, topic=b"free/x"):
    connection, _ = parse_url(broker.url)
    publisher = BulkPublisher(connection, None, f"publisher-{numbers[0]}")
    publisher.send([Outgoing(topic, b"%d" % n) for n in numbers], 1)
    assert publisher.drain(30)
    publisher.close()


def payloads(recording):
    return [row["payload"] for row in recording.export("messages") if row["topic"] == "free/x"]


def record(recording, broker, numbers, how=signal.SIGTERM):
    """One run of the recorder that stores these."""
    recording.start("--broker", broker.url)
    before = recording.state.counters.stored
    publish(broker, numbers)
    recording.when(lambda _: str(numbers[-1]) in payloads(recording), f"{numbers[-1]} is stored (after {before})")
    recording.stop(how)


def bytes_of(root):
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }


def codes(state):
    return [one["code"] for one in state.warnings]


class Unprivileged:
    """A folder that another user can reach, and commands run as that user."""

    def __init__(self):
        self.root = Path(tempfile.mkdtemp(prefix="murmurscope-test-"))
        self.root.chmod(0o755)
        self.workspace = self.root / "workspace"
        home = self.root / "home"
        home.mkdir(mode=0o700)
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        if self._user:
            os.chown(home, NOBODY, NOBODY)

    def run(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "app", *arguments, "--workspace", str(self.workspace)], capture_output=True, text=True,
            env=self._environment, cwd=REPOSITORY, check=False, timeout=60, **self._user,
        )  # fmt: skip

    def protect(self):
        for path in [self.workspace, *self.workspace.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.fixture
def unprivileged():
    one = Unprivileged()
    yield one
    for path in [one.root, *one.root.rglob("*")]:
        with suppress(FileNotFoundError):
            path.chmod(0o755)
    shutil.rmtree(one.root)


def test_a_folder_that_may_not_be_written_is_told_and_left_alone(unprivileged):
    unprivileged.workspace.mkdir(mode=0o555)
    done = unprivileged.run("record", "--broker", NO_BROKER)
    assert done.returncode == 6, done.stderr
    assert "may not be written" in done.stderr
    assert "Change its rights, or choose another workspace" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(unprivileged.workspace.iterdir()) == []


def test_history_that_may_not_be_written_can_still_be_exported(broker, unprivileged):
    recording = Recording(unprivileged.workspace)
    record(recording, broker, range(10))
    unprivileged.protect()
    before = bytes_of(unprivileged.workspace)
    done = unprivileged.run("record", "--broker", NO_BROKER)
    assert done.returncode == 6, done.stderr
    assert "may not be written" in done.stderr
    done = unprivileged.run("export", "messages")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("free/x") == 10
    assert bytes_of(unprivileged.workspace) == before


def test_a_single_file_that_may_not_be_written_is_told(broker, unprivileged):
    recording = Recording(unprivileged.workspace).start("--broker", broker.url)
    publish(broker, range(3))
    recording.stored(3)
    assert recording.stop() == 0
    for path in [unprivileged.workspace, *unprivileged.workspace.rglob("*")]:
        os.chown(path, NOBODY, NOBODY) if os.getuid() == 0 else None
    for name in ("catalogue.db", "recorder.log", "recorder.lock"):
        file = unprivileged.workspace / name
        file.chmod(0o444)
        before = bytes_of(unprivileged.workspace)
        done = unprivileged.run("record", "--broker", NO_BROKER)
        assert done.returncode == 6, (name, done.stderr)
        assert "may not be written" in done.stderr
        assert "Traceback" not in done.stderr
        after = bytes_of(unprivileged.workspace)
        kept = [one for one in before if one.endswith(".db")]
        assert [after[one] for one in kept] == [before[one] for one in kept]
        file.chmod(0o644)


def test_a_newer_workspace_is_refused_byte_for_byte(broker, recording):
    record(recording, broker, range(3))
    connection = apsw.Connection(str(recording.workspace.catalogue))
    connection.pragma("user_version", SCHEMA + 1)
    connection.close()
    before = bytes_of(recording.workspace.root)
    code, said = recording.run("--broker", broker.url)
    assert code == 6
    assert "newer Murmurscope" in said
    assert "the files were not touched" in said
    assert bytes_of(recording.workspace.root) == before
    done = recording.command("export", "messages")
    assert done.returncode == 6
    assert b"newer" in done.stderr
    assert bytes_of(recording.workspace.root) == before


def test_another_recorder_here_is_named_even_when_it_hangs(broker, recording):
    recording.start("--broker", broker.url)
    first = recording.process
    before = read_lock(recording.workspace)
    assert (before.held, before.alive, before.pid) == (True, True, first.pid)
    first.send_signal(signal.SIGSTOP)
    try:
        recording.process = None
        code, said = recording.run("--broker", broker.url)
        assert code == 6
        assert f"process {first.pid}, since 20" in said
        assert "Use that one, stop it, or choose another workspace" in said
        still = read_lock(recording.workspace)
        assert (still.held, still.alive, still.pid) == (True, True, first.pid)
    finally:
        first.send_signal(signal.SIGCONT)
        recording.process = first
    until(lambda: read_lock(recording.workspace).beat_us > still.beat_us, "its heart beats again")
    recording.connected()


@pytest.mark.parametrize(("age_s", "code"), [(1, 6), (3_600, 4)])
def test_a_recorder_on_another_computer_counts_while_its_heart_beats(recording, age_s, code):
    recording.workspace.root.mkdir()
    note = {"pid": 1, "start_time": 0.0, "host": "elsewhere", "version": "9", "started_us": 1, "beat_us": 0}
    note["beat_us"] = SystemClock().wall_us() - age_s * 1_000_000
    recording.workspace.lock.write_text(json.dumps(note).ljust(1024))
    answer, said = recording.run("--broker", NO_BROKER, "--duration", "1")
    assert answer == code, said
    assert ("A recorder on elsewhere writes this workspace. Stop it there" in said) == (code == 6)


def test_half_written_settings_cost_neither_the_run_nor_the_file(broker, recording):
    recording.workspace.root.mkdir()
    recording.workspace.settings.write_text('[connection]\nurl = "mqtt://127.')
    recording.start("--broker", broker.url)
    publish(broker, range(5))
    recording.when(lambda _: len(payloads(recording)) == 5, "all are stored")
    assert recording.stop() == 0
    assert recording.workspace.settings.read_text() == '[connection]\nurl = "mqtt://127.'


@pytest.mark.parametrize(
    ("text", "kept"), [("[retention\ngib = 9", True), ("[retention]\ngib = 9\n", True), ("", False)]
)
def test_history_is_only_removed_by_settings_that_can_be_read(broker, recording, text, kept):
    record(recording, broker, range(3))
    recording.workspace.settings.write_text(text)
    connection = apsw.Connection(str(recording.workspace.catalogue))
    connection.execute("UPDATE segment SET bytes = 3 << 30 WHERE state = 'closed'")  # more than is kept by default
    connection.close()
    recording.start("--broker", broker.url)
    publish(broker, range(3, 6))
    until(
        lambda: rows(recording.workspace, "catalogue", TAKEN)[0][0], "upkeep began its round, which ends at the limits"
    )
    assert recording.stop() == 0
    assert (payloads(recording)[0] == "0") == kept
    assert ("retention" in [row["cause"] for row in recording.export("gaps")]) == (not kept)


def last_segment(recording):
    return max(recording.workspace.segments.glob("*.db"), key=lambda file: int(file.stem))


def test_a_corrupt_open_segment_is_set_aside_and_recording_goes_on(broker, recording):
    record(recording, broker, range(3))
    record(recording, broker, range(3, 6), signal.SIGKILL)
    damaged = last_segment(recording)
    content = b"garbage " * 4_096
    damaged.write_bytes(content)
    for ending in ("-wal", "-shm"):
        Path(f"{damaged}{ending}").unlink(missing_ok=True)
    recording.start("--broker", broker.url)
    recording.when(lambda state: codes(state) == ["store.corrupt"], "it is told")
    publish(broker, range(6, 9))
    recording.when(lambda _: "8" in payloads_in_spite(recording), "new ones are stored")
    assert recording.stop() == 0
    journaled = [] if len(payloads_in_spite(recording)) == 6 else ["3", "4", "5"]  # where much came at once
    assert payloads_in_spite(recording) == ["0", "1", "2", *journaled, "6", "7", "8"]
    assert damaged.read_bytes() == content
    assert "damaged" in [row["cause"] for row in recording.export("gaps")]


def payloads_in_spite(recording):
    """What can be exported although something is damaged."""
    done = recording.command("export", "messages")
    assert done.returncode in (0, 1), done.stderr
    return [line.split(b",")[9].decode() for line in done.stdout.splitlines()[1:] if b",free/x," in line]


def test_a_corrupt_catalogue_is_made_again_from_the_segments(broker, recording):
    record(recording, broker, range(3))
    record(recording, broker, range(3, 6), signal.SIGKILL)
    content = os.urandom(20_000)
    recording.workspace.catalogue.write_bytes(content)
    recording.start("--broker", broker.url)
    recording.when(lambda state: codes(state) == ["store.corrupt", "catalogue.words"], "it is told")
    publish(broker, range(6, 9))
    recording.when(lambda _: "8" in payloads(recording), "new ones are stored")
    assert recording.stop() == 0
    assert payloads(recording) == [str(n) for n in range(9)]
    (aside,) = recording.workspace.root.glob("catalogue.db.damaged-*[0-9]")
    assert aside.read_bytes() == content


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_segment_that_is_gone_is_told_and_the_rest_kept(broker, recording, how):
    record(recording, broker, range(3))
    recording.start("--broker", broker.url)
    publish(broker, range(3, 6))
    until(
        lambda: payloads(recording)[-1] == "5" and rows(recording.workspace, "catalogue", TAKEN)[0][0], "all is known"
    )
    recording.stop(how)
    gone = last_segment(recording)
    for ending in ("", "-wal", "-shm"):
        Path(f"{gone}{ending}").unlink(missing_ok=True)
    recording.start("--broker", broker.url)
    recording.when(lambda state: codes(state) == ["store.corrupt"], "it is told")
    publish(broker, range(6, 9))
    recording.when(lambda _: "8" in payloads_in_spite(recording), "new ones are stored")
    assert recording.stop() == 0
    assert payloads_in_spite(recording) == ["0", "1", "2", "6", "7", "8"]
    assert "damaged" in [row["cause"] for row in recording.export("gaps")]


def test_a_folder_may_have_any_name(broker, tmp_path):
    name = "=1 żółw ☃ '\"$(x)%20?x=#1"
    one = Recording(tmp_path / name)
    try:
        record(one, broker, range(2))
        assert payloads(one) == ["0", "1"]
    finally:
        one.close()
