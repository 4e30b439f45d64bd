"""A2A over MQTT: agents with a card (`$a2a/v1/discovery/<organisation>/<unit>/<agent>`), requests for them, replies, events.

Variants without organisation and unit are read, too. An agent is named as in its topic.
"""

import re
from typing import Any

from models.domain.messages import Kind, Origin, Properties, RawMessage
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import Declaration, PresenceEvidence
from mqtt.reading.conventions.a2a_talk import Address, ReplyPlan, RequestPlan, Talk, user_property
from mqtt.reading.conventions.a2a_tasks import news_of
from mqtt.reading.decode import read_object, strip
from mqtt.reading.json_rpc import Call
from mqtt.reading.other_topics import OtherPlan
from mqtt.reading.plan import Plan, Sink, Unread

SOURCE = "a2a"
ROOT = "$a2a"
MOST_CAPABILITIES = 200
LONGEST_TEXT = 256
"""Characters of what a card says in one place."""
_OF_CARDS = ("skills", "capabilities", "supportedInterfaces", "url", "defaultInputModes", "protocolVersion")
_OWN_WORD, _BROKER_WORD = 2, 3  # how much they weigh
VERSION = re.compile(r"v\d+(\.\d+)*")
_PASSING = re.compile(r"[0-9a-f-]{8,}", re.IGNORECASE)
_POOLS = ("pool", "group")
_SUFFIXES = ("cancel", "status")


class A2ATalk(Talk):
    word = SOURCE

    def sender(self, properties: Properties, call: Call, receiver: Address) -> Address | None:
        levels = (properties.response_topic or "").split("/")
        below = below_root(levels)
        if len(below) > 1 and all(below[1:]):
            return address_of(below[1:])
        name = user_property(properties, "a2a-requester-agent-id") or _metadata(call).get("sender")
        return Address(receiver.group, name) if isinstance(name, str) and name else None

    def responder(self, properties: Properties, call: Call, requester: Address) -> Address | None:  # noqa: ARG002
        name = user_property(properties, "a2a-responder-agent-id")
        return Address(requester.group, name) if name else None

    def task(self, call: Call) -> str:
        message = call.params.get("message")
        found = message.get("taskId") if isinstance(message, dict) else None
        found = found or call.params.get("taskId") or call.params.get("id")
        return found if isinstance(found, str) else ""


class A2ARecogniser:
    """`$a2a/…`."""

    uses_declarations = False

    def __init__(self) -> None:
        self._talk = A2ATalk()

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        if levels[0] != ROOT:
            return None
        below = below_root(levels)
        if len(below) < 2 or not all(below):
            return OtherPlan(topic)
        what, place = below[0], below[1:]
        if what == "discovery":
            return CardPlan(topic, Address("/".join(place[:-1]), place[-1]), self._talk)
        if what == "request":
            pool = len(place) > 3 and place[2] in _POOLS
            return RequestPlan(topic, Address("/".join(place[:2]), "") if pool else address_of(place), self._talk)
        if what in ("reply", "response"):
            return ReplyPlan(topic, address_of(place), self._talk)
        if what == "event":
            return EventPlan(topic, address_of(place), self._talk)
        return OtherPlan(topic)


class CardPlan:
    """An agent's card: what it is, what it can do, and in its properties whether it is there. Emptied: it is gone."""

    kind = Kind.STATUS

    def __init__(self, topic: int, address: Address, talk: Talk) -> None:
        self.topic, self._address, self._talk = topic, address, talk
        self.agent = 0

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        status = source = ""
        if message.properties is not None:
            status = user_property(message.properties, "a2a-status")
            source = user_property(message.properties, "a2a-status-source")
        if not strip(message.payload):
            sink.remember(row)
            if self.agent:
                _say(row, self.agent, (Presence.OFFLINE, Cause.STATUS), _OWN_WORD, sink)
            return
        card = read_object(message.payload)
        if not is_card(card, sure=status != ""):
            raise Unread("shape")
        self.agent = sink.batch.agent[row] = self._talk.declared(self._address, sink)
        sink.remember(row)
        declare_card(row, self.agent, SOURCE, self._address.group or None, card, sink)
        said = _PRESENCE.get((status, source)) or _PRESENCE.get((status, ""))
        if said is not None:
            _say(row, self.agent, said, _BROKER_WORD if source == "broker" else _OWN_WORD, sink)


