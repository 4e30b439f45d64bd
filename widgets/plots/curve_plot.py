"""A plot over time as a picture: curves that share one or two value axes, their legend, gaps and marks, and all of it in words."""

import math
from collections.abc import Collection, Sequence

from PySide6.QtCore import QPointF, QRectF, Signal
from PySide6.QtGui import QFontMetricsF, QGuiApplication, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from widgets.common.frame_clock import FrameClock
from widgets.common.numbers import value_text
from widgets.common.plain import visible
from widgets.common.theme import ThemeHolder
from widgets.frame.time_range import TimeCursor, TimeRangeModel
from widgets.plots.captioned import captioned, span_caption
from widgets.plots.curves import NO_SHAPE, NO_SPANS, Curve, RawPoints, Reading, Shape, Spans, Window
from widgets.plots.marks import Band, Mark, MarkKind, PlacedMark, place_marks
from widgets.plots.notes import NoteLayer
from widgets.plots.percentiles import FEW
from widgets.plots.plot_axes import Axes
from widgets.plots.plot_header import LINE_PIXELS, Entry, Legend, PlacedEntry, paint_header
from widgets.plots.plot_picture import (
    EARLIER_COLOURS,
    HEADER_PIXELS,
    RIGHT_PIXELS,
    Layer,
    Picture,
    axis_width,
    curve_style,
    plot_area,
)
from widgets.plots.plot_summary import summary
from widgets.plots.pyqtgraph_curve import CurveItem
from widgets.plots.surface import TimeSurface
from widgets.plots.thresholds import Threshold, Thresholds

_SUMMARY_EVERY_US = 1_000_000


