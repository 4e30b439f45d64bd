"""Whatever a broker delivers is stored byte for byte, exported byte for byte, and counted where nobody can read it."""

import json
import os
from collections import Counter

import paho.mqtt.client as paho
import pytest
from paho.mqtt.properties import PacketTypes, Properties

from models.storage.copies.verify import verify
from tests.helpers.fake_broker import CONNECT, PUBACK, SUBSCRIBE, FakeBroker
from tests.helpers.poll import until
from tests.helpers.recording import Recording, payload_of, unguarded

RTL = "\u202eexe.gpj"
BINARY = bytes(range(256))
METRICS, STATUS, LOG, TASK = "agents/{}/metrics", "agents/{}/status", "agents/{}/log", "agents/{}/task"

UNREADABLE = [  # on a topic that promises a JSON object
    (METRICS, b'{"metrics": {"cpu": 0.5}'),
    (METRICS, b"\xff\xfe\x00{"),
    (METRICS, BINARY),
    (METRICS, b"["),
    (METRICS, b'"text"'),
    (METRICS, b"[" * 100_000),
    (METRICS, b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    (STATUS, b"\x80\x81"),
    (TASK, b"{{{{"),
]
READABLE = [
    (METRICS, b'{"metrics": {"cpu": 0.5, "cpu": 0.75}}'),
    (METRICS, b'{"metrics": {"cpu": NaN, "ram": Infinity, "x": -Infinity, "y": 1e999, "ok": 1}}'),
    (METRICS, b'{"metrics": {"big": 9223372036854775808, "huge": ' + b"9" * 400 + b', "ok": 2}}'),
    (METRICS, b'{"metrics": {"ok": 3}, "ts": 1e308, "seq": -1, "boot": {"a": 1}}'),
    (METRICS, b'{"metrics": {"ok": 3}, "ts": "yesterday", "seq": 1.5, "boot": null}'),
    (METRICS, b'{"metrics": {"\\u0000": 1, "": 2, "\\ud800": 3, "=1+1": 4, "a\\nb": 5}}'),
    (STATUS, b'{"state": "online", "name": "\\ud83d", "interval_s": 1e300, "capabilities": [null, {}, 1]}'),
    (STATUS, b'{"state": ["online"], "name": {"a": "b"}, "group": 7, "interval_s": "x", "version": [], "host": {}}'),
    (STATUS, b'{"state": "online", "name": "<img src=x onerror=alert(1)>", "interval_s": -5}'),
    (LOG, b'{"level": "error", "message": "=cmd|\' /C calc\'!A0", "lone": "\\udfff", "n": 1e999, "\\ud800": 1}'),
    (LOG, b'{"level": {"a": 1}, "message": ["x"], "stack": 5, "error": {"deep": [[[[[]]]]]}}'),
    (LOG, b"plain line\x1b[31m red \x1b[0m"),
    (LOG, b'{"message": "' + b"x" * 200_000 + b'"}'),
    (TASK, b'{"task": "t", "state": "working", "attempt": 99999999999999999999, "progress": "NaN", "result": 1e999}'),
    (TASK, b'{"task": ["t"], "state": "completed", "parent": {"a": 1}, "result": "\\ud800"}'),
]
FORMULAS = [b"=1+1", b"+1", b"-1", b"@SUM(A1)", b"\ttab", b"\rcr", b"'quote", b"''", b"=\x00", b'="a"\r\n,"b"']
NAMES = [
    "<img src=x onerror=alert(1)>",
    RTL,
    "=HYPERLINK(1)",
    "'",
    " ",
    "x" * 3_000,
    "e\u0301",
    "é",
    "\ufeff",
    "%s{0}$1",
]


def on(pattern, agent="victim"):
    return pattern.format(agent).encode()


def hostile():
    """(topic, payload) pairs, whatever the wire lets through."""
    found = [(on(pattern), payload) for pattern, payload in (*UNREADABLE, *READABLE)]
    found += [(on(METRICS, name), b'{"metrics": {"cpu": 0.5}}') for name in NAMES]
    found += [(b"free/formula", payload) for payload in FORMULAS]
    found += [(b"=cmd/%d" % n, b"x") for n in range(2)]
    found += [
        (b"free/empty", b""),
        (b"free/binary", BINARY),
        (b"free/nul", b"\0" * 10),
        (b"free/bom", b"\xef\xbb\xbf1"),
    ]
    found += [(b"free/newlines", b'a\r\nb\nc"d,e'), (b"free/surrogate", "\ud800".encode("utf-8", "surrogatepass"))]
    found += [(b"free/large", b'{"a": "' + b"y" * 200_000 + b'"}'), (b"free/10mb", os.urandom(10_000_000))]
    found += [(b"/".join(b"l%d" % n for n in range(100)), b'{"value": 1}'), (b"t" * 65_535, b"1")]
    found += [(b"agents/" + b"a" * 65_000 + b"/metrics", b'{"cpu": 1}'), (b"agents//metrics", b'{"cpu": 1}')]
    found += [(b"agents/x/inbox/" + NAMES[0].encode(), b'{"id": {"a": 1}, "type": 5, "body": "\\ud800"}')]
    return found


def only_from_a_broken_broker():
    """Topics that no broker may pass on."""
    return [
        (b"bad/\xff\xfe/metrics", b'{"cpu": 1}'), (b"agents/\xc3(/metrics", b'{"metrics": {"cpu": 1}}'),
        (b"agents/nul\0nul/status", b'{"state": "online"}'), (b"nul/\0", b"1"), (b"wild/#/+", b"1"), (b"", b"nameless"),
        ("half/\ud800".encode("utf-8", "surrogatepass"), b"1"), (b"agents/\xff/log", b'{"message": "x"}'),
        (b"/".join([b"d"] * 30_000), b'{"v": 1}'),
    ]  # fmt: skip


@pytest.fixture
def recording(tmp_path):
    one = Recording(tmp_path / "workspace")
    yield one
    one.close()


def exported(recording):
    rows = recording.export("messages")
    return Counter((unguarded(row["topic"]), payload_of(row)) for row in rows), rows


def as_text(messages):
    return Counter((topic.decode("utf-8", "backslashreplace"), payload) for topic, payload in messages)


def assert_whole(recording, sent):
    """The recorder lives, has met no fault of its own, and every byte comes back."""
    state = recording.state
    assert state.warnings == ()
    assert recording.stop() == 0
    assert '"error"' not in recording.log()
    found, rows = exported(recording)
    assert found == as_text(sent)
    assert all(int(row["size"]) == len(payload_of(row)) for row in rows)
    info = recording.info()
    assert info["stored"] == info["received"] == info["kinds"]["messages"]["rows"] == len(sent)
    assert info["bytes"] == sum(len(payload) for _, payload in sent)
    assert info["unreadable"] == state.counters.unreadable == info["kinds"]["unreadable"]["rows"]
    assert not list(verify(recording.workspace))
    for dataset in ("samples", "logs", "presence", "agents", "tasks", "interactions", "connections", "unreadable"):
        recording.export(dataset)
        done = recording.command("export", dataset, "--format", "jsonl")
        for line in done.stdout.splitlines():
            json.loads(line)
    return info


def test_hostile_bytes_from_a_broken_broker_come_back_whole(recording):
    sent = [*hostile(), *only_from_a_broken_broker()]
    with FakeBroker() as broker:
        recording.start("--broker", broker.url)
        broker.wait_for(SUBSCRIBE)
        for n, (topic, payload) in enumerate(sent, 1):
            broker.publish(topic, payload, qos=1, mid=n)
        recording.stored(len(sent), 60)
        broker.wait_for(PUBACK, len(sent))
        assert [one.mid for one in broker.of(PUBACK)] == list(range(1, len(sent) + 1))
        assert len(broker.of(CONNECT)) == 1  # none of it cost the connection
        info = assert_whole(recording, sent)
    reasons = recording.export("unreadable")
    assert sum(int(row["count"]) for row in reasons) == info["unreadable"]
    by_topic = Counter({row["topic"]: int(row["count"]) for row in reasons})
    assert by_topic["agents/victim/metrics"] >= sum(1 for pattern, _ in UNREADABLE if pattern == METRICS)
    assert by_topic["agents/victim/status"] >= 1
    assert by_topic["agents/victim/task"] >= 1
    assert "bug" not in {row["last_reason"] for row in reasons}


def test_hostile_samples_are_numbers_or_absent(recording):
    with FakeBroker() as broker:
        recording.start("--broker", broker.url)
        broker.wait_for(SUBSCRIBE)
        for n, (pattern, payload) in enumerate(READABLE, 1):
            broker.publish(on(pattern), payload, qos=1, mid=n)
        recording.stored(len(READABLE))
        assert recording.stop() == 0
    rows = recording.export("samples")
    values = [(row["metric"], float(row["value"])) for row in rows]
    assert ("ok", 1.0) in values
    assert ("ok", 2.0) in values
    assert values.count(("ok", 3.0)) == 2
    assert all(abs(value) < float("inf") for _, value in values)
    assert {value for metric, value in values if metric == "cpu"} <= {0.5, 0.75}


@pytest.mark.services
def test_hostile_bytes_through_a_real_broker_come_back_whole(broker, recording):
    sent = [(topic, payload) for topic, payload in hostile() if topic.count(b"/") < 200 and len(topic) < 65_000]
    recording.start("--broker", broker.url)
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(100)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    waiting = [client.publish(topic.decode(), payload, qos=1) for topic, payload in sent]
    properties = Properties(PacketTypes.PUBLISH)
    properties.ContentType = "=text/<b>" + RTL
    properties.ResponseTopic = "reply/" + RTL
    properties.CorrelationData = BINARY
    properties.UserProperty = [("=1", "<img>"), ("=1", "again"), ("", ""), (RTL, "'")]
    waiting.append(client.publish("free/properties", b"=x", qos=1, properties=properties))
    sent.append((b"free/properties", b"=x"))
    for one in waiting:
        one.wait_for_publish(30)
    client.disconnect()
    client.loop_stop()
    ours = until(
        lambda: (rows := [row for row in recording.export("messages") if not row["topic"].startswith("$SYS")])
        and rows[-1]["topic"] == "free/properties" and rows,
        "the last one is stored",
    )  # fmt: skip
    state = recording.state
    assert Counter((unguarded(row["topic"]), payload_of(row)) for row in ours) == as_text(sent)
    (row,) = [row for row in ours if row["topic"] == "free/properties"]
    assert unguarded(row["content_type"]) == "=text/<b>" + RTL
    assert json.loads(row["user_properties"]) == {"=1": ["<img>", "again"], "": "", RTL: "'"}
    assert state.warnings == ()
    assert recording.stop() == 0


@pytest.mark.services
def test_an_empty_retained_message_is_stored_and_deletes_nothing_of_ours(broker, recording):
    recording.start("--broker", broker.url)
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for payload in (b'{"state": "online"}', b""):
        client.publish("agents/cleared/status", payload, qos=1, retain=True).wait_for_publish(20)
    client.disconnect()
    client.loop_stop()
    recording.when(
        lambda _: len([row for row in recording.export("messages") if row["agent"] == "cleared"]) == 2,
        "both are stored",
    )
    assert recording.stop() == 0
    assert "cleared" in {row["agent"] for row in recording.export("agents")}


@pytest.mark.long
def test_what_is_no_mqtt_costs_the_connection_and_nothing_else(recording):
    with FakeBroker() as broker:
        broker.script.raw_after = bytes(400)
        recording.spawn("--broker", broker.url)
        broker.wait_for(CONNECT, 2)
        broker.script.raw_after = b""
        recording.connected()
        broker.publish(b"free/after", b"1", qos=1, mid=1)
        recording.stored(1)
        assert recording.stop() == 0
    assert exported(recording)[0] == as_text([(b"free/after", b"1")])
