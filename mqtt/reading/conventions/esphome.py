"""Log lines of ESPHome: `[D][sensor:093]: text`, with terminal colours or a time of day in front, or without; and what its nodes
tell of themselves at `esphome/discover/<name>`. All else is announced to Home Assistant, or reads by itself."""

import re

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.records import Declaration, Level
from mqtt.reading.contract_work import put_log
from mqtt.reading.conventions.home_assistant_config import text_of
from mqtt.reading.declared_plan import declare
from mqtt.reading.decode import read_object, read_text
from mqtt.reading.generic_topics import place
from mqtt.reading.log_shapes import LogRecord
from mqtt.reading.other_topics import OtherPlan
from mqtt.reading.plan import Plan, Sink, Unread

SOURCE = "esphome"
_LINE = re.compile(
    r"(?:\[\d\d:\d\d:\d\d(?:\.\d{1,6})?\])?\[(?P<level>E|W|I|C|D|V|VV)\]\[(?P<tag>[\w.@/-]{1,60})(?::\d{1,5})?\]"
    r"(?:\[[\w.-]{1,60}\])?: ?(?P<text>.*)",
    re.DOTALL,
)
_LEVELS = {
    "E": Level.ERROR, "W": Level.WARN, "I": Level.INFO, "C": Level.INFO, "D": Level.DEBUG, "V": Level.DEBUG,
    "VV": Level.TRACE,
}  # fmt: skip


class EspHomeRecogniser:
    """Claims a topic whose first message is such a line, and where nodes are asked to answer."""

    uses_declarations = True

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:
        if levels[0] == SOURCE and levels[1:2] in (["discover"], ["ping"]) and len(levels) < 4:
            return AnswerPlan(topic, levels[2]) if len(levels) == 3 and levels[1] == "discover" else OtherPlan(topic)
        if len(levels) < 2 or message.payload[:1] not in b"[\x1b" or _record(message.payload) is None:
            return None
        home = sink.declarations.home_of(levels)
        name = home[1] if home is not None else place(levels, False, sink.declarations.has).agent
        return EspHomeLogPlan(topic, sink.agent(name))


class AnswerPlan(OtherPlan):
    """Version and name of a node: retained, so no sign of life, and none is made of it, as its topics may begin otherwise."""

    def __init__(self, topic: int, node: str) -> None:
        super().__init__(topic)
        self._node = node

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        agent = sink.names.known_agent(self._node)
        if agent and message.payload:
            body = read_object(message.payload)
            name, version = text_of(body.get("friendly_name")), text_of(body.get("version"))
            declare(row, Declaration(row, agent, SOURCE, name or None, version=version or None), self._node, sink)


class EspHomeLogPlan:
    """The log of one node. Its lines are retained, so that every subscriber gets the last one again."""

    kind = Kind.LOG

    def __init__(self, topic: int, agent: int) -> None:
        self.topic, self.agent = topic, agent

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        record = _record(message.payload)
        if record is None:
            text = read_text(message.payload)
            if not text:
                raise Unread("empty")
            record = LogRecord(Level.INFO, None, None, text, None, None, None)
        put_log(sink, row, self.agent, message, record)
        name = sink.names.agents[self.agent]
        if not sink.declarations.has(name):
            declare(row, Declaration(row, self.agent, SOURCE), name, sink)


def _record(payload: bytes) -> LogRecord | None:
    try:
        found = _LINE.fullmatch(read_text(payload))
    except Unread:
        return None
    if found is None:
        return None
    return LogRecord(_LEVELS[found["level"]], None, found["tag"], found["text"], None, None, None)
