"""Solace Agent Mesh: A2A 0.3 below `<namespace>/a2a/v1`, cards repeated all the time, replies to topics that name the asker.

The id of a request is that of its task. An agent's card is its beat: how often it comes is learned, as nothing declares it.
"""

from models.domain.crowd import MOST_AGENTS
from models.domain.messages import Kind, Origin, Properties, RawMessage
from mqtt.reading.conventions.a2a import VERSION, declare_card, is_card
from mqtt.reading.conventions.a2a_talk import Address, ReplyPlan, RequestPlan, Talk, user_property
from mqtt.reading.decode import read_object
from mqtt.reading.json_rpc import Call
from mqtt.reading.other_topics import OtherPlan
from mqtt.reading.plan import Plan, Sink, Unread

SOURCE = "solace-agent-mesh"
BEATS_ALIKE = 3
"""So many gaps of about the same length between cards are the interval."""
_SECOND_US = 1_000_000
_ENDS = ("agent", "gateway", "client")


class SolaceTalk(Talk):
    word = SOURCE
    one_way = frozenset(("tasks/cancel",))

    def sender(self, properties: Properties, call: Call, receiver: Address) -> Address | None:  # noqa: ARG002
        name = user_property(properties, "delegating_agent_name")
        if not name:
            found = below_base((user_property(properties, "replyTo") or properties.response_topic or "").split("/"))
            name = found[1][2] if found and len(found[1]) > 2 else user_property(properties, "clientId")
        return Address(receiver.group, name) if name else None

    def responder(self, properties: Properties, call: Call, requester: Address) -> Address | None:
        metadata = call.result.get("metadata") if isinstance(call.result, dict) else None
        name = metadata.get("agent_name") if isinstance(metadata, dict) else None
        name = name or user_property(properties, "delegating_agent_name")  # that of whoever tells how its task is
        return Address(requester.group, name) if isinstance(name, str) and name else None

    def task(self, call: Call) -> str:
        return call.id


class SolaceRecogniser:
    """`<namespace>/a2a/v1/{discovery,agent,gateway,client}/…`."""

    uses_declarations = False

    def __init__(self) -> None:
        self._talk = SolaceTalk()

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        found = below_base(levels)
        if found is None:
            return OtherPlan(topic) if _of_the_system(levels, message.payload) else None
        group, below = found
        if below[0] == "discovery" and below[1:] in (["agentcards"], ["gatewaycards"]):
            return CardsPlan(topic, group, self._talk)
        if below[0] == "agent" and len(below) == 3 and below[1] == "request":
            return RequestPlan(topic, Address(group, below[2]), self._talk)
        if below[0] in _ENDS and len(below) > 2 and below[1] in ("status", "response"):
            return ReplyPlan(topic, Address(group, below[2]), self._talk, last=below[1] == "response")
        return OtherPlan(topic) if below[0] in (*_ENDS, "discovery", "trust") else None


class CardsPlan:
    """The topic on which all of a namespace tell what they are."""

    kind = Kind.STATUS
    agent = 0

    def __init__(self, topic: int, group: str, talk: Talk) -> None:
        self.topic, self._group, self._talk = topic, group, talk
        self._beats: dict[int, tuple[int, int, int]] = {}  # agent -> last card, usual gap, how many were like it

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        card = read_object(message.payload)
        if not is_card(card):
            raise Unread("shape")
        agent = sink.batch.agent[row] = self._talk.declared(Address(self._group, card["name"]), sink)
        declare_card(row, agent, SOURCE, self._group, card, sink, self._interval_us(agent, message))

    def _interval_us(self, agent: int, message: RawMessage) -> int | None:
        """How often its cards come, once that is clear."""
        if message.origin in (Origin.REPLAY, Origin.BACKLOG):
            return None
        if len(self._beats) >= MOST_AGENTS:
            self._beats.clear()
        last_us, usual_us, alike = self._beats.get(agent, (0, 0, 0))
        gap_us = message.received_us - last_us if last_us else 0
        if usual_us and abs(gap_us - usual_us) <= usual_us // 5:
            alike += 1
        else:
            usual_us, alike = gap_us, 1
        self._beats[agent] = message.received_us, usual_us, alike
        return max(1, round(usual_us / _SECOND_US)) * _SECOND_US if alike >= BEATS_ALIKE else None


def _of_the_system(levels: list[str], payload: bytes) -> bool:
    """Whether the mesh tells of itself: `<namespace>/sam/events/<category>/<action>`, `<namespace>/sam/v1/feedback/submit`. What is
    in it is no agent's, neither figures nor words."""
    if len(levels) < 5:
        return False
    return levels[-4:] == ["sam", "v1", "feedback", "submit"] or (
        levels[-4:-2] == ["sam", "events"] and b'"source_component"' in payload
    )


def below_base(levels: list[str]) -> tuple[str, list[str]] | None:
    """The namespace, and the levels below `<namespace>/a2a/v1`; None where it is another topic."""
    for i in range(1, len(levels) - 3):
        if levels[i] == "a2a" and VERSION.fullmatch(levels[i + 1]) and all(levels[: i + 5]):
            return "/".join(levels[:i]), levels[i + 2 :]
    return None
