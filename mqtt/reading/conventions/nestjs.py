"""NestJS microservices over MQTT: packets `{pattern, data, id}`, answered on `<topic>/reply`; without an id they are events.

Nothing tells who sends one. Whoever answers is the service that its pattern names: `orders` of `orders/sum` and `orders.sum`.
"""

from typing import Any

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.records import Declaration, Outcome
from mqtt.reading.contract_work import as_text
from mqtt.reading.decode import read_object
from mqtt.reading.exchange import Request, Sent
from mqtt.reading.generic_topics import names_agent
from mqtt.reading.plan import Plan, Recogniser, Sink, Unread

SOURCE = "nestjs"
MOST_TOPICS = 10_000
_REPLY = "reply"
_ASKS, _ANSWERS = {"pattern", "data", "id"}, {"response", "err", "isDisposed", "id", "status"}


class NestRecogniser:
    """Takes a topic whose first message is such a packet. What else comes there, from devices, goes to `generic`."""

    uses_declarations = True  # the generic reading does

    def __init__(self, generic: Recogniser) -> None:
        self._generic = generic
        self._asked: set[bytes] = set()  # topics of requests

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:
        if b'"pattern"' not in message.payload and levels[-1] != _REPLY:
            return None
        try:
            body = read_object(message.payload)
        except Unread:
            return None
        if is_packet(body):
            if len(self._asked) >= MOST_TOPICS:
                self._asked.clear()
            self._asked.add(message.topic)
        elif not is_answer(body) or ("isDisposed" not in body and _asked_on(message.topic) not in self._asked):
            return None
        return NestPlan(topic, self._generic.claim(topic, levels, message, sink))


class NestPlan:
    """A topic of packets, or of answers."""

    kind = Kind.MESSAGE
    agent = 0

    def __init__(self, topic: int, inner: Plan | None) -> None:
        self.topic, self._inner = topic, inner

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        body = read_object(message.payload) if message.payload[:1] == b"{" else {}
        sent = Sent(None, message.received_us, message.origin)
        if is_packet(body):
            id_, pattern = as_text(body.get("id")), as_text(body["pattern"]) or ""
            if id_:
                keys, service = ((SOURCE, message.topic, id_),), service_of(body["pattern"])
                receiver = sink.names.known_agent(service)
                sink.exchange.ask(Request(sent, 0, receiver, pattern, id_, keys, receiver_name=service))
        elif is_answer(body):
            key = SOURCE, _asked_on(message.topic), as_text(body["id"])
            request = sink.exchange.waiting(key)
            if request is None:
                return  # the next of several, or too late
            service = request.receiver_name
            agent = sink.batch.agent[row] = sink.agent(service) if names_agent(service) else 0
            done = sink.exchange.answer(key, row, sent, Outcome.ERROR if body.get("err") else Outcome.OK, agent)
            if done is not None:
                sink.batch.interactions.append(done)
            declaration = Declaration(row, agent, SOURCE)
            if agent and sink.declarations.is_news(declaration, service):
                sink.batch.declarations.append(declaration)
        elif self._inner is None:
            raise Unread("shape")
        else:
            sink.batch.kind[row] = self._inner.kind
            self._inner.read(row, message, sink)


def _asked_on(topic: bytes) -> bytes:
    """The topic of requests whose answers come here."""
    return topic.removesuffix(b"/reply")


def is_packet(body: dict[str, Any]) -> bool:
    """Whether it is a request, or an event."""
    return {"pattern", "data"} <= body.keys() <= _ASKS


def is_answer(body: dict[str, Any]) -> bool:
    """Whether it is an answer, or one of several."""
    return "id" in body and body.keys() <= _ANSWERS and len(body) > 1


def service_of(pattern: object) -> str:
    """Whose a pattern is: all of it but its last part; "" where it has only one."""
    if not isinstance(pattern, str):
        return ""
    separator = "/" if "/" in pattern else "."
    return pattern.rpartition(separator)[0]
