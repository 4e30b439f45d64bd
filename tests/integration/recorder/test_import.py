"""`murmurscope import`: by itself, and through a recorder that goes on recording."""

import base64
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from models.domain.connection import parse_url
from models.domain.problems import EnvironmentProblem
from models.domain.recorded import ImportProgress
from models.storage.workspace import Workspace
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.helpers.live_traffic import Live
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.needs import program
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY
from tests.helpers.recording import Recording, payload_of

RECORDINGS = REPOSITORY / "tests" / "recordings"
MANY = 60_000


class Half(Exception):  # noqa: N818 - raised to stop
    pass


def halfway(progress: ImportProgress) -> None:
    if progress.bytes_done * 3 > progress.bytes_total:
        raise Half


def imported(recording: Recording) -> int:
    return sum(row["topic"].startswith("agents/old-") for row in recording.export("messages"))


def files(workspace: Workspace) -> list[str]:
    return sorted(path.name for path in workspace.segments.iterdir())


def states(recording: Recording) -> dict[str, int]:
    return dict(recording.info()["segments"])


# ---------------------------------------------------------------- without a recorder


def test_without_a_recorder_the_command_writes_by_itself(recording: Recording) -> None:
    done = recording.command("import", str(RECORDINGS / "winston-json-logs.jsonl"))
    assert (done.returncode, done.stderr.decode()) == (0, "")
    assert done.stdout.decode() == (
        "imported 22 messages of 1 agent: 0 samples, 20 logs, 0 task reports, 0 unreadable; "
        "from 2026-11-23T07:47:34.913471Z to 2026-11-23T07:47:52.918202Z\n"
    )
    (agent,) = recording.export("agents")
    assert (agent["agent"], agent["presence"], agent["cause"]) == ("crawler-1", "offline", "will")
    assert agent["as_of"] == "2026-11-23T07:47:52.918202Z"
    assert recording.command("verify").returncode == 0


def test_what_is_left_out_is_told_and_the_exit_code_says_so(recording: Recording, tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    path.write_bytes((RECORDINGS / "mqtt-io-2.7.jsonl").read_bytes()[:-40])
    done = recording.command("import", str(path))
    assert done.returncode == 1
    told = done.stderr.decode()
    assert told.startswith(f"murmurscope: 1 line is no record and was left out, the first is {path}, line 14: cut off")
    assert done.stdout.decode().startswith("imported 13 messages of 1 agent: 7 samples")
    assert ", 0 unreadable; " in done.stdout.decode()


@pytest.mark.parametrize("name", ["README.md", "resources/icons/agent.svg", "nowhere.jsonl"])
def test_what_is_no_recording_is_refused_with_a_sentence(recording: Recording, name: str) -> None:
    good = str(RECORDINGS / "mqtt-io-2.7.jsonl")
    done = recording.command("import", good, str(REPOSITORY / name))
    assert (done.returncode, done.stdout) == (1, b"")
    assert re.fullmatch(
        r"murmurscope: \S*" + re.escape(name) + r" (is not recorded traffic|cannot be used): .+\n", done.stderr.decode()
    )
    assert recording.info()["stored"] == 0


def test_a_folder_beside_a_recording_is_refused(recording: Recording) -> None:
    done = recording.command("import", str(RECORDINGS / "mqtt-io-2.7.jsonl"), str(REPOSITORY / "tests"))
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"tests is a backup or a folder" in done.stderr
    assert recording.info()["stored"] == 0


def test_the_same_file_twice_has_to_be_meant(recording: Recording) -> None:
    path = str(RECORDINGS / "mqtt-io-2.7.jsonl")
    assert recording.command("import", path).returncode == 0
    done = recording.command("import", path)
    assert done.returncode == 1
    assert "was imported already" in done.stderr.decode()
    assert recording.command("import", "--again", path).returncode == 0
    assert len(recording.export("messages")) == 28


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_ends_the_command_leaves_nothing(recording: Recording, large: Path, how: signal.Signals) -> None:
    process = subprocess.Popen(
        recording.argv("import", str(large)), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=recording.environment, cwd=REPOSITORY,
    )  # fmt: skip
    segments = recording.workspace.segments
    until(lambda: segments.exists() and any(segments.glob("*.db")), "it has begun")
    process.send_signal(how)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"murmurscope: cancelled, nothing was imported\n")
    assert files(recording.workspace) == []
    assert recording.info()["stored"] == 0


