"""What people marked in time, on a plot: a flag on the time axis with a line above it, of a stretch a tinted area with a bar.
What happened by itself has other shapes, at the top."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QCoreApplication, QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF

from models.domain.annotations import Annotation
from models.domain.queries import Float64
from widgets.common.tokens import Theme
from widgets.notes.book import AnnotationBook
from widgets.notes.note_texts import short_text, time_text, told_text
from widgets.plots.frame import Frame

_FLAG = ((0.0, -13.0), (9.0, -9.5), (0.0, -6.0))
_NEAR_PIXELS, _FLAG_PIXELS = 5, 10
_BAR_PIXELS = 3
_APART_PIXELS = 9
_POLE, _FLAG_WIDTH, _FLAG_HEIGHT = 1, 13, 14
_TINT = 26  # of 255
_MOST_NAMED = 4


class _Placed(NamedTuple):
    left: float
    right: float  # the same where it is a moment
    annotation: Annotation


class NoteLayer:
    """Of a plot that shows these agents: what concerns everybody, or one of them. Of whatever shows all agents: all there is.
    GUI thread."""

    def __init__(self, book: AnnotationBook) -> None:
        self.book = book
        self._agents: Mapping[int, str] | None = {}
        self._placed: list[_Placed] = []
        self._left: Float64 = np.zeros(0)  # where each begins
        self._lines: list[float] = []
        self._bars: list[tuple[float, float]] = []
        self._drawn: tuple[Theme, float, QPixmap] | None = None
        self._some: list[Annotation] = []
        self._since = self._until = np.zeros(0, np.int64)
        self.choose()

    @property
    def agents(self) -> tuple[int, ...]:
        return tuple(self._agents or ())

    def show_agents(self, agents: Mapping[int, str] | None) -> None:
        """Who is shown, with what they are called; None: everybody."""
        if self._agents != agents:
            self._agents = agents
            self.choose()

    def choose(self) -> None:
        """The book changed."""
        agents = self._agents
        self._some = [one for one in self.book.all if agents is None or not one.agent or one.agent in agents]
        self._since = np.array([one.since_us for one in self._some], np.int64)
        self._until = np.array([one.until_us for one in self._some], np.int64)

    # ------------------------------------------------------------ drawing

    def paint_stretches(self, painter: QPainter, frame: Frame, theme: Theme) -> None:
        """Behind the curves; where everything stands is known from then on."""
        shown = np.flatnonzero((self._since < frame.until_us) & (self._until >= frame.since_us))
        area = frame.area
        factor = area.width() / (frame.until_us - frame.since_us)
        left = ((self._since[shown] - frame.since_us) * factor + area.left()).astype(np.float64)
        right = ((self._until[shown] - frame.since_us) * factor + area.left()).astype(np.float64)
        self._placed = [
            _Placed(since, until, self._some[place])
            for since, until, place in zip(left.tolist(), right.tolist(), shown.tolist(), strict=True)
        ]
        self._left, ends = left, np.unique(np.rint(np.concatenate((left, right))))
        self._lines = ends[(ends >= area.left()) & (ends <= area.right())].tolist()
        self._bars = [
            (max(since, area.left()), min(max(until, since + 2), area.right()))
            for since, until, one in self._placed
            if one.is_stretch
        ]
        tint = QColor(theme.accent)
        tint.setAlpha(_TINT)
        for since, until in self._bars:
            painter.fillRect(QRectF(since, area.top(), until - since, area.height()), tint)

    def paint_flags(self, painter: QPainter, frame: Frame, theme: Theme) -> None:
        """Above the curves. Flags that would hide each other are one."""
        if not self._placed:
            return
        area, colour = frame.area, QColor(theme.accent)
        faint = QColor(colour)
        faint.setAlphaF(0.6)
        painter.save()
        painter.setClipRect(area.adjusted(-1, 0, _FLAG_PIXELS, 1))
        painter.setPen(QPen(faint, 1))
        painter.drawLines([QLineF(x + 0.5, area.top(), x + 0.5, area.bottom()) for x in self._lines])
        for since, until in self._bars:
            painter.fillRect(QRectF(since, area.bottom() - _BAR_PIXELS, until - since, _BAR_PIXELS), colour)
        flag, last = self._flag(theme, painter.device().devicePixelRatio()), -math.inf
        for x in np.sort(self._left[self._left >= area.left()]).tolist():
            if x - last >= _APART_PIXELS:
                last = x
                painter.drawPixmap(QPointF(round(x) - _POLE, area.bottom() - _FLAG_HEIGHT), flag)
        painter.restore()

    def _flag(self, theme: Theme, ratio: float) -> QPixmap:
        """Drawn once for all of them."""
        if self._drawn is None or self._drawn[:2] != (theme, ratio):
            pixmap = QPixmap(round(_FLAG_WIDTH * ratio), round(_FLAG_HEIGHT * ratio))
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            try:  # a painter that an exception leaves open takes the process down
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(QPen(QColor(theme.surface), 1))
                painter.setBrush(QColor(theme.accent))
                painter.drawPolygon(QPolygonF([QPointF(_POLE + 0.5 + x, _FLAG_HEIGHT + y) for x, y in _FLAG]))
                painter.setPen(QPen(QColor(theme.accent), 1.5))
                painter.drawLine(QLineF(_POLE + 0.5, _FLAG_HEIGHT, _POLE + 0.5, _FLAG_HEIGHT + _FLAG[0][1]))
            finally:
                painter.end()
            self._drawn = theme, ratio, pixmap
        return self._drawn[2]

    # ------------------------------------------------------------ what lies under the pointer

    def flags_at(self, frame: Frame, at: QPointF) -> list[Annotation]:
        """Those whose line or flag is there, the nearest first; of a stretch also where it ends."""
        if not frame.area.adjusted(-4, -6, _FLAG_PIXELS, 4).contains(at):
            return []
        low = at.y() > frame.area.bottom() - _FLAG_PIXELS - _BAR_PIXELS
        found = []
        for left, right, one in self._placed:
            away = min(abs(at.x() - left), abs(at.x() - right))
            on_flag = low and 0 <= at.x() - left <= _FLAG_PIXELS
            if away <= _NEAR_PIXELS or on_flag:
                found.append((away, one))
        return [one for _, one in sorted(found, key=lambda each: each[0])]

    def here(self, frame: Frame, at: QPointF) -> list[Annotation]:
        """As above, then the stretches that lie there, the shortest first."""
        found = self.flags_at(frame, at)
        if not frame.area.contains(at):
            return found
        around = [one for left, right, one in self._placed if left <= at.x() <= right and one not in found]
        return [*found, *sorted(around, key=lambda one: one.until_us - one.since_us)]

    def spoken(self) -> str:
        """What is in sight, in a few words; empty where nothing is."""
        if not self._placed:
            return ""
        names = [short_text(one) for _, _, one in self._placed[:_MOST_NAMED]]
        text = QCoreApplication.translate("Annotations", "{n} annotations: {names}").replace(
            "{n}", str(len(self._placed))
        )
        return text.replace("{names}", ", ".join([*names, "…"] if len(self._placed) > len(names) else names))

    def told(self, some: list[Annotation]) -> str:
        """For a tooltip; empty where there are none."""
        lines = [f"{time_text(one)}  {told_text(one, self._named(one))}" for one in some[:_MOST_NAMED]]
        more = len(some) - _MOST_NAMED
        text = QCoreApplication.translate("Annotations", "and {n} more").replace("{n}", str(more))
        return "\n".join([*lines, text] if more > 0 else lines)

    def _named(self, one: Annotation) -> str:
        """Whose it is, where that is not plain."""
        if self._agents is None:
            return one.agent_id
        return self._agents.get(one.agent, "") if len(self._agents) > 1 else ""
