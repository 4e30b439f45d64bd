"""PUBLISH packets out of bytes: whole ones, cut ones, broken ones."""

import pytest

from models.domain.messages import Origin, Properties, RawMessage
from mqtt.demux_packets import LARGEST_PACKET_BYTES, Malformed, Splitter, packet_span
from tests.helpers.fake_broker import PINGRESP, PUBLISH, packet, variable_length

OWN = b"murmurscope/probe/me"


def publish(
    topic: bytes = b"a/b", payload: bytes = b"x", flags: int = 0, mid: int = 7, properties: bytes | None = None
) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if flags & 6 else b"")
    if properties is not None:
        body += variable_length(len(properties)) + properties
    return packet(PUBLISH, flags, body + payload)


def splitter(*, version_5: bool = False) -> Splitter:
    return Splitter(3, OWN, lambda *_: Origin.LIVE, version_5=version_5)


def split(data: bytes, *, version_5: bool = False) -> list[RawMessage]:
    """All of it, which must be whole packets."""
    one = splitter(version_5=version_5)
    assert one.split(data, 0, 5) == len(data)
    assert one.content_bytes == sum(len(found.topic) + len(found.payload) for found in one.messages)
    assert one.reliable == sum(1 for found in one.messages if found.qos)
    return one.messages


def property_of(properties: bytes) -> Properties | None:
    return split(publish(properties=properties), version_5=True)[0].properties


def test_every_part_of_a_message_is_where_it_belongs() -> None:
    data = publish(b"t", b"\x00\xff") + publish(b"u", b"", 0b1011, 0xFFFE) + publish(b"\xff", b"3", 0b0001)
    assert split(data) == [
        RawMessage(b"t", b"\x00\xff", 0, False, False, 0, None, 5, Origin.LIVE, 3),
        RawMessage(b"u", b"", 1, True, True, 0xFFFE, None, 5, Origin.REPLAY, 3),
        RawMessage(b"\xff", b"3", 0, True, False, 0, None, 5, Origin.REPLAY, 3),
    ]
    first, second, _ = split(data)
    assert (type(first.retain), type(second.dup)) == (bool, bool)


@pytest.mark.parametrize("size", [0, 122, 123, 124, 127, 128, 16_378, 16_379, 16_380, 16_384, 2_097_150, 2_097_160])
@pytest.mark.parametrize("version_5", [False, True])
def test_every_length_of_a_length(size: int, version_5: bool) -> None:
    none = b"" if version_5 else None
    data = publish(payload=b"p" * size, properties=none) + publish(payload=b"after", flags=2, properties=none)
    assert [one.payload for one in split(data, version_5=version_5)] == [b"p" * size, b"after"]


@pytest.mark.parametrize("flags", [0, 2])
@pytest.mark.parametrize("size", [1, 130, 17_000])
def test_it_stops_before_a_packet_that_is_not_whole(flags: int, size: int) -> None:
    first, second = publish(b"t", b"1"), publish(b"t", b"x" * size, flags)
    for cut in {*range(min(len(second), 150)), len(second) - 1}:
        one = splitter()
        assert one.split(first + second[:cut], 0, 5) == len(first)
        assert len(one.messages) == 1


@pytest.mark.parametrize("other", [packet(PINGRESP, 0, b""), publish(flags=4), publish(flags=6), b"\x00\x00"])
def test_it_stops_before_what_is_not_for_it(other: bytes) -> None:
    one = splitter()
    data = publish() + other + publish()
    at = one.split(data, 0, 5)
    assert data[at : at + len(other)] == other
    assert packet_span(data, at) is not None
    assert one.split(data, at + len(other), 5) == len(data)
    assert len(one.messages) == 2


def test_own_messages_become_none_and_change_the_origin_of_what_follows() -> None:
    told = []

    def on_own(*what: object) -> Origin:
        told.append(what)
        return Origin.LIVE

    one = Splitter(1, OWN, on_own, version_5=False)
    one.origin = Origin.BACKLOG
    data = publish(payload=b"1") + publish(OWN, b"ours", 2, 9) + publish(payload=b"2") + publish(payload=b"3", flags=1)
    one.split(data + publish(OWN, b"again"), 0, 5)
    assert told == [(b"ours", 9, 1), (b"again", 0, 0)]
    assert [one.origin for one in one.messages] == [Origin.BACKLOG, Origin.LIVE, Origin.REPLAY]
    assert (one.reliable, one.content_bytes) == (0, 3 * 4)


def test_packet_ids_do_not_stick_to_later_messages() -> None:
    data = publish(flags=2, mid=4) + publish(OWN, flags=2, mid=5) + publish(flags=0) + publish(flags=2, mid=6)
    assert [one.packet_id for one in split(data)] == [4, 0, 6]


