"""Sparkplug B: nodes and devices that say with a birth what they will send, and then send it by alias.

A node is the agent `group/node`, a device of it `group/node/device`. The node's will takes its devices with it. Sequence
numbers run through all messages of a node; a jump is a gap.
"""

from array import array
from itertools import islice
from typing import NamedTuple

from models.domain.crowd import MOST_SERIES_OF_AGENT
from models.domain.messages import Kind, Origin, RawMessage
from models.domain.presence_words import Cause, Condition, Presence, read_status_word
from models.domain.records import Attempt, Declaration, Outcome, PresenceEvidence
from models.domain.sparkplug_nodes import CONVENTION
from models.domain.timestamps import read_time
from mqtt.reading.conventions.sparkplug_payload import Metric, Payload, is_figure, number_of, read_payload
from mqtt.reading.decode import read_object, read_text, strip
from mqtt.reading.other_topics import OtherPlan
from mqtt.reading.plan import Plan, Sink, Unread
from mqtt.reading.units import Scale, in_base, unit_of

SOURCE = CONVENTION
MOST_NODES = 100_000
MOST_DEVICES = 10_000
"""Of one node."""
_RANK = 2  # births and wills
_REBIRTH = b"Node Control/Rebirth"
_NO_FIGURES = ("bdSeq", "Node Control/", "Device Control/", "Properties/", "ATTR/", "CMD/")
_IN_BIRTH = "DATA/"  # some put it before a name in a birth, and leave it out later


class _Known(NamedTuple):
    """A metric that a birth named. `series` 0: it makes none. `scale` brings its numbers to the unit it is kept in."""

    device: str
    series: int
    data_type: int
    scale: Scale | None


class _Node:
    """What a node said at its birth, shared by all its topics. Replaced as a whole by the next birth."""

    def __init__(self, group: str, name: str) -> None:
        self.group, self.name = group, name
        self.births: int | None = None  # bdSeq of the birth that is in force
        self.births_before: int | None = None  # and of another one before it
        self.asked = False  # somebody asked for a birth that did not come yet
        self.seq: int | None = None
        self.heard_us = 0
        self.aliases: dict[int, _Known] = {}
        self.names: dict[tuple[str, str], _Known] = {}
        self.devices: set[str] = set()  # those that are there

    def forget(self, device: str) -> None:
        """What it said of a device, or of itself ("")."""
        self.aliases = {alias: known for alias, known in self.aliases.items() if known.device != device}
        self.names = {key: known for key, known in self.names.items() if key[0] != device}

    def agent_name(self, device: str) -> str:
        return "/".join(filter(None, (self.group, self.name, device)))


