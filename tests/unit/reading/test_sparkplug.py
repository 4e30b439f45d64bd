import random
import struct
import zlib
from collections import Counter

import pytest

from models.domain.messages import Origin
from models.domain.presence_words import Cause, Presence
from models.domain.records import GapCause, Outcome
from models.domain.sparkplug_nodes import SparkplugNode
from mqtt.sparkplug_rebirth import rebirth
from tests.helpers.reading import Point, Reading, recorded


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def content(field: int, value: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(value)) + value


def metric(
    name: str = "", *, alias: int | None = None, kind: int = 10, value: float | None = None, at: int = 0
) -> bytes:
    parts = content(1, name.encode()) if name else b""
    parts += number(2, alias) if alias is not None else b""
    parts += number(3, at) if at else b""
    parts += number(4, kind)
    if value is None:
        parts += number(7, 1)
    elif kind == 10:
        parts += varint(13 << 3 | 1) + struct.pack("<d", value)
    else:
        parts += number(11, int(value))
    return content(2, parts)


def payload(*metrics: bytes, seq: int | None = None, at: int = 1_795_420_056_000) -> bytes:
    return number(1, at) + b"".join(metrics) + (number(3, seq) if seq is not None else b"")


BIRTH = payload(metric("bdSeq", kind=8, value=3), metric("load", alias=7, value=0.5), seq=0)
DEATH = payload(metric("bdSeq", kind=8, value=3))


@pytest.mark.parametrize("size", [1, 5, 100])
def test_a_whole_recording(size: int) -> None:
    reading, said, unread, gaps = Reading(), [], [], []
    messages = recorded("sparkplug-client-clean")
    for i in range(0, len(messages), size):
        batch = reading.read(*messages[i : i + size])
        said += [(reading.names.agents[one.agent], one.presence, one.cause) for one in batch.evidence]
        unread += batch.unreadable
        gaps += batch.gaps
    node, device = "plant-a/edge-1", "plant-a/edge-1/agent-x"
    assert reading.agents() == {node, device}
    assert Counter((one.agent, one.metric, one.unit) for one in reading.points) == {
        (node, "host/cpu", "1"): 11, (node, "host/mem_used", "By"): 11, (node, "host/uptime", ""): 1,
        (device, "latency_ms", "s"): 11, (device, "tasks_done", ""): 11, (device, "temp_delta", ""): 11,
    }  # fmt: skip
    values = {
        name: [one.value for one in reading.points if one.metric == name] for name in ("latency_ms", "temp_delta")
    }
    assert values["latency_ms"] == [0.0125, *(n / 1000 for n in range(11, 21))]
    assert values["temp_delta"] == [-7, *range(-1, -11, -1)]
    assert [one.value for one in reading.points if one.metric == "tasks_done"] == list(range(0, 31, 3))
    assert said == [
        (node, Presence.ONLINE, Cause.STATUS), (device, Presence.ONLINE, Cause.STATUS),
        (device, Presence.OFFLINE, Cause.STATUS), (node, Presence.OFFLINE, Cause.WILL),
    ]  # fmt: skip
    assert not unread
    assert not gaps


def test_the_will_of_a_node_takes_its_devices_with_it() -> None:
    reading = Reading()
    reading.send("spBv1.0/g/NBIRTH/n", BIRTH)
    reading.send("spBv1.0/g/DBIRTH/n/d", payload(metric("x", value=1), seq=1))
    batch = reading.send("spBv1.0/g/NDEATH/n", DEATH)
    assert [(reading.names.agents[one.agent], one.presence) for one in batch.evidence] == [
        ("g/n", Presence.OFFLINE), ("g/n/d", Presence.OFFLINE),
    ]  # fmt: skip


def test_the_will_of_an_earlier_connection_says_nothing() -> None:
    reading = Reading()
    reading.send("spBv1.0/g/NBIRTH/n", BIRTH)
    batch = reading.send("spBv1.0/g/NDEATH/n", payload(metric("bdSeq", kind=8, value=2)))
    assert not batch.evidence


