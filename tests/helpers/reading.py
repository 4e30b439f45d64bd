"""Messages for the reader, and what it made of them by name instead of by number."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from models.domain.batch import RecordBatch
from models.domain.messages import Origin, Properties, RawMessage
from models.domain.names import Names
from models.domain.rules import Rules
from mqtt.reading.reader import Reader
from tests.helpers.clock import FakeClock

RECORDINGS = Path(__file__).resolve().parents[1] / "recordings"
ARRIVAL_US = 1_795_420_056_425_090  # 2026-11-23T07:47:36.425090Z


class Point(NamedTuple):
    agent: str
    metric: str
    unit: str
    time_us: int
    value: float


class Reading:
    """A reader with the names it fills, and everything it read so far."""

    def __init__(self, prefix: str = "agents", rules: Rules | None = None) -> None:
        self.names = Names()
        self.reader = Reader(self.names, prefix, FakeClock(), rules)
        self.now_us = ARRIVAL_US
        self.points: list[Point] = []
        self.read_series: list[int] = []  # of the points

    def message(
        self,
        topic: str,
        payload: object,
        origin: Origin = Origin.LIVE,
        properties: Properties | None = None,
    ) -> RawMessage:
        """A message that arrives now; `payload` is bytes, text, or something to send as JSON."""
        if isinstance(payload, str):
            payload = payload.encode()
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        return RawMessage(topic.encode(), payload, 0, False, False, 0, properties, self.now_us, origin, 1)

    def read(self, *messages: RawMessage) -> RecordBatch:
        batch = self.reader.read(messages)
        check_rows(batch)
        self.points += self.points_of(batch)
        self.read_series += batch.sample_series
        return batch

    def send(
        self,
        topic: str,
        payload: object,
        origin: Origin = Origin.LIVE,
        properties: Properties | None = None,
    ) -> RecordBatch:
        """Read one message as a batch of its own."""
        return self.read(self.message(topic, payload, origin, properties))

    def points_of(self, batch: RecordBatch) -> list[Point]:
        found, at = [], 0
        for time_us, count in zip(batch.stamp_time_us, batch.stamp_count, strict=True):
            for i in range(at, at + count):
                key = self.names.series[batch.sample_series[i]]
                agent = self.names.agents[key.agent]
                found.append(Point(agent, key.metric, key.unit, time_us, batch.sample_value[i]))
            at += count
        return found

    def agents(self) -> set[str]:
        return set(self.names.agents[1:])


def check_rows(batch: RecordBatch) -> None:
    """What the store relies on, whatever was read."""
    n = len(batch.messages)
    assert [len(batch.topic), len(batch.agent), len(batch.kind), len(batch.duplicate)] == [n] * 4
    assert len(batch.stamp_row) == len(batch.stamp_time_us) == len(batch.stamp_count)
    assert sum(batch.stamp_count) == len(batch.sample_series) == len(batch.sample_value)
    assert 0 not in batch.sample_series
    assert 0 not in batch.topic
    assert batch.stamp_row == sorted(batch.stamp_row)  # a message may hold samples of several moments
    rows = [one.row for one in batch.unreadable]
    assert rows == sorted(set(rows))  # one reason a message
    for records in (batch.logs, batch.tasks, batch.interactions, batch.attempts, batch.declarations, batch.evidence):
        assert all(0 <= one.row < n for one in records)


def recorded(name: str) -> list[RawMessage]:
    """The messages of a recording, as an import hands them over: a retained replay stays one."""
    found: Sequence[str] = (RECORDINGS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    messages = []
    for line in found:
        one = json.loads(line)
        told = one.get("props")
        properties = (
            None
            if told is None
            else Properties(
                content_type=told.get("ContentType"),
                response_topic=told.get("ResponseTopic"),
                correlation=base64.b64decode(told["CorrelationData"]) if "CorrelationData" in told else None,
                user=tuple((key, value) for key, value in told.get("UserProperty", ())),
            )
        )
        origin = Origin.REPLAY if one.get("origin") == "replay" else Origin.IMPORTED
        messages.append(
            RawMessage(
                one["topic"].encode(), base64.b64decode(one["payload_b64"]), one["qos"], bool(one["retain"]), False, 0,
                properties, round(one["ts"] * 1_000_000), origin, 0,
            )
        )  # fmt: skip
    return messages
