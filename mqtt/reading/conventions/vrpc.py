"""VRPC: calls on `<domain>/<agent>/<class>/<instance>/<function>`, answered where each says, and agents that tell whether they are there.

A call brings its id under `i` and where to answer under `s`; clients are made up anew each time and are nobody.
"""

from typing import Any

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.presence_words import Condition, Presence, read_status_word
from models.domain.records import Declaration, Outcome
from mqtt.reading.decode import read_object, strip
from mqtt.reading.exchange import Request, Sent
from mqtt.reading.generic_topics import names_agent
from mqtt.reading.other_topics import OtherPlan
from mqtt.reading.plan import Plan, Sink, Unread
from mqtt.reading.presence_told import weight

SOURCE = "vrpc"
_AGENT = "__agentInfo__"
_OF_NOBODY = ("__classInfo__", "__classInfoConcise__", "__clientInfo__")
_PROMISE = "__p__"


class VrpcRecogniser:
    """Topics of the agents themselves, calls, and what answers them."""

    uses_declarations = False

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        if levels[-1] in _OF_NOBODY and len(levels) == 4:
            return OtherPlan(topic)
        if levels[-1] == _AGENT and len(levels) == 3:
            return AgentPlan(topic, levels[1])
        if len(levels) not in (3, 5) or b'"s"' not in message.payload or b'"i"' not in message.payload:
            return None
        try:
            body = read_object(message.payload)
        except Unread:
            return None
        if not is_call(body):
            return None
        if len(levels) == 5:
            return CallPlan(topic, levels[1], f"{levels[2]}.{levels[4]}")
        return AnswerPlan(topic) if body["s"] == "/".join(levels) else None


class AgentPlan:
    """Retained: whether an agent is there; emptied: it is no more."""

    kind = Kind.STATUS

    def __init__(self, topic: int, name: str) -> None:
        self.topic, self._name = topic, name
        self.agent = 0

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if not strip(message.payload):
            self.agent = sink.batch.agent[row] = sink.names.known_agent(self._name)
            word: tuple[Presence, Condition] | None = (Presence.STOPPED, Condition.OK)
        else:
            body = read_object(message.payload)
            self.agent = sink.batch.agent[row] = sink.agent(self._name)
            _declare(row, self.agent, self._name, body, sink)
            told = body.get("status")
            word = read_status_word(told) if isinstance(told, str) else None
        if word is not None and self.agent:
            sink.say(row, self.agent, word, *weight("lwt", word[0]))


class CallPlan:
    """A function of an agent's."""

    kind = Kind.MESSAGE
    agent = 0

    def __init__(self, topic: int, agent: str, function: str) -> None:
        self.topic, self._agent, self._function = topic, agent, function

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:  # noqa: ARG002
        if message.origin is Origin.REPLAY:
            return
        body = read_object(message.payload)
        if not is_call(body):
            raise Unread("shape")
        sent = Sent(None, message.received_us, message.origin)
        receiver = sink.names.known_agent(self._agent)
        keys = ((SOURCE, body["s"], body["i"]),)
        sink.exchange.ask(Request(sent, 0, receiver, self._function, body["i"], keys, receiver_name=self._agent))


class AnswerPlan:
    """Where a client waits for answers. One that is a promise is followed by the answer."""

    kind = Kind.MESSAGE
    agent = 0

    def __init__(self, topic: int) -> None:
        self.topic = topic

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        body = read_object(message.payload)
        id_, result = body.get("i"), body.get("r")
        if not isinstance(id_, str):
            raise Unread("shape")
        topic = message.topic.decode("utf-8", "replace")
        key = SOURCE, topic, id_
        request = sink.exchange.waiting(key)
        if request is None:
            return
        if isinstance(result, str) and result.startswith(_PROMISE):
            sink.exchange.ask_again(key, ((SOURCE, topic, result),), message.received_us)
            return
        name = request.receiver_name
        agent = sink.batch.agent[row] = sink.agent(name) if names_agent(name) else 0
        sent = Sent(None, message.received_us, message.origin)
        done = sink.exchange.answer(key, row, sent, Outcome.ERROR if body.get("e") else Outcome.OK, agent)
        if done is not None:
            sink.batch.interactions.append(done)
        if agent:
            _declare(row, agent, name, {}, sink)


def _declare(row: int, agent: int, name: str, body: dict[str, Any], sink: Sink) -> None:
    """What an agent says of itself; nothing but its convention where it has not said anything."""
    if not body and sink.declarations.has(name):
        return
    host, version = body.get("hostname"), body.get("version")
    declaration = Declaration(
        row, agent, SOURCE, host=host if isinstance(host, str) and host else None,
        version=version if isinstance(version, str) and version else None,
    )  # fmt: skip
    if sink.declarations.is_news(declaration, name):
        sink.batch.declarations.append(declaration)


def is_call(body: dict[str, Any]) -> bool:
    """Whether it is a call, or the answer to one."""
    ids = isinstance(body.get("i"), str) and isinstance(body.get("s"), str)
    return ids and "/" in body["s"] and type(body.get("v")) is int
