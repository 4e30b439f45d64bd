"""Our own topics: `agents/<id>/status|metrics|log|task|connection|tail/<file>` and `agents/<to>/inbox/<from>`."""

from array import array
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec.structs import astuple

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.presence_words import Cause, Condition, Presence, read_status_word
from models.domain.records import Declaration
from models.domain.timestamps import PLAUSIBLE_US, read_time
from mqtt.reading.contract_work import SOURCE, AttemptPlan, InboxPlan, LogPlan, TailPlan, TaskPlan
from mqtt.reading.decode import FAILURES, read_object, read_text, strip
from mqtt.reading.generic_numbers import contract_unit, flatten, number_of
from mqtt.reading.plan import Plan, Sink, Unread
from mqtt.reading.shapes import STEADY, Decode
from mqtt.reading.units import Scales, scaled, scales_of

LONGEST_INTERVAL_S = 7 * 86_400
_RANK = 2  # its birth and its will
_GONE = (Presence.OFFLINE, Presence.STOPPED)
_OWN_KEYS = frozenset(("ts", "boot", "seq"))


class ContractRecogniser:
    """Claims the topics of our own contract below `prefix` (levels such as `["agents"]`)."""

    uses_declarations = False

    def __init__(self, prefix: list[str]) -> None:
        self._prefix = prefix

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        depth = len(self._prefix)
        if levels[:depth] != self._prefix or len(levels) < depth + 2 or not levels[depth]:
            return None
        name, role, below = levels[depth], levels[depth + 1], levels[depth + 2 :]
        if role == "inbox" and len(below) == 1 and below[0]:
            return InboxPlan(topic, sink.agent(below[0]), sink.agent(name), sink)
        if role == "tail" and below and below[0]:
            return TailPlan(topic, sink.agent(name), "/".join(below))
        if below or role not in _PLANS:
            return None
        return _PLANS[role](topic, sink.agent(name), sink)


class StatusPlan:
    """`agents/<id>/status`: presence, and what the agent says of itself."""

    kind = Kind.STATUS

    def __init__(self, topic: int, agent: int, sink: Sink) -> None:
        self.topic, self.agent = topic, agent
        self._sequence = sink.sequences.of(topic, agent)

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        payload = strip(message.payload)
        if not payload:  # the retained status was removed
            sink.say(row, self.agent, (Presence.OFFLINE, Condition.OK), Cause.STATUS, _RANK)
            return
        if payload[:1] != b"{":
            word = read_status_word(read_text(payload).strip('"'))
            if word is None:
                raise Unread("shape")
            sink.say(row, self.agent, word, _cause(word[0], unsigned=True), _RANK)
            return
        body = read_object(payload)
        replayed = message.origin is Origin.REPLAY
        if not replayed and self._sequence.repeated(body.get("boot"), body.get("seq"), message.received_us):
            sink.batch.duplicate[row] = True
            return
        self._declare(row, body, sink)
        told = next((body[key] for key in ("state", "status") if isinstance(body.get(key), str)), "")
        word = read_status_word(told)
        if word is None:
            raise Unread("shape")
        sink.say(row, self.agent, word, _cause(word[0], unsigned="ts" not in body and "seq" not in body), _RANK)

    def _declare(self, row: int, body: dict[str, Any], sink: Sink) -> None:
        capabilities = body.get("capabilities")
        declaration = Declaration(
            row, self.agent, SOURCE, _text(body, "name"), _text(body, "group"),
            _interval_us(body.get("interval_s")),
            _text(body, "host"), _text(body, "version"),
            tuple(one for one in capabilities if isinstance(one, str)) if isinstance(capabilities, list) else None,
        )  # fmt: skip
        if declaration != Declaration(row, self.agent, SOURCE) and sink.declarations.is_news(
            declaration, sink.names.agents[self.agent]
        ):
            sink.batch.declarations.append(declaration)


class _Metrics(msgspec.Struct, gc=False):
    """The usual shape, read without a detour: anything else fails to decode and is read the long way."""

    metrics: dict[str, float] | None = None
    ts: float | str | None = None
    boot: str | None = None
    seq: int | None = None


_decode_metrics = msgspec.json.Decoder(_Metrics).decode


