"""Whatever arrives: no exception leaves the reader, and every message keeps its row."""

import json
import logging
import math
import random
from collections.abc import Callable

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from models.domain.messages import Origin, Properties, RawMessage
from tests.helpers.reading import ARRIVAL_US, RECORDINGS, Reading, recorded

SEED = 20_261_123
TOPICS = [
    *(f"agents/{agent}/{role}".encode() for agent in ("a", "b-2") for role in
      ("status", "metrics", "log", "task", "connection", "tail/x.log", "inbox/c", "x/y", "inbox", "tail")),
    b"", b"/", b"agents", b"agents/", b"agents//status", b"\xff\xfe", b"x", b"lab/c-1/temp", b"c-1/lwt", b"c-1/$state",
    b"p/$log/warn", b"logs/c/error", b"lab/lwt", b"lab/c/status", b"lab/c/thought", b"printer/mqtt", b"printer/heat/tool0", b"$SYS/x", b"a/b/c/d/e/f/g", "łąka/ж/温度".encode(),
]  # fmt: skip
SCRAPS = [
    b"NaN", b"Infinity", b"1e999", b"null", b"{}", b"[]", b'"\\ud800"', b"\x00", b"\xff", b"9" * 5000, b"-0.0", b"true",
    b'"ts"', b'"boot"', b'"seq"', b'"metrics"', b'"state"', b'"level"', b'"message"', b'"body"', b'"id"', b'"reply_to"',
    b"{" * 50, b"[" * 50, b'{"a":' * 2000, b"1795420056", b'"2026-11-23T07:47:30"', b'"0001-01-01T00:00:00+14:00"',
    b"\xef\xbb\xbf", b"\r\n", b"Traceback (most recent call last):\n", b"\x1b[31m", b"18446744073709551616",
]  # fmt: skip


def mutated(chance: random.Random, payload: bytes) -> bytes:
    data = bytearray(payload)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(data))
        match chance.randint(0, 4):
            case 0:
                data[at : at + chance.randint(0, 9)] = b""
            case 1:
                data[at:at] = chance.choice(SCRAPS)
            case 2:
                data[at : at + chance.randint(1, 9)] = chance.choice(SCRAPS)
            case 3:
                data[at:at] = chance.randbytes(chance.randint(1, 5))
            case _:
                del data[at:]
    return bytes(data)


ODD: list[object] = [
    None, True, False, 0, -1, 1, 5, 2**53 + 1, 2**63, 2**70, 10**400, 1.5, -0.0, 1e308, 1_795_420_056, 1_795_420_056.4, 1e17,
    "", "x", "b", "offline", "on", "error", "task", "1", "\0", "\u202e", "\ud800", "a\nb", "x" * 5000, "2026-11-23T07:47:30",
    [], [1, 2], {}, {"x": 1}, {"error": "e"}, {"task": "t", "type": 5}, {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}},
    {str(i): i for i in range(250)}, {"agentId": "z", "data": {"k": 2**70}}, {"stack": "E: x", "type": 1},
]  # fmt: skip


def with_odd_values(chance: random.Random, payload: bytes) -> bytes:
    """The same object with some keys' values, or their keys, changed."""
    body = json.loads(payload)
    for key in chance.sample(list(body), chance.randint(1, len(body))):
        match chance.randint(0, 3):
            case 0:
                body[chance.choice(["ts", "seq", "boot", "type", "level", "message", "metrics", "x" * 300])] = body.pop(
                    key
                )
            case 1:
                body[chance.choice(["error", "exc_info", "time", "host", "online", "status", "id"])] = chance.choice(
                    ODD
                )
            case _:
                body[key] = chance.choice(ODD)
    return json.dumps(body).encode()


