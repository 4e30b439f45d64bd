"""Topics that a rule of the user's speaks of. What a rule does not name is read as it would be without it."""

import math
import re
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

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
from mqtt.reading.generic_reading import GenericPlan, GenericRecogniser
from mqtt.reading.log_levels import level_of
from mqtt.reading.log_lines import read_line
from mqtt.reading.log_shapes import LogRecord, read_log
from mqtt.reading.other_topics import OtherPlan
from mqtt.reading.plan import Plan, Recogniser, Sink, Unread
from mqtt.reading.units import Scale, in_base, unit_of

SOURCE = "rule"
_TIMES = ("ts", "time", "timestamp", "@timestamp", "t")
_PLAIN = re.compile(rb"\s*-?\d{1,300}(\.\d+)?\s*").fullmatch
_encode = msgspec.json.encode
MOST_FIGURES = 4_000
"""Of one topic, known by heart."""


class RuleRecogniser:
    """Asked before all others. `without`: those who read what a rule leaves to them."""

    uses_declarations = True  # those do

    def __init__(self, rules: Rules, without: Sequence[Recogniser]) -> None:
        self._rules, self._without = rules, without

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:
        found = self._rules.of("/".join(levels)) if self._rules.rules else []
        if not found:
            return None
        if any(rule.means is Meaning.IGNORE for rule, _ in found):
            return OtherPlan(topic)
        rules, rest = [_Bound(rule, named) for rule, named in found], None
        if all(rule.means in (Meaning.NUMBER, Meaning.AGENT) for rule, _ in found):
            rest = _Rest(topic, levels, self._without, rules)
        shape = next((one for one in self._without if isinstance(one, GenericRecogniser)), None)
        return RulePlan(topic, rules, rest, shape.claim(topic, levels, message, sink) if shape is not None else None)


class _Bound:
    """A rule for one topic: what of it can be known beforehand is."""

    __slots__ = ("agent", "agent_text", "figures", "levels", "metric", "metric_text", "path", "rule", "time")

    def __init__(self, rule: Rule, levels: Mapping[str, str]) -> None:
        self.rule, self.levels = rule, levels
        self.path, self.time = parse_path(rule.path), parse_path(rule.time)
        self.agent_text, self.metric_text = rule.text("agent"), rule.text("metric")
        self.agent = self._settled(self.agent_text)
        self.metric = levels.get("metric") or ".".join(map(str, self.path)) or "value"
        if self.metric_text is not None:
            told, self.metric = self._settled(self.metric_text), self.metric
            if told is not None:
                self.metric, self.metric_text = told, None
        self.figures: dict[tuple[str, str], tuple[int, array[int], Scale | None]] = {}
        """By agent and metric: the agent's id, the series, and how a value comes into its unit."""

    def _settled(self, said: Text | None) -> str | None:
        return said.of(self.levels, None) if said is not None and said.path is None else None

    def text(self, key: str, body: object) -> str | None:
        said = self.rule.text(key)
        return said.of(self.levels, body) if said is not None else None

    def agent_of(self, body: object) -> str | None:
        """Whom the rule names; None where it names nobody, or the payload lacks the place."""
        if self.agent is None and self.agent_text is not None:
            return self.agent_text.of(self.levels, body)
        return self.agent


class _Rest:
    """What other recognisers make of a topic, with an agent that a rule may name. What follows a convention of which we know
    whose its messages are stays with these."""

    def __init__(self, topic: int, levels: list[str], recognisers: Sequence[Recogniser], rules: list[_Bound]) -> None:
        self._topic, self._levels, self._recognisers = topic, levels, recognisers
        numbers = [one.path for one in rules if one.rule.means is Meaning.NUMBER]
        self._keys = frozenset(path[0] for path in numbers if len(path) == 1 and isinstance(path[0], str))
        self._spent = self._keys.union(_TIMES) if all(len(path) == 1 for path in numbers) else frozenset[str]()
        """An object with no other keys leaves nothing to read."""
        self._plan: Plan | None = None

    def read(
        self, row: int, message: RawMessage, body: object, agent: str | None, taken: list[Path], sink: Sink
    ) -> None:  # fmt: skip
        if taken and isinstance(body, dict) and body.keys() <= self._spent:
            return
        simple = isinstance(self._plan, GenericPlan)
        if taken and not (simple and all(len(path) == 1 for path in taken)):
            left = _without(body, taken)
            if not left:
                return
            message = message._replace(payload=_encode(left))
        plan = self._plan
        if plan is None:
            plans = (one.claim(self._topic, self._levels, message, sink) for one in self._recognisers)
            plan = self._plan = next(plan for plan in plans if plan is not None)
            sink.batch.kind[row] = plan.kind
        if isinstance(plan, GenericPlan):
            plan.leave(agent, self._keys)
        elif agent is not None:
            message = message._replace(properties=_naming(agent, message.properties))
        if agent is None:
            sink.batch.agent[row] = plan.agent
        plan.read(row, message, sink)


def _naming(agent: str, properties: Properties | None) -> Properties:
    properties = properties or Properties()
    others = tuple(pair for pair in properties.user if pair[0] != "agent")
    return properties._replace(user=(("agent", agent), *others))


class RulePlan:
    """One topic with its rules."""

    kind = Kind.OTHER

    def __init__(self, topic: int, rules: list[_Bound], rest: _Rest | None, whose: Plan | None) -> None:
        """`whose`: as which the topic would be read that no rule and no convention speaks of."""
        self.topic, self.agent = topic, 0
        self._rules, self._rest, self._whose = rules, rest, whose
        self._named = [one for one in rules if one.agent_text is not None]
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
                    self._status(row, message, one, body, agent, sink)
        if self._rest is None or () in taken:
            return
        if not taken:
            self._rest.read(row, message, body, agent, taken, sink)
            return
        before, kind = sink.batch.agent[row], sink.batch.kind[row]
        self._rest.read(row, message, body, agent, taken, sink)
        sink.batch.agent[row] = sink.batch.agent[row] or before
        sink.batch.kind[row] = sink.batch.kind[row] or kind

    def _name(self, one: _Bound, body: object, told: str | None, message: RawMessage) -> str:
        """Of this rule, else of the first that names one, else as without rules. Raises `Unread`."""
        name = one.agent_of(body) or told or one.levels.get("agent")
        if name:
            return name
        if not isinstance(self._whose, GenericPlan):
            raise Unread("nobody")
        return self._whose.agent_name(message, body)

    def _agent(
        self, row: int, one: _Bound, body: object, told: str | None, message: RawMessage, sink: Sink
    ) -> int:  # fmt: skip
        agent = sink.batch.agent[row] = sink.agent(self._name(one, body, told, message))
        return agent

    def _number(
        self, row: int, message: RawMessage, one: _Bound, body: object, told: str | None, sink: Sink
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
        sink.batch.add_samples(row, _time_us(one, body, message), series, (number,))
        return True

    @staticmethod
    def _figure(one: _Bound, key: tuple[str, str], told: str, sink: Sink) -> tuple[int, "array[int]", Scale | None]:
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
        put_log(sink, row, self._agent(row, one, body, told or record.agent, message, sink), message, record)

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
        agent = self._agent(row, one, body, told, message, sink)
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