class MetricsPlan:
    """`agents/<id>/metrics`. Knows the series of the names that came last: agents send the same names each time."""

    kind = Kind.METRICS
    __slots__ = ("_names", "_scales", "_sequence", "_series", "_shaped", "_steady", "_wanted", "agent", "topic")

    def __init__(self, topic: int, agent: int, sink: Sink) -> None:
        self.topic, self.agent = topic, agent
        self._sequence = sink.sequences.of(topic, agent)
        self._names: list[str] | None = None
        self._series = array("I")
        self._scales: Scales | None = None  # None: all names are in base units, as they should
        self._shaped: Decode | None = None  # a decoder for just these names
        self._steady, self._wanted = 0, STEADY  # messages with these names in a row, and how many make it worthwhile

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        _, payload, _, _, _, _, _, received_us, origin, _ = message
        if origin is Origin.REPLAY:
            return
        if self._shaped is not None:
            try:
                shaped = self._shaped(payload)
            except FAILURES:
                self._shaped, self._steady, self._wanted = None, 0, min(4 * self._wanted, 1 << 20)
            else:
                if shaped.seq is not None and self._sequence.repeated(shaped.boot, shaped.seq, received_us):
                    sink.batch.duplicate[row] = True
                    return
                time_us = _time_us(shaped.ts, received_us)
                if self._scales is None:
                    sink.batch.add_samples(row, time_us, self._series, astuple(shaped.metrics))
                else:
                    sink.batch.add_samples(row, time_us, *scaled(self._series, astuple(shaped.metrics), self._scales))
                return
        try:
            body = _decode_metrics(payload)
        except FAILURES:
            self._read_any(row, message, sink)
            return
        metrics = body.metrics
        if metrics is None:
            self._read_any(row, message, sink)
            return
        if body.seq is not None and self._sequence.repeated(body.boot, body.seq, received_us):
            sink.batch.duplicate[row] = True
            return
        if self._put(row, _time_us(body.ts, received_us), list(metrics), list(metrics.values()), sink):
            self._steady += 1
            if self._steady >= self._wanted:
                self._shaped = sink.shapes.of(metrics)
                self._steady = 0

    def _read_any(self, row: int, message: RawMessage, sink: Sink) -> None:
        body = read_object(message.payload)
        received_us = message.received_us
        if self._sequence.repeated(body.get("boot"), body.get("seq"), received_us):
            sink.batch.duplicate[row] = True
            return
        figures = body.get("metrics")
        if not isinstance(figures, dict):
            figures = {key: value for key, value in body.items() if key not in _OWN_KEYS}
        names: list[str] = []
        values: list[float] = []
        flatten(figures, "", names, values)
        self._put(row, read_time(body.get("ts"), received_us) or received_us, names, values, sink)

    def _put(self, row: int, time_us: int, names: list[str], values: list[float], sink: Sink) -> bool:
        """True where all names are the ones that came last."""
        same = names == self._names
        if not same:
            figures = [sink.figure(self.agent, name, *contract_unit(name), SOURCE) for name in names]
            self._series = array("I", [one.series for one in figures])
            self._scales = scales_of([one.scale for one in figures])
            remembered = 2 * self._series.count(0) <= len(names)  # whoever invents names is not to be learned by heart
            self._names, self._steady = names if remembered else None, 0
            if self._wanted == STEADY and 0 not in self._series:
                self._shaped = sink.shapes.known(names)
        series: Sequence[int] = self._series
        put: Sequence[float] = values
        if self._scales is not None:
            series, put = scaled(series, values, self._scales)
        if 0 in series:
            sink.unread(row, "too-many-series")
            put = [value for value, one in zip(put, series, strict=True) if one]
            series = array("I", [one for one in series if one])
            same = False
        if series:
            sink.batch.add_samples(row, time_us, series, put)
        return same


def _time_us(ts: float | str | None, received_us: int) -> int:
    """The agent's own time where plausible, else arrival."""
    if type(ts) is float and 1e6 < ts < 1e11:
        time_us = int(ts * 1_000_000 + 0.5)
        return time_us if -PLAUSIBLE_US <= time_us - received_us <= PLAUSIBLE_US else received_us
    return read_time(ts, received_us) or received_us


_PLANS: dict[str, Callable[[int, int, Sink], Plan]] = {
    "status": StatusPlan,
    "metrics": MetricsPlan,
    "log": LogPlan,
    "task": TaskPlan,
    "connection": AttemptPlan,
}


def _cause(presence: Presence, unsigned: bool) -> Cause:
    """`unsigned`: without ts and seq, as a will is. `stopped` is a goodbye however it comes."""
    if presence is Presence.STOPPED:
        return Cause.GOODBYE
    return Cause.WILL if presence is Presence.OFFLINE and unsigned else Cause.STATUS


def _interval_us(value: object) -> int | None:
    seconds = number_of(value)
    if seconds is None or not 0 < seconds <= LONGEST_INTERVAL_S:
        return None
    return max(1, round(seconds * 1_000_000))


def _text(body: dict[str, Any], key: str) -> str | None:
    value = body.get(key)
    return value if isinstance(value, str) and value else None