def arrivals(count: int) -> list[RawMessage]:
    chance = random.Random(SEED)
    real = [one for path in sorted(RECORDINGS.glob("*.jsonl")) for one in recorded(path.stem)]
    own = [
        b'{"ts":1795420056.4,"boot":"b","seq":5,"metrics":{"process.cpu.utilization":0.5,"x":{"y":1}}}',
        b'{"state":"online","interval_s":30,"name":"A","capabilities":["x"],"boot":"b","seq":1}',
        b'{"level":"info","message":{"agentId":"q","timestamp":"2026-11-23T07:47:30Z","data":{"k":1}}}',
        b'{"id":"1","type":"task","body":{"task":"t","type":"x"}}', b'{"reply_to":"1","body":{}}',
        b'{"task":"t","state":"working","progress":0.5,"result":{"a":[1]}}', b'{"outcome":"ok","duration_s":0.5}',
        b'{"metrics":[{"name":"cpu","value":5,"unit":"%"}],"mem":{"value":5,"unit":"MB"},"temp":"21.5","device":{"id":"d-1"}}',
        b'{"text":"t","record":{"level":{"name":"INFO"},"message":"m","time":{"timestamp":1795420056.1},"exception":{"type":"E"}}}',
        b'{"startTime":"2026-11-23T07:47:30Z","categoryName":"c","data":["%s of %d",1],"level":{"levelStr":"INFO"},"context":{}}',
        b'{"date":"2026-11-23T07:47:30Z","args":["m",1],"type":"info","level":3,"tag":"t"}',
        b'{"0":"m","1":{"nativeError":{},"name":"E"},"_meta":{"logLevelName":"INFO","date":"2026-11-23T07:47:30Z"}}',
        b'{"@fields":{"level":"warn"},"@message":"m"}', b'{"level":"INFO","fields":{"message":"m","n":5},"target":"t"}',
        b'{"instant":{"epochSecond":1795420056,"nanoOfSecond":5},"level":"INFO","loggerName":"c","message":"m","thrown":{"name":"E"}}',
        b'{"Timestamp":"2026-11-23T07:47:30Z","Level":"Error","MessageTemplate":"{A} of {B:x}","Properties":{"A":1},"Exception":"E"}',
        b'{"LogLevel":"Error","Category":"c","Message":"m","State":{"n":1}}', b'{"@t":"2026-11-23T07:47:30Z","@mt":"{A} of {B}","A":1}',
        b'{"context":{"logLevel":40,"namespace":"n"},"message":"m","sequence":"0","time":1795420056000,"version":"2.0.0"}',
        b'{"event":"m","level":"error","exception":[{"exc_type":"E","exc_value":"x","frames":[{"filename":"a","lineno":1}]}]}',
        b'{"service":"s","logs":[{"level":"info","msg":"a"},{"level":"error","msg":"b"}]}', b'{"level":"info","msg":"a"}\n{"x":1}\n',
        b'{"A":[{"ts":1795420056000,"values":{"t":1}}],"B":[{"ts":1,"values":{"t":2}}]}', b'{"method":"N","params":{"ts":1,"x":{"id":1,"w":5}}}',
        b'{"type":"d","data":{"value":5,"ts":1795420056}}', b'{"device_id":7,"x":1}', b'{"state":"online","value":true}',
        b'{"metric":"cpu","value":5,"unit":"%","ts":1795420056}', b'{"value":"5","name":"memory","unit":"kB"}',
    ]  # fmt: skip
    found = []
    for i in range(count):
        one = chance.choice(real)
        payload = chance.choice(own) if chance.random() < 0.7 else one.payload
        payload = (
            with_odd_values(chance, payload)
            if payload in own and b"\n" not in payload and chance.random() < 0.7
            else mutated(chance, payload)
        )
        topic = chance.choice(TOPICS) if chance.random() < 0.8 else one.topic
        properties = None
        if chance.random() < 0.1:
            answer = chance.choice([None, "agents/a/inbox/c", "lab/c-1/temp"])
            properties = Properties(
                None, answer, chance.choice([None, b"", b"k"]), None, (("agent", "u"), ("agent", ""))
            )
        found.append(
            one._replace(
                topic=topic, payload=payload, properties=properties, origin=chance.choice(list(Origin)),
                received_us=ARRIVAL_US + i * chance.choice([0, 1000, 100_000]),
            )
        )  # fmt: skip
    return found


