"""A message as the broker delivered it, and the few codes stored beside every message."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple


class Origin(IntEnum):
    """How a message reached us. Only `LIVE` speaks for the present."""

    LIVE = 0
    BACKLOG = 1  # queued by the broker while we were away
    REPLAY = 2  # a retained message, sent again because we subscribed
    IMPORTED = 3


class Kind(IntEnum):
    """What a message was read as. Values are stored: add, never renumber."""

    OTHER = 0
    STATUS = 1
    METRICS = 2
    LOG = 3
    TASK = 4
    MESSAGE = 5
    CONNECTION = 6


class Properties(NamedTuple):
    """MQTT 5 properties of a PUBLISH that we keep; `None` or empty where the publisher sent none."""

    content_type: str | None = None
    response_topic: str | None = None
    correlation: bytes | None = None
    expiry_s: int | None = None
    user: tuple[tuple[str, str], ...] = ()
    masked: bool = False
    """Ours: a secret in the message was hidden before it was stored (`masking.Masking`)."""


class RawMessage(NamedTuple):
    """One PUBLISH, untouched. `packet_id` is 0 at QoS 0; `epoch` counts our connections, so that an
    acknowledgement never reaches another connection than the one that delivered the message."""

    topic: bytes
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    packet_id: int
    properties: Properties | None
    received_us: int
    origin: Origin
    epoch: int


class RawColumns(NamedTuple):
    """The fields of some messages, each for all of them, in the same order."""

    topic: tuple[bytes, ...] = ()
    payload: tuple[bytes, ...] = ()
    qos: tuple[int, ...] = ()
    retain: tuple[bool, ...] = ()
    dup: tuple[bool, ...] = ()
    packet_id: tuple[int, ...] = ()
    properties: tuple[Properties | None, ...] = ()
    received_us: tuple[int, ...] = ()
    origin: tuple[Origin, ...] = ()
    epoch: tuple[int, ...] = ()


def columns_of(messages: Sequence[RawMessage]) -> RawColumns:
    """All messages, turned by a quarter."""
    return RawColumns(*zip(*messages, strict=True))
