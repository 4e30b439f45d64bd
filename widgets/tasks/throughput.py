"""How many tasks ended when, by what came of them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy

from models.domain.quantity import format_time
from models.domain.records import TaskState
from models.domain.task_queries import TaskItem
from widgets.common.numbers import count_text, duration_text
from widgets.common.words import task_word
from widgets.frame.screen_context import ScreenContext
from widgets.heat.picture import LEFT, MARGIN, RIGHT, paint_times
from widgets.plots.plot_picture import TIME_PIXELS
from widgets.plots.surface import TimeSurface
from widgets.plots.time_axis import SECOND_US, tick_step_s
from widgets.records.task_list import LOOKS

OUTCOMES = (TaskState.FAILED, TaskState.REJECTED, TaskState.CANCELED, TaskState.COMPLETED)
"""From the foot: what is to be compared best."""
_HEIGHT, _HEAD, _LEFT = 132, 20.0, 84.0
_LEAST_CELL = 7


class Throughput(TimeSurface):
    """Bars over the window's time range; dragged, zoomed and pointed at as every plot. GUI thread."""

    def __init__(self, context: ScreenContext) -> None:
        super().__init__(context.frames, context.times, context.cursor, context.themes)
        self._ended = np.zeros(0, np.int64)
        self._outcome = np.zeros(0, np.int64)
        self._counts: npt.NDArray[np.int64] = np.zeros((0, len(OUTCOMES)), np.int64)
        self._first_us, self._step_us = 0, SECOND_US
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Tasks that ended, over time"))

    def sizeHint(self) -> QSize:
        return QSize(400, _HEIGHT)

    def show_items(self, items: Sequence[TaskItem]) -> None:
        """Draw these. Tasks that gather others are left out: their parts count."""
        ended = [one for one in items if one.ended_us and one.state in OUTCOMES and not one.parts]
        self._ended = np.array([one.ended_us for one in ended], np.int64)
        self._outcome = np.array([OUTCOMES.index(one.state) for one in ended], np.int64)
        self.data_changed()

    def counts(self, since_us: int, until_us: int, cells: int) -> npt.NDArray[np.int64]:
        """[step, outcome] of the stretch in at most about so many steps of a round length; `_first_us`, `_step_us` say which."""
        self._step_us = max(1, round(tick_step_s(until_us - since_us, max(1, cells)) * SECOND_US))
        self._first_us = since_us // self._step_us * self._step_us
        steps = max(1, -(-(until_us - self._first_us) // self._step_us))
        place = (self._ended - self._first_us) // self._step_us
        inside = (self._ended >= since_us) & (self._ended < until_us)
        flat = np.bincount(place[inside] * len(OUTCOMES) + self._outcome[inside], minlength=steps * len(OUTCOMES))
        return flat.reshape(steps, len(OUTCOMES))

    def _area(self) -> QRectF:
        width, height = self.width() - _LEFT - 12, self.height() - _HEAD - TIME_PIXELS
        return QRectF(_LEFT, _HEAD, max(10.0, width), max(10.0, height))

    def _paint_picture(self, painter: QPainter, _ratio: float) -> None:
        theme, frame = self._theme.theme, self._frame
        area = frame.area
        self._counts = self.counts(frame.since_us, frame.until_us, int(area.width()) // _LEAST_CELL)
        top = max(1, int(self._counts.sum(axis=1).max()))
        painter.save()
        painter.setClipRect(area)
        for step in np.flatnonzero(self._counts.sum(axis=1)).tolist():
            left = frame.x_of(self._first_us + step * self._step_us)
            right = frame.x_of(self._first_us + (step + 1) * self._step_us)
            y = area.bottom()
            for place, state in enumerate(OUTCOMES):
                if n := int(self._counts[step, place]):
                    height = max(1.0, area.height() * n / top)
                    y -= height
                    box = QRectF(left, y, max(1.0, right - left - 1), height)
                    colour = QColor(getattr(theme, LOOKS[state][1]))
                    hatched = Qt.BrushStyle.Dense3Pattern if place < 2 else Qt.BrushStyle.SolidPattern
                    painter.fillRect(box, QBrush(colour, hatched))
        painter.restore()
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLine(QPointF(area.left(), area.bottom() + 0.5), QPointF(area.right(), area.bottom() + 0.5))
        painter.setPen(QColor(theme.muted))
        if self._counts.any():
            painter.drawText(QRectF(0, area.top() - 1, _LEFT - 6, 14), RIGHT, count_text(top))
        painter.drawText(QRectF(0, area.bottom() - 13, _LEFT - 6, 14), RIGHT, count_text(0))
        paint_times(painter, frame, self.width(), theme)
        self.setAccessibleDescription(self._sentence(None))

    def _paint_header(self, painter: QPainter, at_us: int | None) -> None:
        text = QFontMetricsF(self.font()).elidedText(
            self._sentence(at_us), Qt.TextElideMode.ElideRight, self.width() - 2 * MARGIN
        )
        painter.setPen(QColor(self._theme.theme.text if at_us is not None else self._theme.theme.muted))
        painter.drawText(QRectF(MARGIN, 0, self.width() - 2 * MARGIN, _HEAD), LEFT, text)

    def _sentence(self, at_us: int | None) -> str:
        """What ended in the step of this moment, else in all of them."""
        if at_us is None:
            counts = self._counts.sum(axis=0) if len(self._counts) else np.zeros(len(OUTCOMES), np.int64)
            head = self.tr("Ended per {step}").replace("{step}", duration_text(self._step_us))
        else:
            step = min(max(0, (at_us - self._first_us) // self._step_us), len(self._counts) - 1)
            counts = self._counts[step]
            begin = self._first_us + step * self._step_us
            head = f"{format_time(begin, None, None)} + {duration_text(self._step_us)}"
        told = [
            f"{task_word(state)} {count_text(int(n))}"
            for state, n in zip(reversed(OUTCOMES), reversed(counts.tolist()), strict=True)
            if n
        ]
        return " · ".join([head, *(told or [self.tr("nothing ended")])])