class SparkplugRecogniser:
    """`spBv1.0/<group>/<type>/<node>[/<device>]` and hosts' `spBv1.0/STATE/<host>`, of old `STATE/<host>`; a broker that takes
    dots for slashes makes `spBv1/0/…` of it."""

    uses_declarations = False

    def __init__(self) -> None:
        self._nodes: dict[tuple[str, str], _Node] = {}

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:
        if len(levels) == 2 and levels[0] == "STATE" and levels[1] and message.payload in _OF_OLD_HOSTS:
            return HostPlan(topic, levels[1], sink)
        if levels[0] == "spBv1.0":
            below = levels[1:]
        elif levels[:2] == ["spBv1", "0"]:
            below = levels[2:]
        else:
            return None
        if len(below) == 2 and below[0] == "STATE" and below[1]:
            return HostPlan(topic, below[1], sink)
        kind = below[1] if len(below) in (3, 4) and all(below) else ""
        if kind == "NCMD" and len(below) == 3:
            return CommandPlan(topic, self._node(below[0], below[2]))
        if kind == "DCMD":
            return OtherPlan(topic)
        if kind not in (_OF_DEVICES if len(below) == 4 else _OF_NODES):
            return None
        node = self._node(below[0], below[2])
        return NodePlan(topic, kind, node, below[3] if len(below) == 4 else "")

    def _node(self, group: str, name: str) -> _Node:
        found = self._nodes.get((group, name))
        if found is None:
            if len(self._nodes) >= MOST_NODES:
                for old in list(islice(self._nodes, MOST_NODES // 10)):
                    del self._nodes[old]
            found = self._nodes[group, name] = _Node(group, name)
        return found


_OF_OLD_HOSTS = (b"ONLINE", b"OFFLINE")
_OF_NODES = ("NBIRTH", "NDATA", "NDEATH")
_OF_DEVICES = ("DBIRTH", "DDATA", "DDEATH")


class CommandPlan(OtherPlan):
    """A command to a node is no sign of its life. A birth that it was asked for is no connection."""

    def __init__(self, topic: int, node: _Node) -> None:
        super().__init__(topic)
        self._node = node

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:  # noqa: ARG002
        if _REBIRTH in message.payload and message.origin is not Origin.REPLAY:
            self._node.asked = True


class NodePlan:
    """One topic of a node or a device, which is an agent once something of it could be read."""

    __slots__ = ("_device", "_node", "_what", "agent", "kind", "topic")

    def __init__(self, topic: int, what: str, node: _Node, device: str) -> None:
        self.topic, self._node, self._device = topic, node, device
        self._what = what[1:]
        self.kind = Kind.METRICS if self._what == "DATA" else Kind.STATUS
        self.agent = 0

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        payload = read_payload(message.payload)
        if not self.agent:
            self.agent = sink.batch.agent[row] = sink.agent(self._node.agent_name(self._device))
            self._declare(row, sink)
        replayed = message.origin is Origin.REPLAY
        if self._what == "DEATH":
            if not replayed:
                self._die(row, payload, sink)
            return
        if not replayed:
            self._follow(payload.seq, message.received_us, sink)
        if self._what == "BIRTH":
            self._bear(row, message, payload, sink)
        if not replayed:
            self._put(row, message.received_us, payload, sink)

    def _bear(self, row: int, message: RawMessage, payload: Payload, sink: Sink) -> None:
        node, device = self._node, self._device
        sink.remember(row)
        self._declare(row, sink)
        if device:
            node.forget(device)
            if len(node.devices) < MOST_DEVICES:
                node.devices.add(device)
        else:
            node.aliases, node.names = {}, {}
        crowded = False
        for metric in payload.metrics:
            crowded |= not self._learn(metric, sink)
        births = next((one.number for one in payload.metrics if one.name == "bdSeq"), None)
        if message.origin is not Origin.REPLAY:
            sink.batch.evidence.append(
                PresenceEvidence(row, self.agent, Presence.ONLINE, Condition.OK, Cause.STATUS, _RANK)
            )
            asked = node.asked and node.births is None  # for one that we did not see
            if not device and births is not None and births != node.births and not asked:
                time_us = _time_us(payload.time_ms, message.received_us)
                sink.batch.attempts.append(Attempt(row, time_us, self.agent, Outcome.OK, None, None, None))
        if not device:
            if births != node.births:
                node.births_before = node.births
            node.births = int(births) if births is not None else None
            node.asked = False
        if crowded:
            sink.unread(row, "too-many-series")

    def _declare(self, row: int, sink: Sink) -> None:
        """Its topic tells what it speaks, born or not."""
        declaration = Declaration(row, self.agent, SOURCE, group=self._node.group)
        if sink.declarations.is_news(declaration, self._node.agent_name(self._device)):
            sink.batch.declarations.append(declaration)

    def _learn(self, metric: Metric, sink: Sink) -> bool:
        """Take what a birth says of a metric; False where there is no room for its series."""
        name = (metric.name or "").removeprefix(_IN_BIRTH)
        if not name:
            return True
        series, scale = 0, None
        counts = is_figure(metric.data_type) and not name.startswith(_NO_FIGURES)
        if counts:
            told, kind = unit_of(name)
            series, scale = sink.figure(self.agent, name, metric.unit or told, kind, SOURCE)
        known = _Known(self._device, series, metric.data_type, scale)
        if len(self._node.names) < MOST_SERIES_OF_AGENT * 4:
            self._node.names[self._device, name] = known
            if metric.alias is not None:
                self._node.aliases[metric.alias] = known
        return bool(series) or not counts

    def _put(self, row: int, received_us: int, payload: Payload, sink: Sink) -> None:
        node, device = self._node, self._device
        time_us = _time_us(payload.time_ms, received_us)
        moments: dict[int, tuple[array[int], list[float]]] = {}
        unknown = False
        for metric in payload.metrics:
            if metric.name:
                name = metric.name.removeprefix(_IN_BIRTH)
                known = node.names.get((device, name))
                if known is None:  # it was not there at its birth, or we were not
                    unknown |= not self._learn(metric, sink)
                    known = node.names.get((device, name))
            else:
                known = node.aliases.get(metric.alias) if metric.alias is not None else None
                unknown |= known is None
            if known is None or not known.series:
                continue
            number = number_of(metric, known.data_type)
            value = None if number is None else in_base(number, known.scale)
            if value is None:
                continue
            own_us = time_us if metric.time_ms is None else _time_us(metric.time_ms, received_us)
            series, values = moments.setdefault(own_us, (array("I"), []))
            series.append(known.series)
            values.append(value)
        for own_us, (series, values) in moments.items():
            sink.batch.add_samples(row, own_us, series, values)
        if unknown:
            sink.unread(row, "no-birth")

    def _die(self, row: int, payload: Payload, sink: Sink) -> None:
        node, device = self._node, self._device
        if device:
            self._follow(payload.seq, sink.batch.messages[row].received_us, sink)
            self._gone(row, self.agent, Cause.STATUS, sink)
            node.devices.discard(device)
            return
        births = next((one.number for one in payload.metrics if one.name == "bdSeq"), None)
        if births is not None and node.births is not None and births in (node.births_before, (node.births - 1) % 256):
            return  # the will of the connection that this one replaced
        node.seq = None
        self._gone(row, self.agent, Cause.WILL, sink)
        for one in sorted(node.devices):
            agent = sink.names.known_agent(node.agent_name(one))
            if agent:
                self._gone(row, agent, Cause.WILL, sink)
        node.devices.clear()

    @staticmethod
    def _gone(row: int, agent: int, cause: Cause, sink: Sink) -> None:
        sink.batch.evidence.append(PresenceEvidence(row, agent, Presence.OFFLINE, Condition.OK, cause, _RANK))

    def _follow(self, seq: int | None, received_us: int, sink: Sink) -> None:
        """A node counts its messages from 0 to 255 and round again; its birth is 0."""
        node = self._node
        if seq is None:
            return
        if self._what == "BIRTH" and not self._device:
            node.seq = None
        if node.seq is not None:
            missing = (seq - node.seq - 1) % 256
            if missing:
                agent = sink.agent(node.agent_name(""))
                sink.sequences.missed(agent, node.heard_us, received_us, missing)
        node.seq, node.heard_us = seq, received_us


class HostPlan:
    """`STATE/<host>`: a host application says whether it is there; JSON, or one word in older ones."""

    kind = Kind.STATUS

    def __init__(self, topic: int, host: str, sink: Sink) -> None:
        self.topic, self.agent = topic, sink.agent(host)
        self._host = host

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        payload = strip(message.payload)
        if payload[:1] == b"{":
            online = read_object(payload).get("online")
            if not isinstance(online, bool):
                raise Unread("shape")
            presence = Presence.ONLINE if online else Presence.OFFLINE
        else:
            word = read_status_word(read_text(payload)) if payload else (Presence.OFFLINE, Condition.OK)
            if word is None:
                raise Unread("shape")
            presence = word[0]
        declaration = Declaration(row, self.agent, SOURCE)
        if sink.declarations.is_news(declaration, self._host):
            sink.batch.declarations.append(declaration)
        cause = Cause.WILL if presence is Presence.OFFLINE else Cause.STATUS
        sink.say(row, self.agent, (presence, Condition.OK), cause, _RANK)


def _time_us(time_ms: int | None, received_us: int) -> int:
    """The sender's own time where plausible, else arrival."""
    return received_us if time_ms is None else read_time(time_ms, received_us) or received_us
