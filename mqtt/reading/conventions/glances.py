"""Glances: `<root>/<device>/<plugin>` with all a plugin measures as JSON, or `<root>/<device>/<plugin>/<field>` with one value.

Its thresholds come as if they were measured, and how much history it keeps: neither is a figure.
"""

from array import array
from collections.abc import Sequence
from functools import lru_cache

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.names import SeriesKind
from models.domain.presence_words import Cause, Condition, Presence, read_status_word
from models.domain.records import Declaration
from mqtt.reading.decode import FAILURES, read_object, read_text
from mqtt.reading.generic_numbers import flatten, read_number
from mqtt.reading.object_shapes import ObjectShape
from mqtt.reading.plan import Figure, Plan, Sink, Unread
from mqtt.reading.shapes import STEADY
from mqtt.reading.units import Scales, scaled, scales_of, unit_of

SOURCE = "glances"
_RANK = 2  # a retained word with a will
_PLUGINS = frozenset(
    "alert amps cloud connections containers core cpu diskio docker folders fs gpu help ip irq load mem memswap network now"
    " percpu ports processcount processlist psutilversion quicklook raid sensors smart system uptime version vms wifi".split()
)
_THRESHOLDS = ("_careful", "_warning", "_critical")
_UNITS = {
    plugin: {field: unit for unit, fields in told.items() for field in fields.split()}
    for plugins, told in (
        ("cpu percpu", {"%": "total user system idle iowait nice irq softirq steal guest guest_nice dpc interrupt"}),
        ("mem memswap fs folders", {"By": "total available used free active inactive buffers cached shared wired size sin sout"}),
        ("network", {"bit/s": "speed"}),
        ("diskio", {"ms": "read_time write_time read_latency write_latency"}),
        ("quicklook", {"%": "cpu mem swap load", "Hz": "cpu_hz_current cpu_hz"}),
        ("gpu", {"%": "proc mem fan_speed", "Cel": "temperature"}),
        ("containers docker vms", {"By": "memory_usage memory_limit memory_usage_no_cache"}),
        ("wifi", {"dBm": "quality_level"}),
    )
    for plugin in plugins.split()
}  # fmt: skip


@lru_cache(4_096)
def unit_in_glances(plugin: str, field: str) -> tuple[str, SeriesKind]:
    """Unit and kind of the last part of a figure's name."""
    if field.endswith("_gauge"):
        return unit_in_glances(plugin, field.removesuffix("_gauge"))[0], SeriesKind.COUNTER
    if field.endswith("_rate_per_sec"):
        return unit_in_glances(plugin, field.removesuffix("_rate_per_sec"))[0] + "/s", SeriesKind.GAUGE
    known = _UNITS.get(plugin, {}).get(field)
    if known is not None:
        return known, SeriesKind.COUNTER if field in ("sin", "sout") else SeriesKind.GAUGE
    words = field.split("_")
    if "percent" in words:
        return "%", SeriesKind.GAUGE
    if "bytes" in words:
        return "By", SeriesKind.GAUGE
    return ("s", SeriesKind.GAUGE) if field == "time_since_update" else unit_of(field)


def _is_hidden(field: str) -> bool:
    return field == "history_size" or field.endswith(_THRESHOLDS)


class GlancesRecogniser:
    """Claims what lies below a level `glances`, and topics of a plugin whose object bears its mark."""

    uses_declarations = False

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:
        at = next((i for i, level in enumerate(levels[:-2]) if level.casefold() == SOURCE), -1)
        if at < 0:
            if len(levels) < 2 or levels[-1] not in _PLUGINS or b'"history_size"' not in message.payload:
                return None
            at = len(levels) - 3
            sink.declarations.settle(tuple(levels[:-1]), levels[-2])
        device, below = levels[at + 1], levels[at + 2 :]
        if not device or not all(below):
            return None
        if below == ["availability"]:
            return AvailabilityPlan(topic, device)
        if len(below) == 1:
            return PluginPlan(topic, device, below[0], sink)
        return FieldPlan(topic, device, below, sink)


