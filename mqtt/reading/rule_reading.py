"""Topics that a rule of the user's speaks of. What a rule does not name is read as it would be without it."""

import math
import re
from array import array
from collections.abc import Sequence
from typing import Any

from models.domain.json_path import NOTHING, Path, value_at
from models.domain.messages import Kind, Origin, RawMessage
from models.domain.presence_words import Cause, Condition, Presence, read_status_word
from models.domain.records import Level
from models.domain.rules import Meaning, Rules
from mqtt.reading.bound_rule import MOST_FIGURES, BoundRule, first_of_each, time_of
from mqtt.reading.contract_work import put_log
from mqtt.reading.decode import compact, read_json, read_text, strip
from mqtt.reading.generic_numbers import number_of, read_number
from mqtt.reading.generic_reading import GenericPlan
from mqtt.reading.generic_recogniser import GenericRecogniser
from mqtt.reading.log_levels import level_of
from mqtt.reading.log_lines import read_line
from mqtt.reading.log_shapes import LogRecord, read_log
from mqtt.reading.other_topics import OtherPlan
from mqtt.reading.plan import Plan, Recogniser, Sink, Unread
from mqtt.reading.rule_rest import Rest
from mqtt.reading.units import Scale, in_base, unit_of

SOURCE = "rule"
_PLAIN = re.compile(rb"\s*-?\d{1,300}(\.\d+)?\s*").fullmatch


class RuleRecogniser:
    """Asked before all others. `without`: those who read what a rule leaves to them."""

    uses_declarations = True  # those do

    def __init__(self, rules: Rules, without: Sequence[Recogniser]) -> None:
        self._rules, self._without = rules, without

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:
        text = "/".join(levels)
        found = self._rules.of(text) if self._rules.rules else []
        if not found:
            return None
        if self._rules.ignores(text):
            return OtherPlan(topic)
        rules, rest = first_of_each([BoundRule(rule, named) for rule, named in found]), None
        if not any(
            one.rule.means is Meaning.LOG or (one.rule.means is Meaning.STATUS and not one.path) for one in rules
        ):
            rest = Rest(topic, levels, self._without, rules)
        shape = next((one for one in self._without if isinstance(one, GenericRecogniser)), None)
        return RulePlan(topic, rules, rest, shape.claim(topic, levels, message, sink) if shape is not None else None)


