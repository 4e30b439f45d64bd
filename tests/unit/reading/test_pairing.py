"""A message is found with its request and its replies, in the way in which the recorder pairs them."""

import json

import pytest

from models.domain.messages import Properties, RawMessage
from models.domain.names import Names
from models.domain.paired import LONELY, Paired, Part
from models.domain.records import Outcome
from models.domain.rules import Rules
from mqtt.reading import pairing
from mqtt.reading.pairing import marks_of, pair
from mqtt.reading.reader import Reader
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.history_builder import raw
from tests.helpers.reading import RECORDINGS, recorded

S = 1_000_000
MOST = 1_500
"""Messages of one recording."""


def paired(messages: list[RawMessage], wanted: int) -> Paired | None:
    return pair(messages, wanted, [], Rules(), "agents", FakeClock())


def at(second: float, topic: str, payload: object = b"", properties: Properties | None = None) -> RawMessage:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return raw(topic, body, T0 + round(second * S), properties)


def inbox(second: float, sender: str, receiver: str, **body: object) -> RawMessage:
    return at(second, f"agents/{receiver}/inbox/{sender}", body)


def asked(response_topic: str, correlation: bytes) -> Properties:
    return Properties(response_topic=response_topic, correlation=correlation)


def rpc(second: float, topic: str, **body: object) -> RawMessage:
    return at(second, topic, {"jsonrpc": "2.0", **body})


PAIRS = {
    "our contract": (
        inbox(0, "boss", "crawler", id="q-17", type="fetch", body={}),
        inbox(1, "crawler", "boss", reply_to="q-17", type="reply", body={}),
    ),
    "our contract by properties": (
        at(0, "agents/crawler/inbox/boss", {"type": "fetch"}, asked("boss/replies", b"\x00\x01c")),
        at(1, "boss/replies", {"pages": 3}, Properties(correlation=b"\x00\x01c")),
    ),
    "MQTT 5": (
        at(0, "calc/add", b"1 2", asked("client-7/answers", b"k1")),
        at(1, "client-7/answers", b"3", Properties(correlation=b"k1")),
    ),
    "a response topic alone": (
        at(0, "calc/add", b'{"a":1}', Properties(response_topic="client-7/answers")),
        at(1, "client-7/answers", b'{"sum":3}'),
    ),
    "JSON-RPC": (
        rpc(0, "svc/calc/request", id="r-0001", method="add", params={}),
        rpc(1, "svc/calc/response", id="r-0001", result=3),
    ),
    "topics alone": (at(0, "calc/request", {"a": 1}), at(1, "calc/response", {"sum": 3})),
    "a place for one": (at(0, "dev/7/rpc/request/42", {"method": "on"}), at(1, "dev/7/rpc/response/42", {"ok": True})),
}  # fmt: skip
NOISE = [at(0.5, "agents/x/metrics", {"metrics": {"cpu": 1}}), at(0.6, "z/other", b"17")]


@pytest.mark.parametrize("name", PAIRS)
def test_both_halves_find_each_other(name: str) -> None:
    request, reply = PAIRS[name]
    messages = [request, *NOISE, reply]
    found = paired(messages, 0)
    assert found == paired(messages, 3)
    assert found is not None
    assert [(step.message, step.part, step.late) for step in found.steps] == [
        (0, Part.REQUEST, False), (3, Part.ANSWER, False),
    ]  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_what_the_other_half_has_in_common_is_known_from_one_alone(name: str) -> None:
    for one, other in (PAIRS[name], PAIRS[name][::-1]):
        marks = marks_of(one, [], Rules(), "agents", FakeClock())
        properties = other.properties or Properties()
        by_text = any(text.encode() in other.payload for text in marks.texts)
        by_correlation = properties.correlation in marks.correlations
        told = properties.response_topic == one.topic.decode()  # which is always looked for
        assert by_text or by_correlation or other.topic in marks.topics or told


def test_several_answers_are_told_in_their_order() -> None:
    request = inbox(0, "boss", "crawler", id="q", type="fetch")
    first = inbox(2, "crawler", "boss", reply_to="q", type="error", body={"error": "busy"})
    again = inbox(3, "crawler", "boss", reply_to="q", body={})
    late = inbox(70, "crawler", "boss", reply_to="q", body={})
    found = paired([request, first, again, late], 2)
    assert found is not None
    assert (found.sender, found.receiver, found.kind, found.id) == ("boss", "crawler", "fetch", "q")
    assert [(step.outcome, step.late) for step in found.answers] == [
        (Outcome.ERROR, False), (Outcome.OK, False), (Outcome.OK, True),
    ]  # fmt: skip
    assert found.until_us == T0 + 60 * S


def test_a_request_without_a_reply_a_reply_without_a_request_and_neither() -> None:
    request, reply = PAIRS["our contract"]
    alone = paired([request, *NOISE], 0)
    assert alone is not None
    assert alone.sure
    assert alone.answers == []
    assert paired([*NOISE, reply], 2) == LONELY
    assert paired(NOISE, 0) is None
    event = inbox(0, "boss", "crawler", id="e", type="event")
    assert paired([event], 0) is None


def test_the_same_id_of_somebody_else_is_another_request() -> None:
    mine = inbox(0, "boss", "crawler", id="1", type="fetch")
    theirs = inbox(0.1, "auditor", "crawler", id="1", type="fetch")
    reply = inbox(1, "crawler", "auditor", reply_to="1")
    assert [step.message for step in paired([mine, theirs, reply], 2).steps] == [1, 2]
    assert [step.message for step in paired([mine, theirs, reply], 0).steps] == [0]
    reused = inbox(5, "boss", "crawler", id="1", type="fetch")
    answer = inbox(6, "crawler", "boss", reply_to="1")
    assert [step.message for step in paired([mine, reused, answer], 2).steps] == [1, 2]


def test_all_that_a_recorder_pairs_in_recorded_traffic_is_paired_again() -> None:
    """Parts of streams and signs of work among them."""
    pairs = signs = 0
    for path in sorted(RECORDINGS.glob("*.jsonl")):
        messages = sorted(recorded(path.stem), key=lambda one: one.received_us)[:MOST]
        reader, watched, _ = pairing._reader([], Rules(), "agents", FakeClock())
        plain = Reader(Names(), "agents", FakeClock())
        expected: set[tuple[int, int]] = set()  # places of request and reply
        places: dict[int, list[int]] = {}
        for place, message in enumerate(messages):
            places.setdefault(message.received_us, []).append(place)
        for place, message in enumerate(messages):
            watched.begin(place, message.received_us)
            reader.read([message])
            for one in plain.read([message]).interactions:
                if one.reply_us is not None and one.outcome is not Outcome.TIMEOUT:
                    expected |= {(asked, place) for asked in places[message.received_us - one.reply_us]}
        found = set()
        for thread in watched.threads:
            answers = [step.message for step in thread.steps if step.part is Part.ANSWER]
            found |= {(thread.steps[0].message, answer) for answer in answers}
            signs += sum(step.part is Part.SIGN for step in thread.steps)
        assert {reply for _, reply in expected} <= {reply for _, reply in found}, path.stem
        assert len(expected & found) >= len({reply for _, reply in expected}), path.stem
        pairs += len(expected & found)
    assert min(pairs, signs) > 50
