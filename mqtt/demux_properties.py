"""The properties of an MQTT 5 PUBLISH, from bytes. Pure."""

from collections.abc import Callable
from typing import Any

from models.domain.messages import Properties


class Malformed(Exception):  # noqa: N818 - what the other side sent, no error of ours
    """What came is not MQTT, or breaks what was agreed; the text says how, for people."""


_Reader = Callable[[bytes, int], tuple[Any, int]]


def read_properties(data: bytes, at: int, end: int) -> tuple[Properties | None, int]:
    """Those we keep (None where only others were sent), and where the payload begins. `end` is that of the packet.

    Topic Alias is refused like the unknown: CONNECT said that we take none.
    """
    length, at = _variable(data, at)
    behind = at + length
    if behind > end:
        raise Malformed("properties longer than their packet")
    kept: dict[str, Any] = {}
    users: list[tuple[str, str]] = []
    try:
        while at < behind:
            name, read = _KNOWN[data[at]]
            value, at = read(data, at + 1)
            if name == _USER:
                users.append(value)
            elif name in kept:
                raise Malformed(f"two properties {name}")
            elif name != _SUBSCRIPTION:
                kept[name] = value
    except KeyError:
        raise Malformed(f"a property {data[at]:#04x}") from None
    except (IndexError, UnicodeDecodeError):
        raise Malformed("properties that cannot be read") from None
    if at > behind:
        raise Malformed("a property longer than all of them")
    kept.pop(_FORMAT, None)
    return (Properties(**kept, user=tuple(users)) if kept or users else None), behind


def _byte(data: bytes, at: int) -> tuple[int, int]:
    if data[at] > 1:
        raise Malformed("a payload format that does not exist")
    return data[at], at + 1


def _four(data: bytes, at: int) -> tuple[int, int]:
    return int.from_bytes(_whole(data, at, at + 4), "big"), at + 4


def _variable(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to four bytes."""
    number = 0
    for shift in (0, 7, 14, 21):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise Malformed("a number that does not end")


def _subscription(data: bytes, at: int) -> tuple[int, int]:
    number, at = _variable(data, at)
    if not number:
        raise Malformed("a subscription identifier 0")
    return number, at


def _binary(data: bytes, at: int) -> tuple[bytes, int]:
    end = at + 2 + (data[at] << 8) + data[at + 1]
    return _whole(data, at + 2, end), end


def _text(data: bytes, at: int) -> tuple[str, int]:
    raw, end = _binary(data, at)
    if 0 in raw:
        raise Malformed("a text with a zero byte")
    return raw.decode(), end


def _pair(data: bytes, at: int) -> tuple[tuple[str, str], int]:
    name, at = _text(data, at)
    value, at = _text(data, at)
    return (name, value), at


def _whole(data: bytes, at: int, end: int) -> bytes:
    found = data[at:end]
    if len(found) != end - at:
        raise IndexError
    return found


_FORMAT, _SUBSCRIPTION, _USER = "format", "subscription", "user"
_KNOWN: dict[int, tuple[str, _Reader]] = {
    0x01: (_FORMAT, _byte),
    0x02: ("expiry_s", _four),
    0x03: ("content_type", _text),
    0x08: ("response_topic", _text),
    0x09: ("correlation", _binary),
    0x0B: (_SUBSCRIPTION, _subscription),
    0x26: (_USER, _pair),
}
