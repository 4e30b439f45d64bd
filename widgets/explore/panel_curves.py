"""Curves for what a panel shows, each with the gaps of its own agent and a name that tells it from the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from models.domain.layouts.layout import Panel, Shown
from models.domain.queries import HOUR_QUANTILES, Float64, GapColumns, Int64
from widgets.common.numbers import duration_text
from widgets.common.plain import visible
from widgets.explore.earlier import EarlierCurve
from widgets.explore.panel_feed import QUERY_FIGURE, PanelFeed
from widgets.explore.pulse_curve import PulseCurve
from widgets.explore.resolving import FoundSeries
from widgets.heat.subject import HeatSubject
from widgets.plots.buffer import SeriesBuffer
from widgets.plots.counter_curves import IncreaseCurve, RateCurve
from widgets.plots.curves import NO_SPANS, Curve, LineCurve, Reading, Shape, Spans, Window, raw_points, spans_of
from widgets.plots.percentiles import QuantileBuckets, QuantileCurve
from widgets.plots.plot_picture import EARLIER_COLOURS

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected
_LONGEST_QUERY = 80
_MOST_ROLES = 3  # that a title names
QUANTILES = {Shown.P50: 0, Shown.P95: 1, Shown.P99: 2}


@dataclass(slots=True)
class RawSeries:
    """Implements `RawPoints`. What is drawn `shift_us` later than it was keeps the times when it was."""

    name: str
    unit: str
    buffer: SeriesBuffer
    shift_us: int

    def points(self, since_us: int, until_us: int) -> tuple[Int64, Float64]:
        return raw_points(self.buffer, since_us - self.shift_us, until_us - self.shift_us)


class PanelCurve:
    """Implements `Curve` for one series of a panel; `found` says whose it is."""

    def __init__(
        self, found: FoundSeries, name: str, colour: int, inner: Curve, buffer: SeriesBuffer, shift_us: int = 0
    ) -> None:
        """`shift_us`: drawn so much later than it was."""
        self.found, self.name, self.colour, self.buffer, self.shift_us = found, name, colour, buffer, shift_us
        self.inner = EarlierCurve(inner, shift_us) if shift_us else inner
        self.counted = inner if isinstance(inner, IncreaseCurve | PulseCurve) else None
        """What tells by how much it rose."""
        self.raw = RawSeries(name, found.measured_unit, buffer, shift_us)
        self.unit = found.unit
        self.tooltip = _tooltip(found)
        self._gaps: Spans = NO_SPANS

    @property
    def needs_all(self) -> bool:
        """Does it tell what an envelope says nothing of?"""
        return self.found.shown in QUANTILES or (self.found.counts and not self.found.is_counter)

    def set_gaps(self, gaps: GapColumns) -> None:
        """What history does not cover, of all agents."""
        self._gaps = spans_of(gaps, self.found.agent)

    def shape(self, window: Window) -> Shape:
        return self.inner.shape(window._replace(gaps=self._gaps))

    def reading(self, at_us: int) -> Reading:
        return self.inner.reading(at_us)

    def current(self, until_us: int) -> Reading:
        return self.inner.current(until_us)


def make_curves(
    found: Sequence[FoundSeries], feed: PanelFeed, interval_us: Callable[[int], int], shift_us: int = 0
) -> list[PanelCurve]:
    """One for each; `interval_us` of an agent, 0: none is known. `shift_us`: the feed brings what was so much earlier."""
    buckets: dict[int, QuantileBuckets] = {}
    names = curve_names(found)
    if shift_us:
        ago = translate("ExplorePanel", "{name} ({span} earlier)").replace("{span}", duration_text(shift_us))
        names = [ago.replace("{name}", name) for name in names]
    curves = []
    for number, (one, name) in enumerate(zip(found, names, strict=True)):
        colour = number + (EARLIER_COLOURS if shift_us else 0)
        buffer = feed.buffer(one.series)
        inner: Curve
        if one.series < 0:
            steps, figures = feed.counted(one.series, one.agent)
            figure = one.plotted.role or QUERY_FIGURE
            inner = PulseCurve(name, one.unit, steps, figures, figure, colour, per_second=one.shown is Shown.RATE)
        elif one.shown in QUANTILES:
            if one.series not in buckets:
                buckets[one.series] = QuantileBuckets(buffer, HOUR_QUANTILES)
            row = QUANTILES[one.shown]
            inner = QuantileCurve(name, one.unit, buckets[one.series], row, colour, marks_few=row == 2)
        elif one.counts:
            made = RateCurve if one.shown is Shown.RATE else IncreaseCurve
            inner = made(name, one.unit, buffer, colour, declared=one.is_counter)
        else:
            line = LineCurve(name, one.unit, buffer, colour)
            line.interval_us = interval_us(one.agent)
            inner = line
        curves.append(PanelCurve(one, name, colour, inner, buffer, shift_us))
    return curves


def curve_names(found: Sequence[FoundSeries]) -> list[str]:
    """What tells them apart: the agent, the series, how it is drawn, or all of that."""
    ways: dict[str, set[Shown]] = {}
    for one in found:
        ways.setdefault(one.text, set()).add(one.shown)
    several_agents = len({one.agent for one in found}) > 1
    several_series = len({(one.text, one.shown) for one in found}) > 1
    by_role = all(one.plotted.role for one in found) and len({(one.plotted.role, one.shown) for one in found}) == 1
    namesakes = len({one.agent_name for one in found}) < len({one.agent for one in found})
    names = []
    for one in found:
        parts = [one.agent_title if namesakes else one.agent_name] if several_agents or not several_series else []
        if several_series and not (several_agents and by_role):
            parts.append(_kind_text(one) + (_way_text(one.shown) if len(ways[one.text]) > 1 else ""))
        names.append(" · ".join(parts))
    return names


def _way_text(shown: Shown) -> str:
    words = {
        Shown.RATE: translate("ExplorePanel", " per second"),
        Shown.INCREASE: translate("ExplorePanel", " per step"),
        Shown.VALUE: translate("ExplorePanel", " as it is"),
    }
    return words.get(shown, "")


def panel_title(panel: Panel, found: Sequence[FoundSeries], agent: str) -> str:
    """Its own title, or one made from its content; `agent`: the one that a repeated panel is about."""
    title = visible(panel.title) or _made_title(panel, found, "" if agent else None)
    return " · ".join(filter(None, (title, agent)))


def heat_title(panel: Panel, subject: HeatSubject) -> str:
    """The same of a heat-map."""
    one = panel.plotted[0]
    made = subject.text or role_word(one.role)
    return visible(panel.title) or (f"{made} {one.shown}" if one.shown in QUANTILES else made)


def _made_title(panel: Panel, found: Sequence[FoundSeries], otherwise: str | None) -> str:
    roles = {(one.role, one.shown) for one in panel.plotted}
    if panel.plotted and len(roles) == 1 and panel.plotted[0].role:
        shown = panel.plotted[0].shown
        return role_word(panel.plotted[0].role) + (f" {shown}" if shown in QUANTILES else "")
    if panel.plotted and len(roles) <= _MOST_ROLES and all(one.role for one in panel.plotted):
        return " · ".join(dict.fromkeys(role_word(one.role) for one in panel.plotted))
    kinds = {_kind_text(one): one for one in found}
    agents = {one.agent_name for one in found}
    if len(kinds) == 1:
        return next(iter(kinds))
    if otherwise is not None:
        return otherwise
    if len(agents) == 1:
        return next(iter(agents))
    if not panel.plotted:
        return translate("ExplorePanel", "Empty panel")
    named = {visible(one.metric or one.query or role_word(one.role), 60) for one in panel.plotted}
    if not found and len(named) == 1:
        return named.pop()
    return translate("ExplorePanel", "{n} series").replace("{n}", str(len(found) or len(panel.plotted)))


def role_word(role: str) -> str:
    """What a role is called; one that is not known by its name."""
    words = {
        "cpu": translate("Role", "CPU"),
        "memory": translate("Role", "Memory"),
        "response": translate("Role", "Response time"),
        "attempts": translate("Role", "Connection attempts"),
        "successes": translate("Role", "Connections that succeeded"),
        "errors": translate("Role", "Connection errors"),
        "messages": translate("Role", "Messages"),
        "finished": translate("Role", "Finished work"),
        "failed": translate("Role", "Failed work"),
        "error_ratio": translate("Role", "Error ratio"),
        "log_errors": translate("Role", "Errors in logs"),
    }
    return words.get(role) or visible(role, 60)


def _counted_tip(figure: str) -> str:
    return {
        "messages": translate("Role", "Messages of the agent, as the recorder counts them"),
        "finished": translate(
            "Role", "Tasks that were completed or failed, and requests that were answered or timed out"
        ),
        "failed": translate("Role", "Tasks that failed, and requests that timed out or were answered with an error"),
        "error_ratio": translate(
            "Role", "Failed ÷ finished over tasks and answered requests; where nothing was finished there is no data"
        ),
        "log_errors": translate("Role", "Log records of level error and fatal"),
    }.get(figure, "")


def _kind_text(one: FoundSeries) -> str:
    """What it is called, without whose it is."""
    text = role_word(one.plotted.role) if one.series < 0 and one.plotted.role else visible(one.text, _LONGEST_QUERY)
    return f"{text} {one.shown}" if one.shown in QUANTILES else text


def _tooltip(one: FoundSeries) -> str:
    if one.plotted.query:
        return translate("ExplorePanel", "Log records that this query finds: {query}").replace(
            "{query}", visible(one.text)
        )
    if one.series < 0:
        return _counted_tip(one.plotted.role)
    text = translate("ExplorePanel", "{agent}: {metric} in {unit}, read by {source}")
    unit = one.words.unit or translate("ExplorePanel", "no unit")
    metric = f"{one.words.metric} {one.words.labels}".strip()
    places = {"agent": one.agent_title, "metric": metric, "unit": unit, "source": one.words.source}
    for place, value in places.items():
        text = text.replace("{" + place + "}", visible(value, 300))
    if one.shown_as is not None and one.shown_as.from_idle:
        text += "\n" + translate("ExplorePanel", "Shown is what is left of 100 %.")
    return text