EVERYTHING = (
    b"\x01\x01" b"\x02\x00\x00\x00\x3c" b"\x03\x00\x06text/x" b"\x08\x00\x03a/b" b"\x09\x00\x02\x01\xfe"
    b"\x0b\x05" b"\x0b\xff\xff\xff\x7f" b"\x26\x00\x01a\x00\x011" b"\x26\x00\x01a\x00\x00"
)  # fmt: skip


def test_properties_are_kept_and_subscription_identifiers_skipped() -> None:
    kept = Properties("text/x", "a/b", b"\x01\xfe", 60, (("a", "1"), ("a", "")))
    assert property_of(EVERYTHING) == kept
    assert property_of(b"\x03\x00\x03\xef\xbb\xbf") == Properties("\ufeff")
    assert property_of(b"\x26" + b"\x00\x64" + b"k" * 100 + b"\x00\xc8" + b"v" * 200) == Properties(
        user=(("k" * 100, "v" * 200),)
    )


@pytest.mark.parametrize("properties", [b"", b"\x01\x00", b"\x0b\x01", b"\x0b\x01\x01\x01"])
def test_where_nothing_is_kept_there_are_none(properties: bytes) -> None:
    assert property_of(properties) is None


def test_properties_do_not_stick_to_later_messages() -> None:
    data = publish(properties=b"\x03\x00\x01t") + publish(properties=b"")
    assert [one.properties for one in split(data, version_5=True)] == [Properties("t"), None]


@pytest.mark.parametrize(
    "properties",
    [
        b"\x23\x00\x01",  # a topic alias
        b"\x11\x00\x00\x00\x00",  # of CONNECT
        b"\x7f",
        b"\x81\x00\x01",  # an identifier written longer than it is
        b"\x01\x02",
        b"\x01",
        b"\x02\x00\x00\x00",
        b"\x03\x00\x02a",
        b"\x03\x00",
        b"\x03\x00\x01\xff",
        b"\x03\x00\x03\xed\xa0\x80",  # half a surrogate pair
        b"\x03\x00\x02a\x00",
        b"\x09\x00\x09" + b"12345678",
        b"\x0b\x00",
        b"\x0b\xff\xff\xff\xff\x01",
        b"\x0b\x80",
        b"\x26\x00\x01a",
        b"\x03\x00\x01a\x03\x00\x01b",
        b"\x01\x00\x01\x01",
    ],
)  # fmt: skip
@pytest.mark.parametrize("behind", [b"", b"x" * 300])
def test_broken_properties_are_refused(properties: bytes, behind: bytes) -> None:
    """Also where the bytes that a value lacks stand in the payload."""
    with pytest.raises(Malformed):
        split(publish(payload=behind, properties=properties), version_5=True)


@pytest.mark.parametrize(
    ("data", "version_5"),
    [
        (b"\x30\x00", False),
        (b"\x30\x01\x00", False),
        (b"\x30\x02\x00\x00", False),  # an empty topic
        (b"\x30\x03\x00\x02a", False),
        (b"\x30\x03\x00\x02a" + b"more", False),
        (b"\x32\x04\x00\x01a\x00", False),
        (b"\x32\x03\x00\x01a", False),
        (b"\x32\x04\xff\xffa\x00", False),
        (b"\x30\x03\x00\x01a", True),  # ends before the length of its properties
        (b"\x30\x04\x00\x01a\x01", True),
        (b"\x30\x05\x00\x01a\xff\xff" + b"\xff\xff\x01", True),
        (b"\x30\xff\xff\xff\xff\x01", False),
        (b"\x30\x80\x80\x80\x80", False),
    ],
)
def test_broken_packets_are_refused_and_what_came_before_is_kept(data: bytes, version_5: bool) -> None:
    one = splitter(version_5=version_5)
    with pytest.raises(Malformed):
        one.split(publish(properties=b"" if version_5 else None) + data, 0, 5)
    assert (len(one.messages), one.content_bytes) == (1, 4)


def test_a_message_without_a_topic_is_kept_as_paho_keeps_it() -> None:
    one = splitter(version_5=True)
    one.split(publish(b"", properties=b""), 0, 5)
    assert [message.topic for message in one.messages] == [b""]


def test_a_length_is_judged_as_soon_as_it_is_there() -> None:
    largest = b"\x30" + variable_length(LARGEST_PACKET_BYTES)
    assert packet_span(largest, 0) == (5, 5 + LARGEST_PACKET_BYTES)
    assert packet_span(largest[:4], 0) is None
    with pytest.raises(Malformed, match="1001 bytes"):
        packet_span(b"\x30" + variable_length(1001), 0, 1000)