def _begin(row: int, device: str, sink: Sink) -> int:
    agent = sink.batch.agent[row] = sink.agent(device)
    declaration = Declaration(row, agent, SOURCE)
    if sink.declarations.is_news(declaration, device):
        sink.batch.declarations.append(declaration)
    return agent


class AvailabilityPlan:
    """`online`, and `offline` as its will."""

    kind = Kind.STATUS

    def __init__(self, topic: int, device: str) -> None:
        self.topic, self.agent = topic, 0
        self._device = device

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        text = read_text(message.payload)
        word = read_status_word(text) if text else (Presence.OFFLINE, Condition.OK)
        if word is None:
            raise Unread("shape")
        self.agent = _begin(row, self._device, sink)
        sink.say(row, self.agent, word, Cause.STATUS if word[0] is Presence.ONLINE else Cause.WILL, _RANK)


class PluginPlan:
    """All that a plugin measured, in one object; what it holds many of (interfaces, disks) is an object each."""

    kind = Kind.METRICS

    def __init__(self, topic: int, device: str, plugin: str, sink: Sink) -> None:
        self.topic, self.agent = topic, sink.names.known_agent(device)
        self._device, self._plugin = device, plugin
        self._names: list[str] = []
        self._places: list[int] = []  # of the names that are kept
        self._series = array("I")
        self._scales: Scales | None = None
        self._shape: ObjectShape | None = None  # for objects like the last ones
        self._steady, self._wanted = 0, STEADY

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        if self._shape is not None:
            try:
                self._put(row, message, self._shape.figures(self._shape.decode(message.payload)), sink)
                return
            except FAILURES:
                self._shape, self._steady, self._wanted = None, 0, min(4 * self._wanted, 1 << 20)
        body = read_object(message.payload)
        names: list[str] = []
        values: list[float] = []
        hidden = frozenset(filter(_is_hidden, body))
        flatten({key: value for key, value in body.items() if key not in hidden}, self._plugin, names, values)
        if names != self._names:
            self._learn(row, names, sink)
        elif self._places:
            self._steady += 1
            if self._steady >= self._wanted:
                self._steady = 0
                self._shape = sink.object_shapes.of(body, None, hidden)
        self._put(row, message, values, sink)

    def _learn(self, row: int, names: list[str], sink: Sink) -> None:
        self._steady = 0
        places, figures = [], []
        shown = [
            (place, name, field) for place, name in enumerate(names) if not _is_hidden(field := name.rpartition(".")[2])
        ]
        if shown:
            self.agent = _begin(row, self._device, sink)
        for place, name, field in shown:
            figure = sink.figure(self.agent, name, *unit_in_glances(self._plugin, field), SOURCE)
            if figure.series:
                places.append(place)
                figures.append(figure)
            else:
                sink.unread(row, "too-many-series")
        self._names, self._places = names, places
        self._series, self._scales = (
            array("I", [one.series for one in figures]),
            scales_of([one.scale for one in figures]),
        )

    def _put(self, row: int, message: RawMessage, values: Sequence[float], sink: Sink) -> None:
        series: Sequence[int] = self._series
        if len(self._places) < len(values):
            values = [values[place] for place in self._places]
        if self._scales is not None:
            series, values = scaled(series, values, self._scales)
        if series:
            sink.batch.add_samples(row, message.received_us, series, values)


class FieldPlan:
    """One value; a text or a truth is none."""

    kind = Kind.METRICS

    def __init__(self, topic: int, device: str, below: list[str], sink: Sink) -> None:
        self.topic, self.agent = topic, sink.names.known_agent(device)
        self._device, self._plugin, self._name = device, below[0], ".".join(below)
        self._hidden = _is_hidden(below[-1])
        self._unit = unit_in_glances(below[0], below[-1])
        self._figure = Figure(0, None)

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if self._hidden or message.origin is Origin.REPLAY:
            return
        number = read_number(read_text(message.payload))
        if number is None or number[1]:
            return  # a text, such as `64bit`
        if not self._figure.series:
            self.agent = _begin(row, self._device, sink)
            self._figure = sink.figure(self.agent, self._name, *self._unit, SOURCE)
        sink.put(row, message.received_us, (self._figure,), (number[0],))
