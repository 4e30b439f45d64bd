"""`murmurscope import`: by itself, and through a recorder that goes on recording."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.mosquitto import Mosquitto
from tests.helpers.recording import Recording, payload_of

RECORDINGS = Path(__file__).resolve().parents[2] / "recordings"


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    one = Recording(tmp_path / "workspace")
    yield one
    one.close()


def lines_of(name: str) -> list[dict]:
    return [json.loads(line) for line in (RECORDINGS / f"{name}.jsonl").read_text().splitlines()]


def check_messages(recording: Recording, name: str) -> None:
    """Every line gives its topic, payload and time back, in order of time."""
    wanted = sorted(
        ((round(one["ts"] * 1e6), one["topic"], base64.b64decode(one["payload_b64"])) for one in lines_of(name)),
        key=lambda one: one[0],
    )
    rows = recording.export("messages")
    assert [(row["time"], row["topic"], payload_of(row)) for row in rows] == [
        (f"{iso(time_us)}", topic, payload) for time_us, topic, payload in wanted
    ]


def iso(time_us: int) -> str:
    from datetime import UTC, datetime, timedelta

    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_without_a_recorder_the_command_writes_by_itself(recording: Recording) -> None:
    done = recording.command("import", str(RECORDINGS / "winston-json-logs.jsonl"))
    assert (done.returncode, done.stderr.decode()) == (0, "")
    assert done.stdout.decode().startswith("imported 22 messages of 1 agent: 0 samples, 20 logs")
    check_messages(recording, "winston-json-logs")
    (agent,) = recording.export("agents")
    assert (agent["agent"], agent["presence"], agent["cause"]) == ("crawler-1", "offline", "will")


@pytest.mark.services
def test_with_a_recorder_it_asks_that(recording: Recording, broker: Mosquitto) -> None:
    recording.start("--broker", broker.url)
    done = recording.command("import", str(RECORDINGS / "glances-per-plugin.jsonl"))
    assert (done.returncode, done.stderr.decode()) == (0, "")
    recording.stop()
    kinds = [one["kind"] for one in recording.info()["captures"]]
    assert kinds == ["record", "import"]
    assert len([row for row in recording.export("messages") if row["topic"].startswith("glances/")]) == 80