class RulePlan:
    """One topic with its rules."""

    kind = Kind.OTHER

    def __init__(self, topic: int, rules: list[BoundRule], rest: Rest | None, whose: Plan | None) -> None:
        """`whose`: as which the topic would be read that no rule and no convention speaks of."""
        self.topic, self.agent = topic, 0
        self._rules, self._rest, self._whose = rules, rest, whose
        self._named = [one for one in rules if one.names_agent]
        self._agent_told = self._named[0].agent if self._named else None
        self._bare = all(one.rule.means is Meaning.NUMBER and not one.path for one in rules)

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        payload = message.payload
        body: Any = float(payload) if self._bare and _PLAIN(payload) else _body(payload)
        agent = self._agent_told
        if agent is None and self._named:
            agent = next((name for one in self._named if (name := one.agent_of(body))), None)
        taken: list[Path] = []
        for one in self._rules:
            match one.rule.means:
                case Meaning.NUMBER:
                    if self._number(row, message, one, body, agent, sink):
                        taken.append(one.path)
                case Meaning.LOG:
                    self._log(row, message, one, body, agent, sink)
                case Meaning.STATUS:
                    if self._status(row, message, one, body, agent, sink):
                        taken.append(one.path)
        if self._rest is None or () in taken:
            return
        if not taken:
            self._rest.read(row, message, body, agent, taken, sink)
            return
        before, kind = sink.batch.agent[row], sink.batch.kind[row]
        self._rest.read(row, message, body, agent, taken, sink)
        sink.batch.agent[row] = sink.batch.agent[row] or before
        sink.batch.kind[row] = sink.batch.kind[row] or kind

    def _name(self, one: BoundRule, body: object, told: str | None, message: RawMessage) -> str:
        """Of this rule, else of the first that names one, else as without rules. Raises `Unread`."""
        name = one.agent_of(body) or told
        if name:
            return name
        if not isinstance(self._whose, GenericPlan):
            raise Unread("nobody")
        return self._whose.agent_name(message, body)

    def _agent(
        self, row: int, one: BoundRule, body: object, told: str | None, message: RawMessage, sink: Sink
    ) -> int:  # fmt: skip
        agent = sink.batch.agent[row] = sink.agent(self._name(one, body, told, message))
        return agent

    def _number(
        self, row: int, message: RawMessage, one: BoundRule, body: object, told: str | None, sink: Sink
    ) -> bool:  # fmt: skip
        value = value_at(body, one.path) if one.path else body
        found = read_number(value) if isinstance(value, str) else None
        number = found[0] if found is not None else number_of(value)
        if number is None:
            return False
        if message.origin is Origin.REPLAY:
            return True
        metric = (one.metric_text.of(one.levels, body) if one.metric_text is not None else None) or one.metric
        key = self._name(one, body, told, message), metric
        known = one.figures.get(key)
        if known is None:
            known = self._figure(one, key, found[1] if found is not None else "", sink)
        agent, series, scale = known
        sink.batch.agent[row], sink.batch.kind[row] = agent, Kind.METRICS
        if one.rule.scale != 1.0:
            number *= one.rule.scale
        if scale is not None or one.rule.scale != 1.0:
            scaled = in_base(number, scale)
            if scaled is None or not math.isfinite(scaled):
                return True
            number = scaled
        sink.batch.add_samples(row, time_of(one, body, message), series, (number,))
        return True

    @staticmethod
    def _figure(one: BoundRule, key: tuple[str, str], told: str, sink: Sink) -> tuple[int, "array[int]", Scale | None]:
        """`told`: unit that a value was written with. Raises `Unread`."""
        name, metric = key
        agent = sink.agent(name)
        named, kind = unit_of(metric)
        unit = one.rule.unit or told or named
        series, scale = sink.figure(agent, metric, unit, one.rule.series_kind or kind, SOURCE)
        if not series:
            raise Unread("too-many-series")
        found = agent, array("I", [series]), scale
        if one.rule.unit or not told:  # else another value may come with another unit
            if len(one.figures) >= MOST_FIGURES:
                one.figures.clear()
            one.figures[key] = found
        return found

    def _log(self, row: int, message: RawMessage, one: BoundRule, body: object, told: str | None, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        record = _record(one, body, message)
        level = one.rule.fixed_level
        if level is None and (word := one.text("level", body)) is not None:
            level = level_of(word, {})
        logger = one.text("logger", body)
        if level is not None:
            record = record._replace(level=level)
        if logger is not None:
            record = record._replace(logger=logger)
        sink.batch.kind[row] = Kind.LOG
        put_log(sink, row, self._agent(row, one, body, told or record.agent, message, sink), message, record)

    def _status(
        self, row: int, message: RawMessage, one: BoundRule, body: object, told: str | None, sink: Sink
    ) -> bool:
        """False where the payload lacks the place, and may be read as without the rule."""
        value = value_at(body, one.path)
        if value is NOTHING and self._rest is not None:
            return False
        said = self._word(one, value)
        if said is None:
            if self._rest is None:
                raise Unread("shape")
            sink.unread(row, "shape")
            return True
        agent = self._agent(row, one, body, told, message, sink)
        sink.batch.kind[row] = Kind.STATUS
        cause = Cause.WILL if said[0] is Presence.OFFLINE else Cause.STATUS
        if said[0] is Presence.STOPPED:
            cause = Cause.GOODBYE
        sink.say(row, agent, said, cause, 2)
        return True

    @staticmethod
    def _word(one: BoundRule, value: object) -> tuple[Presence, Condition] | None:
        if value is None:
            value = ""
        if not isinstance(value, str | bool | int | float):
            return None
        text = str(value).strip()
        if one.rule.online:
            there = text.casefold() in {word.strip().casefold() for word in one.rule.online.split(",")}
            return (Presence.ONLINE if there else Presence.OFFLINE), Condition.OK
        return read_status_word(text, switches=True) if text else (Presence.OFFLINE, Condition.OK)


def _body(payload: bytes) -> Any:
    """JSON as its value, everything else as text; `NOTHING` for bytes that are neither."""
    stripped = strip(payload)
    if stripped[:1] in (b"{", b"[", b'"') or stripped in (b"true", b"false", b"null"):
        return read_json(stripped)
    try:
        return read_text(stripped)
    except Unread:
        return NOTHING


def _record(one: BoundRule, body: object, message: RawMessage) -> LogRecord:
    """The payload as a log record: its text is what the rule says, else what loggers usually write."""
    value = value_at(body, one.path) if one.path else NOTHING
    found = read_log(body, message.received_us, needs_level=False) if isinstance(body, dict) else None
    if found is None and isinstance(body, str):
        found = read_line(body, message.received_us, certain=True)
    if found is None:
        if body is NOTHING:
            raise Unread("binary")
        found = LogRecord(Level.INFO, None, None, compact(body), None, None, None)
    if value is not NOTHING and value is not None:
        found = found._replace(text=value if isinstance(value, str) else compact(value))
    return found._replace(time_us=time_of(one, body, message)) if one.time else found
