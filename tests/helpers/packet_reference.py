"""MQTT packets read slowly and plainly, field by field as the standard has them: what quick code is compared with."""

from dataclasses import dataclass, field

from models.domain.messages import Origin, Properties, RawMessage


class Broken(Exception):  # noqa: N818 - a finding
    """What comes here is no MQTT."""


class Unfinished(Exception):  # noqa: N818 - as above
    """The bytes end before the packet does."""


@dataclass
class Cursor:
    """Bytes that are read from the left, and never beyond their end."""

    data: bytes
    at: int = 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise Unfinished
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def variable(self) -> int:
        number = 0
        for place in range(4):
            byte = self.number(1)
            number += (byte & 0x7F) * 128**place
            if byte < 128:
                return number
        raise Broken("a number of five bytes")

    def text(self) -> str:
        raw = self.take(self.number(2))
        if b"\x00" in raw:
            raise Broken("zero")
        return raw.decode("utf-8")

    @property
    def left(self) -> int:
        return len(self.data) - self.at


@dataclass
class Story:
    """What a stream tells: its messages, its other packets (first byte, body), and whether it broke."""

    messages: list[RawMessage] = field(default_factory=list)
    others: list[tuple[int, bytes]] = field(default_factory=list)
    broken: bool = False


def read_stream(data: bytes, *, version_5: bool, received_us: int, epoch: int) -> Story:
    """Everything up to where it breaks or ends."""
    story, cursor = Story(), Cursor(data)
    try:
        while cursor.left:
            first = cursor.number(1)
            body = Cursor(cursor.take(cursor.variable()))
            if first >> 4 == 3 and first >> 1 & 3 < 2:
                story.messages.append(_message(first, body, version_5, received_us, epoch))
            else:
                story.others.append((first, body.data))
    except Unfinished:
        pass
    except Broken:
        story.broken = True
    return story


def _message(first: int, body: Cursor, version_5: bool, received_us: int, epoch: int) -> RawMessage:
    qos, retain, dup = first >> 1 & 3, bool(first & 1), bool(first & 8)
    try:
        topic = body.take(body.number(2))
        packet_id = body.number(2) if qos else 0
        properties = _properties(Cursor(body.take(body.variable()))) if version_5 else None
    except (Unfinished, UnicodeDecodeError):
        raise Broken from None
    if not topic and not version_5:
        raise Broken("no topic")
    payload = body.take(body.left)
    origin = Origin.REPLAY if retain else Origin.LIVE
    return RawMessage(topic, payload, qos, retain, dup, packet_id, properties, received_us, origin, epoch)


def _properties(cursor: Cursor) -> Properties | None:
    once: dict[int, object] = {}
    users: list[tuple[str, str]] = []
    while cursor.left:
        identifier = cursor.number(1)
        value: object
        if identifier == 0x01:
            value = cursor.number(1)
            if value not in {0, 1}:
                raise Broken("a flag")
        elif identifier == 0x02:
            value = cursor.number(4)
        elif identifier in {0x03, 0x08}:
            value = cursor.text()
        elif identifier == 0x09:
            value = cursor.take(cursor.number(2))
        elif identifier == 0x0B:
            if not cursor.variable():
                raise Broken("subscription 0")
            continue
        elif identifier == 0x26:
            users.append((cursor.text(), cursor.text()))
            continue
        else:
            raise Broken("a property that has no place in PUBLISH, or a topic alias")
        if identifier in once:
            raise Broken("twice")
        once[identifier] = value
    kept = Properties(once.get(0x03), once.get(0x08), once.get(0x09), once.get(0x02), tuple(users))  # type: ignore[arg-type]
    return kept if kept != Properties() else None
