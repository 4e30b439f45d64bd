"""Moleculer's nodes, whose transporter is MQTT: packets on `MOL[-<namespace>].<command>[.<node>]`, dots as slashes behind RabbitMQ.

A node is an agent; every packet names its sender. Requests and events go to a node, or to whoever of many takes them.
"""

from typing import Any

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.names import SeriesKind
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import Declaration, Interaction, Outcome
from mqtt.reading.contract_work import as_text
from mqtt.reading.decode import read_object
from mqtt.reading.exchange import Request, Sent
from mqtt.reading.generic_numbers import number_of
from mqtt.reading.generic_topics import names_agent
from mqtt.reading.plan import Plan, Sink, Unread

SOURCE = "moleculer"
MOST_ACTIONS = 200
LONGEST_TEXT = 256
"""Characters of what a node says of itself in one place."""
_RANK = 2
_TO_ONE, _TO_MANY = ("REQ", "RES", "EVENT"), ("REQB", "EVENTB")
_COMMANDS = frozenset((*_TO_ONE, *_TO_MANY, "DISCOVER", "INFO", "DISCONNECT", "HEARTBEAT", "PING", "PONG"))


class MoleculerRecogniser:
    """`MOL.…` and `MOL-<namespace>.…`."""

    uses_declarations = False

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        if not levels[0].startswith("MOL"):
            return None
        root, *parts = ".".join(levels).split(".")
        if (
            not parts
            or root.partition("-")[0] != "MOL"
            or parts[0] not in _COMMANDS
            or b'"sender"' not in message.payload
        ):
            return None
        return MoleculerPlan(topic, parts[0], ".".join(parts[1:]) if parts[0] in _TO_ONE else "")


class MoleculerPlan:
    """One command; `to`: the node that it is for, or ""."""

    kind = Kind.STATUS
    agent = 0

    def __init__(self, topic: int, command: str, to: str) -> None:
        self.topic, self._command, self._to = topic, command, to

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        body = read_object(message.payload)
        name = body.get("sender")
        if not isinstance(name, str) or not names_agent(name):
            raise Unread("shape")
        node = sink.batch.agent[row] = sink.agent(name)
        _declare(row, node, {}, sink)
        if self._command == "INFO":
            _declare(row, node, body, sink)
        elif self._command == "HEARTBEAT":
            load = number_of(body.get("cpu"))
            if load is not None:
                figure = sink.figure(node, "cpu", "%", SeriesKind.GAUGE, SOURCE)
                sink.put(row, message.received_us, (figure,), (load,))
        elif self._command == "DISCONNECT":
            sink.say(row, node, (Presence.STOPPED, Condition.OK), Cause.GOODBYE, _RANK)
        elif self._command in (*_TO_ONE, *_TO_MANY):
            sink.batch.kind[row] = Kind.MESSAGE
            self._talk(row, message, body, node, sink)

    def _talk(self, row: int, message: RawMessage, body: dict[str, Any], node: int, sink: Sink) -> None:
        id_, sent = as_text(body.get("id")) or "", Sent(None, message.received_us, message.origin)
        key = (SOURCE, id_)
        if self._command == "RES":
            outcome = Outcome.OK if body.get("success") is not False else Outcome.ERROR
            done = sink.exchange.answer(key, row, sent, outcome, node)
            if done is not None:
                sink.batch.interactions.append(done)
            return
        receiver = sink.names.known_agent(self._to) if self._to else 0
        if self._command in ("REQ", "REQB"):
            if id_ and not sink.exchange.ask_again(key, (), message.received_us):  # the next part of a stream
                action = as_text(body.get("action")) or "request"
                sink.exchange.ask(Request(sent, node, receiver, action, id_, (key,), receiver_name=self._to))
        else:
            event = as_text(body.get("event")) or "event"
            sink.batch.interactions.append(
                Interaction(row, message.received_us, node, receiver, event, id_, None, Outcome.OK)
            )


def _declare(row: int, node: int, body: dict[str, Any], sink: Sink) -> None:
    """What a node says of itself; nothing but its convention where it has not said anything yet."""
    name = sink.names.agents[node]
    if not body and sink.declarations.has(name):
        return
    host, services = body.get("hostname"), body.get("services")
    actions = [
        action
        for service in (services[:MOST_ACTIONS] if isinstance(services, list) else ())
        if isinstance(service, dict) and isinstance(service.get("actions"), dict)
        for action in service["actions"]
        if not action.startswith("$")
    ]
    declaration = Declaration(
        row, node, SOURCE, host=host[:LONGEST_TEXT] if isinstance(host, str) and host else None,
        capabilities=tuple(one[:LONGEST_TEXT] for one in actions[:MOST_ACTIONS]) or None,
    )  # fmt: skip
    if sink.declarations.is_news(declaration, name):
        sink.batch.declarations.append(declaration)