@pytest.mark.parametrize(("number_of_death", "gone"), [(2, False), (9, False), (0, True), (3, True), (4, True)])
def test_a_will_that_tells_of_no_earlier_connection_is_believed(number_of_death: int, gone: bool) -> None:
    """Some count otherwise in their wills than in their births."""
    reading = Reading()
    reading.send("spBv1.0/g/NBIRTH/n", payload(metric("bdSeq", kind=8, value=9), seq=0))
    reading.send("spBv1.0/g/NBIRTH/n", BIRTH)
    batch = reading.send("spBv1.0/g/NDEATH/n", payload(metric("bdSeq", kind=8, value=number_of_death)))
    assert bool(batch.evidence) == gone


def test_a_name_that_only_births_lengthen_is_one_series() -> None:
    reading = Reading()
    born = payload(
        metric("DATA/load", value=1),
        metric("ATTR/serial", kind=4, value=4711),
        metric("CMD/speed", kind=4, value=1),
        seq=1,
    )
    reading.send("spBv1.0/g/NBIRTH/n", BIRTH)
    reading.send("spBv1.0/g/DBIRTH/n/d", born)
    reading.send("spBv1.0/g/DDATA/n/d", payload(metric("load", value=2), seq=2))
    assert [(one.metric, one.value) for one in reading.points if one.agent == "g/n/d"] == [("load", 1), ("load", 2)]


def test_a_host_of_old_says_it_in_one_word_on_a_topic_of_its_own() -> None:
    reading = Reading()
    said = [reading.send("STATE/scada", word) for word in ("ONLINE", "OFFLINE")]
    assert [(one.presence, one.cause) for batch in said for one in batch.evidence] == [
        (Presence.ONLINE, Cause.STATUS), (Presence.OFFLINE, Cause.WILL),
    ]  # fmt: skip
    assert [one.convention for one in said[0].declarations] == ["sparkplug"]


def test_each_birth_with_a_new_number_is_a_connection() -> None:
    reading = Reading()
    first = reading.send("spBv1.0/g/NBIRTH/n", BIRTH)
    asked = reading.send("spBv1.0/g/NBIRTH/n", BIRTH)
    again = reading.send("spBv1.0/g/NBIRTH/n", payload(metric("bdSeq", kind=8, value=4), seq=0))
    assert [one.outcome for batch in (first, asked, again) for one in batch.attempts] == [Outcome.OK] * 2
    assert not asked.attempts


def test_a_birth_that_was_asked_for_is_no_connection_and_its_values_are_read() -> None:
    reading = Reading()
    early = reading.send("spBv1.0/g/DDATA/n/d", payload(metric(alias=8, value=1), seq=3))
    assert [(reading.names.agents[one.agent], one.convention, one.group) for one in early.declarations] == [
        ("g/n/d", "sparkplug", "g")
    ]
    assert not reading.send("spBv1.0/g/NCMD/n", rebirth(SparkplugNode("g", "n"), 0).payload).unreadable
    born = reading.send("spBv1.0/g/NBIRTH/n", BIRTH)
    assert [(one.presence, one.cause) for one in born.evidence] == [(Presence.ONLINE, Cause.STATUS)]
    assert not born.attempts
    again = reading.send("spBv1.0/g/NBIRTH/n", payload(metric("bdSeq", kind=8, value=4), seq=0))
    assert [one.outcome for one in again.attempts] == [Outcome.OK]
    assert [one.value for one in reading.points] == [0.5]
    assert reading.agents() == {"g/n", "g/n/d"}


def test_values_by_alias_need_the_birth_and_a_jump_in_the_numbering_is_a_gap() -> None:
    reading = Reading()
    early = reading.send("spBv1.0/g/NDATA/n", payload(metric(alias=7, value=1), seq=9))
    assert [one.reason for one in early.unreadable] == ["no-birth"]
    reading.send("spBv1.0/g/NBIRTH/n", BIRTH)
    late = reading.send("spBv1.0/g/NDATA/n", payload(metric(alias=7, value=2), seq=4))
    assert [(one.cause, one.missing) for one in late.gaps] == [(GapCause.SEQUENCE, 3)]
    assert [one.value for one in reading.points] == [0.5, 2]


def test_the_numbering_goes_round() -> None:
    reading = Reading()
    reading.send("spBv1.0/g/NBIRTH/n", BIRTH)
    for n in range(1, 600):
        assert not reading.send("spBv1.0/g/NDATA/n", payload(metric(alias=7, value=n), seq=n % 256)).gaps