def test_a_kill_leaves_nothing_after_the_next_start(recording: Recording, large: Path) -> None:
    process = subprocess.Popen(
        recording.argv("import", str(large)), stdout=subprocess.DEVNULL, env=recording.environment, cwd=REPOSITORY
    )
    segments = recording.workspace.segments
    until(lambda: segments.exists() and any(segments.glob("*.db-wal")), "it has begun")
    process.kill()
    process.wait()
    assert imported(recording) == 0
    assert recording.command("import", str(RECORDINGS / "mqtt-io-2.7.jsonl")).returncode == 0
    assert states(recording) == {"closed": 1}
    assert len(files(recording.workspace)) == 1


# ---------------------------------------------------------------- beside a recorder


@pytest.mark.services
def test_live_traffic_goes_on_while_a_recorder_imports(recording: Recording, broker: Mosquitto, large: Path) -> None:
    recording.start("--broker", broker.url)
    with Live(broker.url) as live:
        sent = live.sent
        done = recording.command("import", str(large))
        assert (done.returncode, done.stderr.decode()) == (0, "")
        assert live.sent > sent
        presence = {row["agent"]: row["presence"] for row in recording.export("agents")}
        assert presence["live"] == presence["old-7"] == "online"
    live.check(recording)
    assert imported(recording) == MANY
    assert recording.state.counters.dropped == 0
    assert recording.stop() == 0
    assert recording.command("verify").returncode == 0
    origins = {
        (row["topic"].split("/")[1].split("-")[0], row["origin"])
        for row in recording.export("messages")
        if row["agent"]
    }
    assert origins == {("live", "live"), ("old", "imported")}


@pytest.mark.services
def test_hanging_up_takes_everything_back(recording: Recording, broker: Mosquitto, large: Path) -> None:
    recording.start("--broker", broker.url)
    with Live(broker.url) as live:
        with pytest.raises(Half):
            recording.client.import_files([large], halfway)
        until(lambda: states(recording) == {"open": 1}, "nothing of the import is left")
        assert len({name.split(".")[0] for name in files(recording.workspace)}) == 1
    live.check(recording)
    assert imported(recording) == 0
    assert not any(row["agent"].startswith("old-") for row in recording.export("agents"))
    result = recording.client.import_files([large], lambda _: None)
    assert (result.messages, result.agents, result.logs) == (MANY, 50, MANY)


@pytest.mark.services
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_recorder_that_ends_halfway_keeps_what_is_live_alone(
    recording: Recording, make_broker: Callable[..., Mosquitto], large: Path, how: signal.Signals
) -> None:
    broker = make_broker(max_queued_messages=100_000)  # for as long as no recorder runs
    recording.start("--broker", broker.url)
    with Live(broker.url) as live:
        assert end_halfway(recording, large, how) == "import.broken-off"
        recording.start("--broker", broker.url)
    live.check(recording)
    assert imported(recording) == 0
    assert "importing" not in states(recording)
    assert len([name for name in files(recording.workspace) if name.endswith(".db")]) == sum(states(recording).values())


def end_halfway(recording: Recording, large: Path, how: signal.Signals) -> str:
    """Code of the problem that whoever imports is told."""
    ended: list[int] = []

    def end(progress: ImportProgress) -> None:
        if progress.bytes_done * 3 > progress.bytes_total and not ended:
            os.kill(recording.pid, how)
            ended.append(1)

    with pytest.raises(EnvironmentProblem) as raised:
        recording.client.import_files([large], end)
    assert recording.process is not None
    recording.process.wait(30)
    recording.process = None
    recording.client.close()
    return raised.value.problem.code


@pytest.mark.services
def test_one_import_at_a_time(recording: Recording, broker: Mosquitto, large: Path) -> None:
    recording.start("--broker", broker.url)
    codes: list[str] = []

    def another(progress: ImportProgress) -> None:
        if not codes:
            done = recording.command("import", str(RECORDINGS / "mqtt-io-2.7.jsonl"))
            codes.append(done.stderr.decode())
        halfway(progress)

    with pytest.raises(Half):
        recording.client.import_files([large], another)
    assert "Another import into this workspace is under way" in codes[0]