_PRESENCE = {
    ("online", ""): (Presence.ONLINE, Cause.STATUS),
    ("offline", ""): (Presence.OFFLINE, Cause.STATUS),
    ("offline", "agent"): (Presence.STOPPED, Cause.GOODBYE),
    ("offline", "lwt"): (Presence.OFFLINE, Cause.WILL),
    ("online", "broker"): (Presence.ONLINE, Cause.BROKER),
    ("offline", "broker"): (Presence.OFFLINE, Cause.BROKER),
}


def _say(row: int, agent: int, said: tuple[Presence, Cause], rank: int, sink: Sink) -> None:
    presence, cause = said
    if cause is Cause.BROKER:  # it adds that to the retained card, and it holds at the moment
        sink.batch.evidence.append(PresenceEvidence(row, agent, presence, Condition.OK, cause, rank))
    else:
        sink.say(row, agent, (presence, Condition.OK), cause, rank)


class EventPlan:
    """What an agent tells everybody; news of its tasks may be among it."""

    kind = Kind.MESSAGE

    def __init__(self, topic: int, address: Address, talk: Talk) -> None:
        self.topic, self._address, self._talk = topic, address, talk
        self.agent = 0

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        body = read_object(message.payload)
        self.agent = sink.batch.agent[row] = self._talk.agent(row, self._address, sink)
        news = news_of(body.get("result")) or news_of(body.get("params")) or news_of(body)
        if news is not None:
            self._talk.tasks.tell(row, message, news, self.agent, "", sink)


def is_card(card: dict[str, Any], sure: bool = False) -> bool:
    """Whether it tells more than a name; `sure`: something else says that it is one."""
    name = card.get("name")
    return isinstance(name, str) and name != "" and (sure or any(key in card for key in _OF_CARDS))


def declare_card(
    row: int,
    agent: int,
    source: str,
    group: str | None,
    card: dict[str, Any],
    sink: Sink,
    interval_us: int | None = None,
) -> None:
    """What an agent's card says of it."""
    skills, version = card.get("skills"), card.get("version")
    names = [
        one.get("name") or one.get("id")
        for one in (skills[:MOST_CAPABILITIES] if isinstance(skills, list) else ())
        if isinstance(one, dict)
    ]
    declaration = Declaration(
        row, agent, source, card["name"][:LONGEST_TEXT], group, interval_us,
        version=version[:LONGEST_TEXT] if isinstance(version, str) and version else None,
        capabilities=tuple(one[:LONGEST_TEXT] for one in names if isinstance(one, str))
        if isinstance(skills, list) else None,
    )  # fmt: skip
    if sink.declarations.is_news(declaration, sink.names.agents[agent]):
        sink.batch.declarations.append(declaration)


def below_root(levels: list[str]) -> list[str]:
    """Levels below `$a2a` and its version; none where it is another topic."""
    if levels[0] != ROOT or len(levels) < 2:
        return []
    return levels[2:] if VERSION.fullmatch(levels[1]) else levels[1:]


def address_of(place: list[str]) -> Address:
    """Of `<organisation>/<unit>/<agent>[/…]`, or of fewer levels, of which a passing id at the end is no agent."""
    if len(place) > 2:
        return Address("/".join(place[:2]), place[2])
    if len(place) == 2 and (place[1] in _SUFFIXES or _PASSING.fullmatch(place[1])):
        return Address("", place[0])
    return Address("/".join(place[:-1]), place[-1])


def _metadata(call: Call) -> dict[str, Any]:
    found = call.params.get("metadata")
    return found if isinstance(found, dict) else {}
