"""A message that somebody publishes by hand, what must not be sent, and what the broker said to it. Pure data."""

from dataclasses import dataclass

from models.domain.messages import Properties
from models.domain.problems import Problem

TEXT_LIMIT_BYTES = 65_535
"""Of a topic, and of every text in a property: MQTT counts them with two bytes."""
PAYLOAD_LIMIT_BYTES = 512 * 1024
"""Of one message by hand; it travels as one line of the control channel."""
_LONGEST_EXPIRY_S = 0xFFFFFFFF
_WILDCARDS = "+#"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """`qos` is 0 or 1. An empty payload with `retain` removes the retained message of the topic from the broker."""

    topic: str
    payload: bytes = b""
    qos: int = 1
    retain: bool = False
    properties: Properties | None = None  # MQTT 5 alone; None where there are none

    @property
    def clears(self) -> bool:
        """Does it remove a retained message?"""
        return self.retain and not self.payload


@dataclass(frozen=True, slots=True)
class Template:
    """A message kept under a name, to be published again."""

    name: str
    message: OutgoingMessage


@dataclass(frozen=True, slots=True)
class Published:
    """The broker has it: `code` and `reason` of its PUBACK (0x10: nobody subscribed). QoS 0: it is written, no more is
    known. `duration_us` passed until then."""

    code: int
    reason: str
    duration_us: int


def publish_problem(message: OutgoingMessage) -> Problem | None:
    """Why this message must not be sent; None: it may."""
    if not message.topic:
        return Problem("publish.no-topic")
    properties = message.properties or Properties()
    topics = (message.topic, properties.response_topic or "")
    for topic in topics:
        for sign in _WILDCARDS:
            if sign in topic:
                return Problem("publish.wildcard", {"topic": topic, "sign": sign})
    for text in (*topics, properties.content_type or "", *(one for pair in properties.user for one in pair)):
        problem = _text_problem(text)
        if problem is not None:
            return problem
    correlation = len(properties.correlation or b"")
    if correlation > TEXT_LIMIT_BYTES:
        return Problem("publish.text-long", {"size": correlation, "limit": TEXT_LIMIT_BYTES})
    if message.qos not in (0, 1) or not 0 <= (properties.expiry_s or 0) <= _LONGEST_EXPIRY_S:
        return Problem(
            "recorder.request", {"detail": "no QoS of 0 or 1, or an expiry beyond 32 bits"}
        )  # no window asks so
    if len(message.payload) > PAYLOAD_LIMIT_BYTES:
        return Problem("publish.payload-long", {"size": len(message.payload), "limit": PAYLOAD_LIMIT_BYTES})
    return None


def _text_problem(text: str) -> Problem | None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return Problem("publish.text", {"text": text})
    if "\0" in text:
        return Problem("publish.text", {"text": text})
    return Problem("publish.text-long", {"size": size, "limit": TEXT_LIMIT_BYTES}) if size > TEXT_LIMIT_BYTES else None
