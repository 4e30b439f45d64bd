"""Topics that a rule of the user's speaks of. What a rule does not name is read as it would be without it."""

from array import array
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from models.domain.json_path import NOTHING, Path, parse_path, value_at
from models.domain.messages import Kind, Origin, Properties, RawMessage
from models.domain.presence_words import Cause, Condition, Presence, read_status_word
from models.domain.records import Level, PresenceEvidence
from models.domain.rules import Meaning, Rule, Rules, Text
from models.domain.timestamps import read_time
from mqtt.reading.contract_work import put_log
from mqtt.reading.decode import compact, read_json, read_text, strip
from mqtt.reading.generic_numbers import number_of, read_number
from mqtt.reading.log_levels import level_of
from mqtt.reading.log_lines import read_line
from mqtt.reading.log_shapes import LogRecord, read_log
from mqtt.reading.other_topics import OtherPlan
from mqtt.reading.plan import Plan, Recogniser, Sink, Unread
from mqtt.reading.units import Scale, in_base, unit_of

SOURCE = "rule"
_TIMES = ("ts", "time", "timestamp", "@timestamp", "t")
_encode = msgspec.json.encode
MOST_FIGURES = 4_000
"""Of one topic, known by heart."""


class RuleRecogniser:
    """Asked before all others. `without`: those who read what a rule leaves to them."""

    uses_declarations = True  # those do

    def __init__(self, rules: Rules, without: Sequence[Recogniser]) -> None:
        self._rules, self._without = rules, without

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        found = self._rules.of("/".join(levels)) if self._rules.rules else []
        if not found:
            return None
        if any(rule.means is Meaning.IGNORE for rule, _ in found):
            return OtherPlan(topic)
        rest = None
        if all(rule.means in (Meaning.NUMBER, Meaning.AGENT) for rule, _ in found):
            rest = _Rest(topic, levels, self._without)
        return RulePlan(topic, [_Bound.of(rule, named) for rule, named in found], rest)


class _Bound(NamedTuple):
    """A rule for one topic: what of it can be known beforehand is."""

    rule: Rule
    levels: Mapping[str, str]
    path: Path
    agent: Text | None
    time: Path

    @classmethod
    def of(cls, rule: Rule, levels: Mapping[str, str]) -> "_Bound":
        return cls(rule, levels, parse_path(rule.path), rule.text("agent"), parse_path(rule.time))

    def text(self, key: str, body: object) -> str | None:
        said = self.rule.text(key)
        return said.of(self.levels, body) if said is not None else None


class _Rest:
    """What other recognisers make of a topic, with an agent that a rule may name."""

    def __init__(self, topic: int, levels: list[str], recognisers: Sequence[Recogniser]) -> None:
        self._topic, self._levels, self._recognisers = topic, levels, recognisers
        self._plan: Plan | None = None

    def read(self, row: int, message: RawMessage, agent: str | None, sink: Sink) -> None:
        if agent is not None:
            properties = message.properties or Properties()
            others = tuple(pair for pair in properties.user if pair[0] != "agent")
            message = message._replace(properties=properties._replace(user=(("agent", agent), *others)))
        if self._plan is None:
            plans = (one.claim(self._topic, self._levels, message, sink) for one in self._recognisers)
            self._plan = next(plan for plan in plans if plan is not None)
            sink.batch.kind[row] = self._plan.kind
        if agent is None:
            sink.batch.agent[row] = self._plan.agent
        self._plan.read(row, message, sink)


