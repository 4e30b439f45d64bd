"""Lines of recorded traffic: what mosquitto_sub really prints, our own, and whatever else a file may hold."""

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.messages import Origin, Properties, RawMessage
from mqtt.recorded_lines import MosquittoLines, NoRecordError, OurLines, lines_like

START = b'{"tst":"2026-11-27T19:50:29.013520Z+0000","topic":"a/x","qos":1,"retain":0,'
AT_US = 1_795_809_029_013_520


def mosquitto(rest: bytes) -> RawMessage:
    return MosquittoLines().read(START + rest + b"}")


def ours(**fields: object) -> RawMessage:
    return OurLines().read(json.dumps({"ts": 1.5, "topic": "a", "payload_b64": "", **fields}).encode())


def why(line: bytes) -> str:
    with pytest.raises(NoRecordError) as raised:
        lines_like(line)
    return str(raised.value)


def test_our_line_with_everything() -> None:
    props = {
        "ContentType": "text/plain", "ResponseTopic": "re/x", "CorrelationData": "AAE=", "MessageExpiryInterval": 59,
        "UserProperty": [["k", "1"], ["k", "2"]],
    }  # fmt: skip
    line = {"ts": 1795419875.549981, "topic": "ż/$x", "qos": 2, "retain": True, "payload_b64": "/wA=", "props": props}
    assert OurLines().read(json.dumps(line).encode()) == RawMessage(
        "ż/$x".encode(), b"\xff\0", 2, True, False, 0,
        Properties("text/plain", "re/x", b"\0\1", 59, (("k", "1"), ("k", "2"))), 1_795_419_875_549_981, Origin.IMPORTED, 0,
    )  # fmt: skip


def test_our_line_with_nothing_but_what_it_needs() -> None:
    found = ours(dir="out", ts=3)
    assert (found.received_us, found.qos, found.retain, found.properties) == (3_000_000, 0, False, None)


def test_only_the_origin_says_that_it_was_replayed() -> None:
    assert ours(retain=1).origin is Origin.IMPORTED
    assert ours(origin="replay").origin is Origin.REPLAY


@pytest.mark.parametrize(
    "fields",
    [
        {"ts": -1}, {"ts": 1e15}, {"ts": "now"}, {"ts": True}, {"topic": ""}, {"topic": "a/#"}, {"topic": "+"},
        {"topic": "a\0"}, {"topic": "x" * 65_536}, {"topic": 5}, {"payload_b64": "a"}, {"payload_b64": 5}, {"qos": 3},
        {"qos": "1"}, {"retain": "x"}, {"origin": "elsewhere"}, {"props": []}, {"props": {"UserProperty": [["a"]]}},
        {"props": {"CorrelationData": "%"}},
    ],
)  # fmt: skip
def test_what_is_no_record_of_ours(fields: dict[str, object]) -> None:
    with pytest.raises(NoRecordError):
        ours(**fields)


@pytest.mark.parametrize(
    ("rest", "payload"),
    [
        (rb'"payloadlen":21,"payload":"{\"x\": 1.50, \"y\":\"\u00e9\"}"', '{"x": 1.50, "y":"é"}'.encode()),
        (rb'"payloadlen":31,"payload":"plain \"quoted\" text\ttab\nnewline"', b'plain "quoted" text\ttab\nnewline'),
        (b'"payloadlen":0,"payload":null', b""),
        (b'"payloadlen":0,"payload":""', b""),
        (b'"payloadlen":8,"payload":"1795:12"', b"1795:12\0"),  # the NUL at the end, which it does not print
        (b'"payloadlen":40,"payload":"1795:12"', b"1795:12"),
        (b'"payload":"no length"', b"no length"),
        (b'"payloadlen":6,"payload":"ab\xff\xfe\\u0001z"', b"ab\xff\xfe\x01z"),  # binary as it is
        (rb'"payloadlen":6,"payload":"\"text\""', b'"text"'),
        (b'"payloadlen":6,"payload":"text"', b'"text"'),  # %J: the payload was this JSON
        (b'"payloadlen":50,"payload":{"x":1.5,"n":null}', b'{"x":1.5,"n":null}'),  # %J
        (b'"payloadlen":2,"payload":42', b"42"),
        (b'"payloadlen":4,"payload":null', b"null"),
        (b'"payloadlen":4,"payload":true', b"true"),
    ],
)
def test_payloads_as_mosquitto_sub_prints_them(rest: bytes, payload: bytes) -> None:
    found = mosquitto(rest)
    assert (found.payload, found.topic, found.qos, found.received_us) == (payload, b"a/x", 1, AT_US)


def test_properties_as_mosquitto_sub_prints_them() -> None:
    told = (
        b'"payloadlen":1,"mid":5,"properties":{"content-type":"application/json","user-properties":{"k1":"v1","k1":"v2"},'
        b'"response-topic":"re/x","correlation-data":"abc","payload-format-indicator":1,"message-expiry-interval":100},'
        b'"payload":"p"'
    )
    assert mosquitto(told).properties == Properties(
        "application/json", "re/x", b"abc", 100, (("k1", "v1"), ("k1", "v2"))
    )
    binary = told.replace(b'"payload":"p"', b'"payload":"\xff"')
    assert mosquitto(binary)[:1] + mosquitto(binary)[6:] == mosquitto(told)[:1] + mosquitto(told)[6:]


