"""The one thing that is ever asked of a Sparkplug node: to be born again, so that it names what it sends. Pure."""

from models.domain.publishing import OutgoingMessage
from models.domain.sparkplug_nodes import SparkplugNode

_METRIC = "Node Control/Rebirth"
_BOOLEAN = 11
"""A data type of the specification; the field numbers below are those of its chapter 6, too."""


def rebirth(node: SparkplugNode, now_us: int) -> OutgoingMessage:
    """Commands go out at QoS 0, not retained, and without a sequence number."""
    now_ms = now_us // 1000
    metric = _bytes(1, _METRIC.encode()) + _number(3, now_ms) + _number(4, _BOOLEAN) + _number(14, 1)
    return OutgoingMessage(f"spBv1.0/{node.group}/NCMD/{node.name}", _number(1, now_ms) + _bytes(2, metric), 0)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