class RulePlan:
    """One topic with its rules."""

    kind = Kind.OTHER

    def __init__(self, topic: int, rules: list[_Bound], rest: _Rest | None) -> None:
        self.topic, self.agent = topic, 0
        self._rules, self._rest = rules, rest
        self._figures: dict[tuple[int, str, int], tuple[array[int], Scale | None]] = {}

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        body = _body(message.payload)
        agent = next((name for one in self._rules if one.agent and (name := one.agent.of(one.levels, body))), None)
        taken: list[Path] = []
        for place, one in enumerate(self._rules):
            match one.rule.means:
                case Meaning.NUMBER:
                    if self._number(row, message, place, one, body, agent, sink):
                        taken.append(one.path)
                case Meaning.LOG:
                    self._log(row, message, one, body, agent, sink)
                case Meaning.STATUS:
                    self._status(row, message, one, body, agent, sink)
        if self._rest is None or () in taken:
            return
        if taken:
            left = _without(body, taken)
            if not left:
                return
            message = message._replace(payload=_encode(left))
        before, kind = sink.batch.agent[row], sink.batch.kind[row]
        self._rest.read(row, message, agent, sink)
        if taken:
            sink.batch.agent[row] = sink.batch.agent[row] or before
            sink.batch.kind[row] = sink.batch.kind[row] or kind

    def _agent(self, row: int, one: _Bound, body: object, told: str | None, sink: Sink) -> int:
        """Of this rule, else of the first that names one. Without any there is nobody to have the record."""
        name = (one.agent.of(one.levels, body) if one.agent else None) or told or one.levels.get("agent")
        if not name:
            raise Unread("shape")
        agent = sink.batch.agent[row] = sink.agent(name)
        return agent

    def _number(
        self, row: int, message: RawMessage, place: int, one: _Bound, body: object, told: str | None, sink: Sink
    ) -> bool:
        value = value_at(body, one.path)
        found = read_number(value) if isinstance(value, str) else None
        number = found[0] if found is not None else number_of(value)
        if number is None:
            return False
        if message.origin is Origin.REPLAY:
            return True
        agent = self._agent(row, one, body, told, sink)
        sink.batch.kind[row] = Kind.METRICS
        metric = one.text("metric", body) or one.levels.get("metric") or _last(one) or "value"
        key = (agent, metric, place)
        known = self._figures.get(key)
        if known is None:
            named, kind = unit_of(metric)
            unit = one.rule.unit or (found[1] if found is not None else "") or named
            series, scale = sink.figure(agent, metric, unit, one.rule.series_kind or kind, SOURCE)
            if not series:
                raise Unread("too-many-series")
            if len(self._figures) > MOST_FIGURES:
                self._figures.clear()
            known = self._figures[key] = array("I", [series]), scale
        value = in_base(number * one.rule.scale, known[1])
        if value is not None:
            sink.batch.add_samples(row, _time_us(one, body, message), known[0], (value,))
        return True

    def _log(self, row: int, message: RawMessage, one: _Bound, body: object, told: str | None, sink: Sink) -> None:
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
        put_log(sink, row, self._agent(row, one, body, told or record.agent, sink), message, record)

    def _status(self, row: int, message: RawMessage, one: _Bound, body: object, told: str | None, sink: Sink) -> None:
        value = value_at(body, one.path)
        text = str(value).strip() if isinstance(value, str | bool | int | float) else "" if value is None else None
        if text is None:
            raise Unread("shape")
        if one.rule.online:
            there = text.casefold() in {word.strip().casefold() for word in one.rule.online.split(",")}
            said = (Presence.ONLINE if there else Presence.OFFLINE), Condition.OK
        else:
            word = read_status_word(text, switches=True) if text else (Presence.OFFLINE, Condition.OK)
            if word is None:
                raise Unread("shape")
            said = word
        agent = self._agent(row, one, body, told, sink)
        sink.batch.kind[row] = Kind.STATUS
        cause = Cause.WILL if said[0] is Presence.OFFLINE else Cause.STATUS
        if said[0] is Presence.STOPPED:
            cause = Cause.GOODBYE
        if message.origin is Origin.REPLAY:
            if said[0] is Presence.ONLINE:
                return
            cause = Cause.REPLAYED
        sink.batch.evidence.append(PresenceEvidence(row, agent, *said, cause, 2))


def _body(payload: bytes) -> Any:
    """JSON as its value, everything else as text; `NOTHING` for bytes that are neither."""
    stripped = strip(payload)
    if stripped[:1] in (b"{", b"[", b'"') or stripped in (b"true", b"false", b"null"):
        return read_json(stripped)
    try:
        return read_text(stripped)
    except Unread:
        return NOTHING


def _without(body: object, taken: list[Path]) -> object:
    """What is left of an object without these places."""
    if not isinstance(body, dict):
        return None
    left = dict(body)
    for path in taken:
        at: Any = left
        for part in path[:-1]:
            inner = at[part]
            at[part] = at = inner.copy() if isinstance(inner, dict | list) else inner
        if isinstance(at, dict):
            at.pop(path[-1], None)
        elif isinstance(at, list) and isinstance(path[-1], int):
            at[path[-1]] = None
    return left


def _last(one: _Bound) -> str:
    return ".".join(str(part) for part in one.path)


def _time_us(one: _Bound, body: object, message: RawMessage) -> int:
    """The payload's own time where the rule or a usual key names one and it is plausible, else arrival."""
    if one.time:
        found = read_time(value_at(body, one.time), message.received_us)
        return message.received_us if found is None else found
    if isinstance(body, dict):
        for key in _TIMES:
            if key in body and (found := read_time(body[key], message.received_us)) is not None:
                return found
    return message.received_us


def _record(one: _Bound, body: object, message: RawMessage) -> LogRecord:
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
    return found._replace(time_us=_time_us(one, body, message)) if one.time else found