def read_all(
    count: int, caplog: pytest.LogCaptureFixture, before: Callable[[Reading], None] = lambda _: None
) -> None:  # fmt: skip
    """`before`: what is done to the reader before each batch."""
    reading = Reading()
    messages = arrivals(count)
    with caplog.at_level(logging.ERROR):
        for i in range(0, count, 500):
            before(reading)
            batch = reading.read(*messages[i : i + 500])  # checks the rows
            assert all(map(math.isfinite, batch.sample_value))
            assert not [one for one in batch.unreadable if one.reason == "bug"], caplog.text
            for one in batch.logs:
                "".join(filter(None, (one.text, one.logger, one.error, one.stack, one.attributes))).encode()
            for task in batch.tasks:
                "".join(filter(None, task[3:5])).encode()
            assert all(-(1 << 63) <= time < 1 << 63 for time in batch.stamp_time_us)
            assert all(gap.missing < 1 << 40 for gap in batch.gaps)
    assert not caplog.records
    "".join(reading.names.agents).encode()
    "".join(key.metric for key in reading.names.series).encode()


def test_mutated_traffic(caplog: pytest.LogCaptureFixture) -> None:
    read_all(20_000, caplog)


LINES = [
    "2026-11-23 07:47:30,123 - app.net - ERROR - lost", "[2026-11-23T07:47:30Z WARN  app::net] slow", "INFO:app.net:m",
    "2026-11-23 07:47:30.000  INFO 71 --- [main] c.e.App  : Started", "I1123 07:47:30.000000    71 a.go:3] slow",
    'time="2026-11-23T07:47:30Z" level=error msg="no \\"disk\\"" n=3', "[web] › ✖  error     It failed", "07:47:30 [info  ] m",
    '<34>1 2026-11-23T07:47:30Z box sshd 71 - [a@1 b="c"] refused', "I, [2026-11-23T07:47:30.000000 #71]  INFO -- : up",
    "2026-11-23 07:47:30.000 | SUCCESS  | __main__:<module>:7 - stored", "ERROR x\nTypeError: y\n    at z (a.js:1:2)",
]  # fmt: skip


def read_lines(count: int) -> None:
    chance, reading = random.Random(SEED), Reading()
    topics = ("lab/c-1/log", "lab/c-1/text", "agents/a/log", "agents/a/tail/x")
    for _ in range(count // 100):
        lines = [mutated(chance, chance.choice(LINES).encode()) for _ in range(100)]
        batch = reading.read(*(reading.message(chance.choice(topics), line) for line in lines))
        assert not [one for one in batch.unreadable if one.reason == "bug"]
        for one in batch.logs:
            "".join(filter(None, (one.text, one.logger, one.error, one.stack, one.attributes))).encode()


def test_mutated_lines(caplog: pytest.LogCaptureFixture) -> None:
    read_lines(5_000)
    assert not caplog.records


@pytest.mark.long
def test_mutated_lines_at_length(caplog: pytest.LogCaptureFixture) -> None:
    read_lines(200_000)
    assert not caplog.records


@pytest.mark.long
def test_mutated_traffic_at_length(caplog: pytest.LogCaptureFixture) -> None:
    read_all(1_000_000, caplog)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.text(max_size=5) | st.sampled_from(["ts", "seq", "boot", "metrics", "state", "level", "message", "id", "task"]),
        inner, max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@given(topic=st.sampled_from(TOPICS), payloads=st.lists(st.binary(max_size=60) | json_values, max_size=5))
@settings(max_examples=300, deadline=None)
def test_anything(topic: bytes, payloads: list[object]) -> None:
    reading = Reading()
    batch = reading.read(*(reading.message("x", payload)._replace(topic=topic) for payload in payloads))
    assert not [one for one in batch.unreadable if one.reason == "bug"]
    assert all(map(math.isfinite, batch.sample_value))