@pytest.mark.services
def test_an_old_recording_leaves_what_is_live_as_it_is(recording: Recording, broker: Mosquitto, tmp_path: Path) -> None:
    """The same agent, of which something older is imported: it stays online, with its values, name and interval."""
    recording.start("--broker", broker.url)
    connection, _ = parse_url(broker.url)
    publisher = BulkPublisher(connection, None, "one")
    status = b'{"state":"online","name":"Now","interval_s":60}'
    publisher.send(
        [Outgoing(b"agents/one/status", status), Outgoing(b"agents/one/metrics", b'{"metrics":{"cpu":0.9}}')], 1
    )
    assert publisher.drain(30)
    publisher.close()

    def agent() -> dict[str, str]:
        return next((row for row in recording.export("agents") if row["agent"] == "one"), {})

    until(lambda: agent().get("name") == "Now" and agent().get("messages") == "2", "the agent is known")
    before = agent()
    old = tmp_path / "old.jsonl"
    told = [
        ("status", '{"state":"online","name":"Then","interval_s":5}'),
        ("metrics", '{"metrics":{"cpu":0.1}}'),
        ("status", '{"state":"stopped"}'),
    ]
    old.write_text("".join(
        json.dumps({"ts": 1_700_000_000 + n, "topic": f"agents/one/{kind}", "payload_b64": base64.b64encode(body.encode()).decode()}) + "\n"
        for n, (kind, body) in enumerate(told)
    ))  # fmt: skip
    assert recording.command("import", str(old)).returncode == 0
    after = agent()
    changed = {key for key in before if before[key] != after[key]} - {"as_of"}
    assert changed == {"first_seen", "messages"}
    assert (after["first_seen"], after["messages"]) == ("2023-11-14T22:13:20.000000Z", "5")
    assert [row["presence"] for row in recording.export("presence") if row["agent"] == "one"] == [
        "online",
        "stopped",
        "online",
    ]


@pytest.mark.services
def test_what_mosquitto_sub_recorded_is_what_was_published(
    recording: Recording, broker: Mosquitto, tmp_path: Path
) -> None:
    """Real output of the real tool, retained replay and properties included."""
    path = tmp_path / "recorded.jsonl"
    pub = [program("mosquitto_pub"), "-h", "127.0.0.1", "-p", str(broker.port), "-V", "5"]
    subprocess.run([*pub, "-t", "sub/kept", "-m", "old", "-r", "-q", "1"], check=True)
    with path.open("wb") as out:
        tool = [
            program("mosquitto_sub"),
            "-h",
            "127.0.0.1",
            "-p",
            str(broker.port),
            "-V",
            "5",
            "-q",
            "2",
            "-t",
            "sub/#",
            "-F",
            "%j",
        ]
        listening = subprocess.Popen(tool, stdout=out)
    try:
        until(lambda: b"sub/kept" in path.read_bytes(), "it listens")
        properties = [
            "-D",
            "publish",
            "content-type",
            "text/x",
            "-D",
            "publish",
            "user-property",
            "k",
            "1",
            "-D",
            "publish",
            "user-property",
            "k",
            "2",
        ]
        for payload in (b'{"x": 1.50, "y":"\xc3\xa9"}', b'line\nbreak\t"quoted"', b"ab\xff\xfe\x01z", b"ends\0"):
            subprocess.run([*pub, "-t", "sub/ż", "-s", "-q", "1", *properties], input=payload, check=True)
        subprocess.run([*pub, "-t", "sub/empty", "-n"], check=True)
        until(lambda: b"sub/empty" in path.read_bytes(), "all of it was recorded")
    finally:
        listening.terminate()
        listening.wait()
    done = recording.command("import", str(path))
    assert (done.returncode, done.stderr.decode()) == (0, "")
    rows = recording.export("messages")
    assert [(row["topic"], row["origin"], payload_of(row)) for row in rows] == [
        ("sub/kept", "replay", b"old"), ("sub/ż", "imported", b'{"x": 1.50, "y":"\xc3\xa9"}'),
        ("sub/ż", "imported", b'line\nbreak\t"quoted"'), ("sub/ż", "imported", b"ab\xff\xfe\x01z"),
        ("sub/ż", "imported", b"ends\0"), ("sub/empty", "imported", b""),
    ]  # fmt: skip
    assert {(row["content_type"], row["user_properties"]) for row in rows[1:5]} == {("text/x", '{"k":["1","2"]}')}
