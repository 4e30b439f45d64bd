"""How it was earlier: the samples of the range that is shown, so much before, drawn where the present is drawn."""

from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot

from models.domain.clock import Clock
from models.domain.queries import DataSource
from models.domain.tail import Interest
from models.domain.time_range import TimeRange
from widgets.common.throttle import Throttle
from widgets.explore.panel_feed import PanelFeed
from widgets.frame.time_range import TimeRangeModel
from widgets.plots.curves import Curve, Reading, Shape, Spans, Window

_PASSING_MS = 500


class EarlierRange(QObject):
    """What a feed asks of `TimeRangeModel`, moved into the past. It is never live: whoever draws calls `time_passed`."""

    changed = Signal(object)
    live = False

    def __init__(self, times: TimeRangeModel, shift_us: int, parent: QObject) -> None:
        super().__init__(parent)
        self._times, self.shift_us = times, shift_us
        self._passing = Throttle(self.moved_on, _PASSING_MS, self)
        times.changed.connect(self.moved_on)

    def current(self) -> TimeRange:
        """The range as it is at this moment, so much earlier."""
        now = self._times.current()
        return TimeRange(now.since_us - self.shift_us, now.until_us - self.shift_us, live=False)

    @Slot()
    def moved_on(self) -> None:
        """The present is another; a feed asks again where what it has does not reach so far."""
        self.changed.emit(self.current())

    def time_passed(self) -> None:
        """The present has moved on by a pixel. It is told less often than that: a feed waits until nothing more is told."""
        self._passing.want()


class _NoTail:
    """What was earlier does not come in."""

    def follow(self, deliver: object) -> None:
        """As in `Tail`."""

    def set_interest(self, interest: Interest) -> None:
        """As in `Tail`."""


def earlier_feed(source: DataSource, times: EarlierRange, clock: Clock) -> PanelFeed:
    """A feed of what was so much earlier."""
    return PanelFeed(source, _NoTail(), times, clock, times)


class EarlierCurve:
    """Implements `Curve`: another one, drawn `shift_us` later than it was."""

    def __init__(self, inner: Curve, shift_us: int) -> None:
        self.name, self.unit, self.colour, self.tooltip = inner.name, inner.unit, inner.colour, inner.tooltip
        self._inner, self._shift_us = inner, shift_us
        self.gaps: Spans | None = None
        """Of the earlier time, at the times when they were."""

    def shape(self, window: Window) -> Shape:
        shift = self._shift_us
        gaps = window.gaps if self.gaps is None else self.gaps
        shape = self._inner.shape(Window(window.since_us - shift, window.until_us - shift, window.columns, gaps))
        band = shape.band
        if band is not None:
            band = band._replace(since_us=band.since_us + shift, until_us=band.until_us + shift)
        hourly = None if shape.hourly is None else (shape.hourly[0] + shift, shape.hourly[1] + shift)
        return replace(
            shape, x_us=shape.x_us + shift, resets=shape.resets + shift, carried=shape.carried + shift, band=band,
            hourly=hourly,
        )  # fmt: skip

    def reading(self, at_us: int) -> Reading:
        return self._inner.reading(at_us - self._shift_us)

    def current(self, until_us: int) -> Reading:
        return self._inner.current(until_us - self._shift_us)