def test_a_remembered_birth_names_what_comes_and_is_no_news_of_the_present() -> None:
    reading = Reading()
    batch = reading.send("spBv1.0/g/NBIRTH/n", BIRTH, Origin.REPLAY)
    assert batch.remembered == [0]
    assert not batch.evidence
    assert not batch.attempts
    assert not reading.points
    reading.send("spBv1.0/g/NDATA/n", payload(metric(alias=7, value=2)))
    assert [(one.agent, one.metric, one.value) for one in reading.points] == [("g/n", "load", 2)]


def test_what_was_kept_back_has_its_own_times() -> None:
    reading = Reading()
    at = 1_795_420_000_000
    reading.send("spBv1.0/g/NDATA/n", payload(metric("x", value=1, at=at), metric("x", value=2, at=at + 5)))
    assert reading.points == [Point("g/n", "x", "", (at + n) * 1_000, value) for n, value in ((0, 1), (5, 2))]


def test_null_text_and_commands_make_nothing() -> None:
    reading = Reading()
    reading.send(
        "spBv1.0/g/NDATA/n", payload(metric("x"), content(2, content(1, b"y") + number(4, 12) + content(15, b"t")))
    )
    reading.send("spBv1.0/g/NCMD/n", payload(metric("Node Control/Rebirth", kind=11, value=1)))
    assert not reading.points


def test_through_a_broker_that_takes_dots_for_slashes() -> None:
    reading = Reading()
    reading.send("spBv1/0/g/NDATA/n", payload(metric("x", value=1)))
    assert reading.agents() == {"g/n"}


@pytest.mark.parametrize(
    ("said", "presence"),
    [('{"online":true,"timestamp":1}', Presence.ONLINE), ('{"online":false}', Presence.OFFLINE), ("OFFLINE", Presence.OFFLINE)],
)  # fmt: skip
def test_a_host_says_whether_it_is_there(said: str, presence: Presence) -> None:
    reading = Reading()
    batch = reading.send("spBv1.0/STATE/scada", said)
    assert reading.agents() == {"scada"}
    assert [one.presence for one in batch.evidence] == [presence]


def test_what_unpacks_to_too_much_is_refused() -> None:
    reading = Reading()
    bomb = content(4, b"SPBV1.0_COMPRESSED") + content(5, zlib.compress(bytes(64 * 1024 * 1024)))
    assert [one.reason for one in reading.send("spBv1.0/g/NDATA/n", bomb).unreadable] == ["shape"]


def test_few_bytes_that_unpack_to_more_metrics_than_anybody_has_are_refused() -> None:
    reading = Reading()
    bomb = content(4, b"SPBV1.0_COMPRESSED") + content(5, zlib.compress(content(2, b"") * 60_000))
    assert len(bomb) < 1_000
    assert [one.reason for one in reading.send("spBv1.0/g/NBIRTH/n", bomb).unreadable] == ["shape"]


def test_too_many_metrics_are_capped_and_said() -> None:
    reading = Reading()
    many = payload(*(metric(f"m{n}", value=n) for n in range(3_000)), seq=0)
    batch = reading.send("spBv1.0/g/NBIRTH/n", many)
    assert [one.reason for one in batch.unreadable] == ["too-many-series"]
    assert len(reading.names.series) <= 2_001


@pytest.mark.parametrize("cases", [2_000, pytest.param(200_000, marks=pytest.mark.long)])
def test_broken_payloads_never_escape(cases: int) -> None:
    chance = random.Random(7)
    reading = Reading()
    whole = [one.payload for one in recorded("sparkplug-client-clean")] + [BIRTH, DEATH]
    kinds = ("NBIRTH/n", "NDATA/n", "DBIRTH/n/d", "DDATA/n/d", "DDEATH/n/d", "NDEATH/n")
    for _ in range(cases):
        broken = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(broken))
            broken[at : at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 2))
            if not broken:
                broken = bytearray(b"\x00")
        batch = reading.send(f"spBv1.0/g/{chance.choice(kinds)}", bytes(broken[: chance.randint(1, len(broken))]))
        assert not any(one.reason == "bug" for one in batch.unreadable)