class CurvePlot(TimeSurface):
    """Curves, their legend, gaps and events.

    `set_curves` says what, `data_changed` that there is more of it. Title and sentences are translated, curve names are
    taken as outside text. With `legend_lines` the names stand in up to so many lines of their own, without a title, and
    every curve bears a marker. GUI thread.
    """

    drawn = Signal()
    """`shapes` are new."""

    def __init__(
        self,
        title: str,
        unit: str,
        frame_clock: FrameClock,
        time_range: TimeRangeModel,
        cursor: TimeCursor,
        theme: ThemeHolder,
        parent: QWidget | None = None,
        *,
        floor: float | None = 0.0,
        legend_lines: int = 0,
    ) -> None:
        super().__init__(frame_clock, time_range, cursor, theme, parent)
        self.title = title
        self._axes = Axes(unit, floor)
        self._thresholds = Thresholds(self._axes)
        self._legend = Legend(legend_lines) if legend_lines else None
        self._subject = ""
        self._sentence = ""
        self._curves: list[Curve] = []
        self._raw: list[RawPoints] = []
        self._items: list[CurveItem] = []
        self._off: frozenset[int] = frozenset()
        self.shapes: list[Shape] = []
        self._gaps: Spans = NO_SPANS
        self._bands: list[Band] = []
        self._marks: list[Mark] = []
        self._placed_marks: list[PlacedMark] = []
        self._placed_entries: list[PlacedEntry] = []
        self._notes: NoteLayer | None = None
        self._extent = (math.nan, math.nan)
        self._summed = 0  # so many points were drawn last
        self._summary_us = 0  # end of the window that was described last; 0: describe anew
        self.setMinimumHeight(HEADER_PIXELS + 56)
        self.setAccessibleName(title)

    # ------------------------------------------------------------ what it shows

    def set_subject(self, name: str) -> None:
        """Whose figures these are (outside text), for the description that screen readers read."""
        self._subject = visible(name)

    def set_title(self, title: str) -> None:
        """What it is called from now on."""
        self.title = title
        self.setAccessibleName(title)
        self._summary_us = 0

    def set_curves(self, curves: Sequence[Curve], raw: Sequence[RawPoints]) -> None:
        """Draw these instead; `raw` is what copying and the table give."""
        self._curves, self._raw = list(curves), list(raw)
        self._items = [CurveItem() for _ in curves]
        self._off = frozenset()
        self._axes.forget()
        self._summary_us = 0
        self.data_changed()

    def set_off(self, off: Collection[int]) -> None:
        """Do not draw these curves (places among `curves`); their names stay."""
        if frozenset(off) != self._off:
            self._off = frozenset(off)
            self._axes.forget()
            self._summary_us = 0
            self.data_changed()

    @property
    def unit(self) -> str:
        """Of the value axis at the left."""
        return self._axes.left.unit

    def set_unit(self, unit: str, right: str | None = None) -> None:
        """The unit of the value axis, where it is not known from the start; `right`: of a second one."""
        if self._axes.set_units(unit, right):
            self.data_changed()
            self.placed.emit()

    def set_floors(self, left: float | None = None, right: float | None = None) -> None:
        """A value of each axis that stays in sight; None: none has to."""
        self._axes.set_floors(left, right)
        self.data_changed()

    def set_gaps(self, gaps: Spans, bands: Sequence[Band]) -> None:
        """Lines end at `gaps`; `bands` shade them and say why."""
        self._gaps, self._bands = gaps, list(bands)
        self.data_changed()

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Events to mark, in any order."""
        self._marks = list(marks)
        self.data_changed()

    def set_sentence(self, sentence: str) -> None:
        """What stands in the middle while no curve has a point: loading, why there is nothing, what went wrong."""
        if sentence != self._sentence:
            self._sentence = sentence
            self.data_changed()

    def set_thresholds(self, thresholds: Sequence[Threshold]) -> None:
        """Values to watch for, drawn as lines."""
        self._thresholds.all = list(thresholds)
        self.data_changed()

    @property
    def largest_value(self) -> float:
        """At the upper end of the left axis."""
        return self._axes.left.high

    def value_at(self, at: QPointF, unit: str) -> float:
        """The round value there, by the axis of this unit."""
        return self._thresholds.value_at(self._frame.area, at, unit)

    @property
    def curves(self) -> Sequence[Curve]:
        return self._curves

    @property
    def raw(self) -> Sequence[RawPoints]:
        return self._raw

    def picture(self) -> QPixmap:
        """The plot as it is on the screen, below its name and its time."""
        labelled = self._shows_time
        self._shows_time = True  # alone, none below it tells the time
        self._render()
        seen = self.grab()
        self._shows_time = labelled
        self._render()
        span = span_caption(self._frame.since_us, self._frame.until_us)
        return captioned(seen, self.full_title, span, self.font(), self._theme.theme)

    @property
    def full_title(self) -> str:
        """What it shows and whose that is."""
        return " · ".join(filter(None, (self.title, self._subject)))

    def copy(self) -> None:
        """Put the picture on the clipboard."""
        QGuiApplication.clipboard().setPixmap(self.picture())

    # ------------------------------------------------------------ drawing

    def own_margins(self) -> tuple[float, float]:
        axis = axis_width(QFontMetricsF(self.font()))
        return axis, axis if self._axes.right is not None else RIGHT_PIXELS

    def _area(self) -> QRectF:
        metrics = QFontMetricsF(self.font())
        left, right = self.margins()
        top = float(HEADER_PIXELS)
        if self._legend is not None:
            self._legend.lay_out(self._entries(None), self.width() - 18, metrics)
            top = self._legend.lines * LINE_PIXELS + 4.0
        return plot_area(self.width(), self.height(), left, self._shows_time, right, top)

    def _paint_picture(self, painter: QPainter, ratio: float) -> None:
        frame = self._frame
        window = Window(frame.since_us, frame.until_us, max(1, round(frame.area.width())), self._gaps)
        shapes = [NO_SHAPE if place in self._off else curve.shape(window) for place, curve in enumerate(self._curves)]
        self.shapes = shapes
        self._extent = self._axes.fit(self._curves, shapes, window, [one for _, one in self._thresholds.shown()])
        self._placed_marks = self._place_marks(shapes)
        theme = self._theme.theme
        layers = [
            Layer(shape, curve_style(theme, curve.colour), item, self._axes.of(curve), self._marker(curve))
            for shape, curve, item in zip(shapes, self._curves, self._items, strict=True)
        ]
        empty = self._sentence or self.tr("No data in this time")
        picture = Picture(
            frame,
            self._axes.left,
            self._axes.right,
            layers,
            self._bands,
            self._placed_marks,
            self._shows_time,
            not self._range.live,
            theme,
            empty if math.isnan(self._extent[0]) else None,
            self._notes,
        )
        picture.paint(painter, ratio)
        if not math.isnan(self._extent[0]) and not self._thresholds.dragged:
            self._thresholds.paint(painter, frame.area, theme)
        self._summarise()
        self.drawn.emit()

    def _marker(self, curve: Curve) -> int:
        return -1 if self._legend is None or curve.colour >= EARLIER_COLOURS else max(0, curve.colour)

    def _place_marks(self, shapes: Sequence[Shape]) -> list[PlacedMark]:
        own: list[Mark] = []
        for shape, curve in zip(shapes, self._curves, strict=True):
            text = self.tr("{curve}: counter restarted").replace("{curve}", visible(curve.name))
            own += [Mark(at, MarkKind.RESET, text) for at in shape.resets.tolist()]
            for at, by in zip(shape.carried.tolist(), shape.carried_by.tolist(), strict=True):
                text = self.tr("{curve}: {n} more since the last known value")
                text = text.replace("{curve}", visible(curve.name)).replace("{n}", value_text(by, shape.carried_unit))
                own.append(Mark(at, MarkKind.CARRIED, text))
        frame = self._frame
        return place_marks([*self._marks, *own], frame.since_us, frame.until_us, frame.area.width())

    def _paint_header(self, painter: QPainter, at_us: int | None) -> None:
        theme = self._theme.theme
        if self._thresholds.dragged:
            self._thresholds.paint(painter, self._frame.area, theme)
        if self._legend is not None:
            self._placed_entries = self._legend.paint(painter, QPointF(10, 2), self._entries(at_us), theme)
            return
        box = QRectF(10, 2, self.width() - 10 - 8, HEADER_PIXELS - 2)
        self._placed_entries = paint_header(painter, box, self.title, self._entries(at_us), theme)

    def _entries(self, at_us: int | None) -> list[Entry]:
        # while live what is drawn ends by up to a pixel later than now: of a week that is longer than any value is taken to last
        until, theme = self._range.current().until_us, self._theme.theme
        entries = []
        for place, curve in enumerate(self._curves):
            off, value = place in self._off, ""
            if not off:
                reading = curve.reading(at_us) if at_us is not None else curve.current(until)
                value = value_text(reading.value, curve.unit) + self._count(reading)
            style = curve_style(theme, curve.colour)
            entries.append(Entry(curve.name, value, style, curve.tooltip, self._marker(curve), off))
        return entries

    def _count(self, reading: Reading) -> str:
        """Few observations behind a percentile are told, many are not worth the room."""
        return self.tr(" (n {n})").replace("{n}", str(reading.n)) if 0 < reading.n < FEW else ""

    def _summarise(self) -> None:
        """The description for who does not see the curves; at most once a second of what goes on, and when more has come."""
        low = self._extent[0]
        drawn = sum(len(shape.x_us) for shape in self.shapes)
        if not self._range.live and drawn != self._summed:
            self._summary_us = 0
        self._summed = drawn
        told_us, self._summary_us = self._summary_us, 0 if math.isnan(low) else self._frame.until_us
        if abs(self._summary_us - told_us) < _SUMMARY_EVERY_US and self._summary_us:
            self._summary_us = told_us
            return
        if math.isnan(low):
            text = self._sentence or self.tr("No data in this time")
        else:
            shown = [entry for entry in self._entries(None) if not entry.off]
            newest = ", ".join(f"{entry.name} {entry.value}".strip() for entry in shown)
            span_us = self._frame.until_us - self._frame.since_us
            text = summary(self.title, self._subject, newest, self.unit, self._extent, span_us)
            if restarts := sum(mark.kind is MarkKind.RESET for one in self._placed_marks for mark in one.marks):
                text += "; " + self.tr("restarts of counters: {n}").replace("{n}", str(restarts))
        if self._notes is not None and (spoken := self._notes.spoken()):
            text += f"; {spoken}"
        self.setAccessibleDescription(text)
