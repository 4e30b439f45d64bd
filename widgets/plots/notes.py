"""What people marked in time, on a plot: a flag on the time axis with a line above it, of a stretch a tinted area with a bar.
What happened by itself has other shapes, at the top."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QCoreApplication, QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from models.domain.annotations import Annotation
from widgets.common.tokens import Theme
from widgets.notes.book import AnnotationBook
from widgets.notes.note_texts import time_text, told_text
from widgets.plots.frame import Frame

_FLAG = ((0.0, -13.0), (9.0, -9.5), (0.0, -6.0))
_NEAR_PIXELS, _FLAG_PIXELS = 5, 10
_BAR_PIXELS = 3
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
        shown = np.flatnonzero((self._since < frame.until_us) & (self._until >= frame.since_us)).tolist()
        area = frame.area
        self._placed = []
        for one in (self._some[place] for place in shown):
            left, right = frame.x_of(one.since_us), frame.x_of(one.until_us)
            self._placed.append(_Placed(left, right, one))
            if one.is_stretch:
                tint = QColor(theme.accent)
                tint.setAlpha(_TINT)
                left, right = max(left, area.left()), min(max(right, left + 1), area.right())
                painter.fillRect(QRectF(left, area.top(), right - left, area.height()), tint)

    def paint_flags(self, painter: QPainter, frame: Frame, theme: Theme) -> None:
        """Above the curves."""
        area, colour = frame.area, QColor(theme.accent)
        faint = QColor(colour)
        faint.setAlphaF(0.6)
        painter.save()
        painter.setClipRect(area.adjusted(-1, 0, _FLAG_PIXELS, 1))
        for left, right, one in self._placed:
            ends = (left, right) if one.is_stretch else (left,)
            painter.setPen(QPen(faint, 1))
            for x in ends:
                if area.left() <= x <= area.right():
                    painter.drawLine(QPointF(round(x) + 0.5, area.top()), QPointF(round(x) + 0.5, area.bottom()))
            if one.is_stretch:
                since, until = max(left, area.left()), min(right, area.right())
                bar = QRectF(since, area.bottom() - _BAR_PIXELS, max(2.0, until - since), _BAR_PIXELS)
                painter.fillRect(bar, colour)
        for left, _, _ in self._placed:
            if left >= area.left():
                self._paint_flag(painter, QPointF(round(left) + 0.5, area.bottom()), colour, theme)
        painter.restore()

    @staticmethod
    def _paint_flag(painter: QPainter, foot: QPointF, colour: QColor, theme: Theme) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.surface), 1))
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF([foot + QPointF(x, y) for x, y in _FLAG]))
        painter.setPen(QPen(colour, 1.5))
        painter.drawLine(foot, foot + QPointF(0, _FLAG[0][1]))
        painter.restore()

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
