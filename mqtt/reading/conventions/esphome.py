"""Log lines of ESPHome: `[D][sensor:093]: text`, with terminal colours or a time of day in front, or without. All else of its
nodes is announced to Home Assistant, or reads by itself."""

import re

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.records import Declaration, Level
from mqtt.reading.contract_work import put_log
from mqtt.reading.declared_plan import declare
from mqtt.reading.decode import read_text
from mqtt.reading.generic_topics import place
from mqtt.reading.log_shapes import LogRecord
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
    """Claims a topic whose first message is such a line."""

    uses_declarations = True

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:
        if len(levels) < 2 or message.payload[:1] not in b"[\x1b" or _record(message.payload) is None:
            return None
        home = sink.declarations.home_of(levels)
        name = home[1] if home is not None else place(levels, False, sink.declarations.has).agent
        return EspHomeLogPlan(topic, sink.agent(name))


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
