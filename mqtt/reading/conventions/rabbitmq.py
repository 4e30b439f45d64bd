"""RabbitMQ's firehose: with tracing on, copies of all its traffic on `publish/<exchange>` and `deliver/<queue>`, dots as slashes.

What MQTT clients see of it, and its deliveries, came to us already. The rest (queues, other exchanges) is seen nowhere else;
only its payload can tell whose it is. What is sent to a queue by its name (AMQP's default exchange) is said to whoever reads that
queue: one interaction, told by the delivery, as only that names the queue.
"""

from typing import Any

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.records import Interaction, Outcome
from mqtt.reading.contract_work import as_text, own_time
from mqtt.reading.decode import read_object
from mqtt.reading.generic_recogniser import GenericRecogniser
from mqtt.reading.generic_topics import agent_in, is_numbered, names_agent
from mqtt.reading.plan import Plan, Sink, Unread

_ROOTS = ("publish", "deliver")
_BODIES, _TO_QUEUES = -1, -2  # stand for followers of files in `Copies`
_PUBLISHED = 0
_SENDERS = ("from", "sender")


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
        inner = self._generic.claim(topic, levels, message, sink)
        if seen:
            return SeenPlan(topic, topic if levels[0] == "deliver" else _PUBLISHED)
        if levels[0] == "publish":
            return PublishedPlan(topic, inner, to_queues=levels[1:] == [""])
        return DeliveredPlan(topic, ".".join(levels[1:]), inner)


class SeenPlan:
    """What came to us anyway."""

    kind = Kind.OTHER
    agent = 0

    def __init__(self, topic: int, place: int) -> None:
        self.topic, self._place = topic, place

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is not Origin.REPLAY:
            sink.copies.repeated(_BODIES, self._place, message.payload)
            sink.batch.duplicate[row] = True


class PublishedPlan:
    """One exchange. `to_queues`: the one without a name, whose messages are addressed to a queue."""

    kind = Kind.OTHER
    agent = 0

    def __init__(self, topic: int, inner: Plan, *, to_queues: bool) -> None:
        self.topic, self._inner, self._to_queues = topic, inner, to_queues

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        if sink.copies.repeated(_BODIES, _PUBLISHED, message.payload):
            sink.batch.duplicate[row] = True
            return
        if self._to_queues:
            sink.copies.repeated(_TO_QUEUES, _PUBLISHED, message.payload)
            body = _object(message)
            sender = agent_in(body, _SENDERS)[1]
            if sender is not None or agent_in(body)[1] is None:
                sink.batch.kind[row] = Kind.MESSAGE
                sink.batch.agent[row] = sink.agent(sender) if sender is not None else 0
                return
        _read_named(self._inner, row, message, sink)


class DeliveredPlan:
    """One queue. Its message is news only where no exchange showed it before."""

    kind = Kind.OTHER
    agent = 0

    def __init__(self, topic: int, queue: str, inner: Plan) -> None:
        self.topic, self._queue, self._inner = topic, queue, inner
        self._is_name = names_agent(queue) and not queue.startswith("amq.")

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        repeated = sink.copies.repeated(_BODIES, self.topic, message.payload)
        sink.batch.duplicate[row] = repeated
        addressed = sink.copies.repeated(_TO_QUEUES, self.topic, message.payload) or not repeated
        try:
            told = addressed and self._is_name and self._tell(row, message, sink)
        except Unread:
            if not repeated:
                raise
        else:
            if not told and not repeated:
                _read_named(self._inner, row, message, sink)

    def _tell(self, row: int, message: RawMessage, sink: Sink) -> bool:
        """As something that was said; False for what rather tells of an agent, sent to a queue where such things are gathered."""
        body = _object(message)
        told, sender = agent_in(body)[1], agent_in(body, _SENDERS)[1]
        of_agent = is_numbered(self._queue) or sink.names.known_agent(self._queue)
        if told is not None and sender is None and not (of_agent and told != self._queue):
            return False
        sender = sender or told
        from_, to = sink.agent(sender) if sender is not None else 0, sink.agent(self._queue)
        sink.batch.kind[row], sink.batch.agent[row] = Kind.MESSAGE, from_ or to
        kind, id_ = as_text(body.get("type")) or "message", as_text(body.get("id")) or ""
        sink.batch.interactions.append(
            Interaction(row, own_time(body, message), from_, to, kind, id_, None, Outcome.OK)
        )
        return True


def _read_named(inner: Plan, row: int, message: RawMessage, sink: Sink) -> None:
    if agent_in(read_object(message.payload))[1] is None:
        raise Unread("nobody")
    inner.read(row, message, sink)


def _object(message: RawMessage) -> dict[str, Any]:
    """Empty for any other JSON: what is said need not be an object."""
    try:
        return read_object(message.payload)
    except Unread as unread:
        if unread.reason != "shape":
            raise
        return {}
