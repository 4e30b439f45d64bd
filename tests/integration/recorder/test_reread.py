"""`murmurscope reread`: by itself, and through a recorder that goes on recording."""

import signal
import subprocess
from pathlib import Path

import pytest

from models.domain.recorded import RereadProgress
from tests.helpers.live_traffic import Live
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY
from tests.helpers.recording import Recording

MANY = 30_000
RULES = """
[[rule]]
topic = "agents/{agent}/log"
means = "log"
agent = "press {agent}"
"""


class Stop(Exception):  # noqa: N818 - raised to stop
    pass


def agents_of(recording: Recording, dataset: str = "logs") -> set[str]:
    return {row["agent"] for row in recording.export(dataset) if "old-" in row["agent"]}


def exports(recording: Recording) -> dict[str, list[dict[str, str]]]:
    return {dataset: recording.export(dataset) for dataset in ("messages", "logs", "agents", "presence", "gaps")}


def test_without_a_recorder_the_command_does_it_and_a_fresh_import_is_the_same(
    recording: Recording, large: Path, tmp_path: Path
) -> None:
    assert recording.command("import", str(large)).returncode == 0
    assert agents_of(recording) == {f"old-{n}" for n in range(50)}
    recording.workspace.rules.write_text(RULES)
    done = recording.command("reread")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == (
        f"read {MANY:,} messages again: 50 agents, 0 samples, {MANY:,} log records, 0 task reports, 0 unreadable\n"
    )
    assert agents_of(recording) == agents_of(recording, "agents") == {f"press old-{n}" for n in range(50)}
    fresh = Recording(tmp_path / "fresh")
    fresh.workspace.root.mkdir()
    fresh.workspace.rules.write_text(RULES)
    assert fresh.command("import", str(large)).returncode == 0
    assert exports(recording) == exports(fresh)
    assert recording.command("verify").returncode == 0
    assert recording.command("reread", "--to", "2020-01-01").stdout.startswith(b"read 0 messages again")
    fresh.close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whoever_ends_the_command_leaves_history_as_it_was(
    recording: Recording, large: Path, how: signal.Signals
) -> None:
    recording.command("import", str(large))
    before = exports(recording)
    recording.workspace.rules.write_text(RULES)
    process = subprocess.Popen(
        recording.argv("reread"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=recording.environment, cwd=REPOSITORY
    )  # fmt: skip
    until(lambda: any(recording.workspace.rereading.glob("segments/*.db")), "it has begun")
    process.send_signal(how)
    out, err = process.communicate()
    assert (process.returncode, out) == (-9 if how is signal.SIGKILL else 130, b"")
    assert err == (b"" if how is signal.SIGKILL else b"murmurscope: cancelled, history stays as it was\n")
    assert exports(recording) == before
    assert recording.command("reread").returncode == 0
    assert not recording.workspace.rereading.exists()
    assert agents_of(recording) == {f"press old-{n}" for n in range(50)}


@pytest.mark.services
def test_a_recorder_goes_on_meanwhile(recording: Recording, large: Path, broker: Mosquitto) -> None:
    recording.start("--broker", broker.url)
    assert recording.command("import", str(large)).returncode == 0
    with Live(broker.url) as live:
        before = agents_of(recording)
        told: list[RereadProgress] = []

        def stop(progress: RereadProgress) -> None:
            told.append(progress)
            if progress.messages > MANY // 3:
                raise Stop

        with pytest.raises(Stop):
            recording.client.reread(0, 0, stop)
        assert agents_of(recording) == before == {f"old-{n}" for n in range(50)}
        until(lambda: not recording.workspace.rereading.exists(), "what was begun is thrown away")
        until(lambda: not recording.children(), "nobody reads any more")
        recording.workspace.rules.write_text(RULES)
        done = recording.command("reread")
        assert (done.returncode, done.stderr) == (0, b"")
        assert agents_of(recording) == {f"press old-{n}" for n in range(50)}
    live.check(recording)
    assert recording.state.warnings == ()
    assert recording.stop() == 0
    assert agents_of(recording, "agents") == {f"press old-{n}" for n in range(50)}
    assert {row["agent"] for row in recording.export("logs") if "live" in row["agent"]} == {"press live"}
    assert {row["agent"] for row in recording.export("agents") if "live" in row["agent"]} == {"press live"}
    assert recording.command("verify").returncode == 0


@pytest.mark.services
def test_a_recorder_that_is_killed_leaves_history_as_it_was(
    recording: Recording, large: Path, broker: Mosquitto
) -> None:
    recording.start("--broker", broker.url)
    recording.command("import", str(large))
    before = exports(recording)
    recording.workspace.rules.write_text(RULES)
    process = subprocess.Popen(
        recording.argv("reread"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=recording.environment, cwd=REPOSITORY
    )  # fmt: skip
    until(lambda: any(recording.workspace.rereading.glob("segments/*.db")), "it has begun")
    recording.kill()
    _, err = process.communicate()
    assert process.returncode == 1
    assert b"The recorder stopped before it told how reading history again went" in err
    after = exports(recording)
    told = [[row for row in one["messages"] if not row["topic"].startswith("$SYS")] for one in (after, before)]
    assert told[0] == told[1], "and the broker has told of itself meanwhile"
    assert after["logs"] == before["logs"]
    assert agents_of(recording, "agents") == {f"old-{n}" for n in range(50)}
    recording.start("--broker", broker.url)
    assert not recording.workspace.rereading.exists()
    assert recording.command("reread").returncode == 0
    assert agents_of(recording) == {f"press old-{n}" for n in range(50)}
    assert recording.stop() == 0
