"""RabbitMQ's firehose: with tracing on, copies of all its traffic on `publish/<exchange>` and `deliver/<queue>`, dots as slashes.

What MQTT clients see of it, and its deliveries, came to us already. The rest (queues, other exchanges) is seen nowhere else;
only its payload can tell whose it is.
"""

from models.domain.messages import Kind, Origin, RawMessage
from mqtt.reading.decode import read_object
from mqtt.reading.generic_recogniser import GenericRecogniser
from mqtt.reading.generic_topics import agent_in
from mqtt.reading.plan import Plan, Sink, Unread

_ROOTS = ("publish", "deliver")
_BODIES = -1  # stands for a follower of files in `Copies`
_PUBLISHED = 0


class FirehoseRecogniser:
    """`publish/…` and `deliver/…`, from the first that nobody else would send."""

    uses_declarations = False

    def __init__(self, generic: GenericRecogniser) -> None:
        self._generic = generic
        self._on = False

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:
        if levels[0] not in _ROOTS or len(levels) < 2:
            return None
        seen = levels[0] == "publish" and levels[1:] == ["amq", "topic"]
        seen = seen or (levels[0] == "deliver" and levels[1].startswith("mqtt-subscription-"))
        if not self._on:
            if not seen and levels[1:] != [""] and levels[1] != "amq":
                return None
            self._on = True
            sink.declarations.revision += 1  # what was taken for home-made before is claimed anew
        delivered = topic if levels[0] == "deliver" else _PUBLISHED
        return FirehosePlan(topic, delivered, seen, self._generic.claim(topic, levels, message, sink))


class FirehosePlan:
    """One exchange, or one queue. A queue's message is news only where no exchange showed it before."""

    kind = Kind.OTHER
    agent = 0

    def __init__(self, topic: int, place: int, seen: bool, inner: Plan) -> None:
        self.topic, self._place, self._seen, self._inner = topic, place, seen, inner

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        repeated = sink.copies.repeated(_BODIES, self._place, message.payload)
        if repeated or self._seen:
            sink.batch.duplicate[row] = True
            return
        if agent_in(read_object(message.payload))[1] is None:
            raise Unread("nobody")
        self._inner.read(row, message, sink)