def test_retained_means_replayed_there() -> None:
    line = START.replace(b'"retain":0', b'"retain":1') + b'"payload":"x"}'
    assert MosquittoLines().read(line).origin is Origin.REPLAY
    assert mosquitto(b'"payload":"x"').origin is Origin.IMPORTED


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ('"2026-11-27T20:54:12.814343+0100"', 1_795_809_252_814_343),
        ('"2026-11-27T20:54:12.814343Z+0100"', 1_795_809_252_814_343),
        ('"2026-11-27T19:54:12Z"', 1_795_809_252_000_000),
        ('"2026-11-27T19:54:12.5Z"', 1_795_809_252_500_000),
        ("1795809252", 1_795_809_252_000_000),
        ("1795809252.25", 1_795_809_252_250_000),
    ],
)
def test_times_of_several_versions(text: str, us: int) -> None:
    line = b'{"tst":%s,"topic":"a","payload":"x"}' % text.encode()
    assert MosquittoLines().read(line).received_us == us


@pytest.mark.parametrize(
    "line",
    [
        b'{"tst":"yesterday","topic":"a","payload":"x"}', b'{"tst":"2026-13-27T19:54:12Z","topic":"a","payload":"x"}',
        b'{"tst":"1926-11-27T19:54:12Z","topic":"a","payload":"x"}', b'{"tst":null,"topic":"a","payload":"x"}',
        b'{"tst":1,"payload":"x"}', b'{"tst":1,"topic":"\xff+","payload":5}', b'{"tst":1,"topic":5,"payload":"\xff"}',
        b'{"tst":1,"topic":"a","payload":"x","properties":{"user-properties":[1]}}',
        b'{"tst":1,"topic":"a","payload":"x","properties":{"user-properties":{"a":1}}}',
        b'{"tst":1,"topic":"a","payload":"\\ud800"}', b'{"tst":1,"topic":"a","qos":9,"payload":"\xff"}',
        b'{"tst":1,"topic":"a","payload":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)  # fmt: skip
def test_what_is_no_record_of_mosquittos(line: bytes) -> None:
    with pytest.raises(NoRecordError):
        MosquittoLines().read(line)


def test_a_file_is_told_by_its_first_line() -> None:
    assert isinstance(lines_like(b'{"ts":1,"topic":"a","payload_b64":""}'), OurLines)
    assert isinstance(lines_like(START + b'"payload":"x"}'), MosquittoLines)
    assert isinstance(lines_like(START + b'"payload":"\xff"}'), MosquittoLines)
    assert why(b'{"level":"info"}') == "it has neither “payload_b64” nor “tst”"
    assert "malformed" in why(b"# A heading")
    assert "topic" in why(b'{"ts":1,"payload_b64":""}')
    assert why(b'{"level":"\xff"}') == "it has neither “payload_b64” nor “tst”"
    for line in (b"5", b"[]", b'"text"', b"null", b"", b'{"tst"'):
        assert why(line)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)  # fmt: skip
KEYS = st.sampled_from(
    ["ts", "tst", "topic", "payload_b64", "payload", "payloadlen", "qos", "retain", "props", "properties", "origin"]
)
HOSTILE = st.one_of(
    st.binary(max_size=200),
    st.dictionaries(KEYS, JSON).map(lambda one: json.dumps(one).encode()),
    st.builds(
        lambda line, at, byte: line[: at % len(line)] + bytes([byte]) + line[at % len(line) + 1 :],
        st.sampled_from([START + b'"payloadlen":3,"payload":"abc"}', b'{"ts":1.5,"topic":"a/b","qos":1,"payload_b64":"YWJj"}']),
        st.integers(0, 200), st.integers(0, 255),
    ),
)  # fmt: skip


@given(HOSTILE)
def test_nothing_but_no_record_escapes(line: bytes) -> None:
    for read in (OurLines().read, MosquittoLines().read, lines_like):
        with contextlib.suppress(NoRecordError):
            found = read(line)
            assert not isinstance(found, RawMessage) or (found.topic and 0 <= found.received_us < 1 << 60)


TOPICS = st.text(st.characters(exclude_characters="+#\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(TOPICS, st.binary(max_size=50), st.integers(0, 4_000_000_000_000_000), st.integers(0, 2), st.booleans())
def test_a_line_of_ours_is_exact(topic: str, payload: bytes, at_us: int, qos: int, retain: bool) -> None:
    line = {
        "ts": at_us / 1e6, "topic": topic, "qos": qos, "retain": retain,
        "payload_b64": base64.b64encode(payload).decode(),
    }  # fmt: skip
    found = OurLines().read(json.dumps(line).encode())
    assert found[:4] == (topic.encode(), payload, qos, retain)
    assert found.received_us == at_us
