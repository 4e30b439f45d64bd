"""Cells of the fleet table that draw: presence shape, hour strip, sparklines, group headings. GUI thread.

They read the `FleetResult` of the model by row, so that no array passes through Qt's variants.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QModelIndex, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from models.domain.presence_words import Condition, Presence
from models.domain.queries import SPARK_CELLS, FleetResult
from widgets.common.theme import ThemeHolder
from widgets.fleet.fleet_item_model import FleetItemModel, alignment
from widgets.fleet.fleet_state import COLUMNS, in_maintenance
from widgets.fleet.fleet_texts import cell_text

Index = QModelIndex | QPersistentModelIndex
_PADDING = 6
_ICON = 14
_STRIP_HEIGHT = {
    Presence.ONLINE: 0.4,
    Presence.LATE: 0.7,
    Presence.OFFLINE: 1.0,
    Presence.STOPPED: 0.15,
    Presence.UNKNOWN: 0.15,
}
"""Of the strip's height: it is read by height as well as by colour, and what is well stays low."""
_LEAST_CELLS = 12
"""Of a line; so few that a fleet that is two minutes old fills the cell."""
_APART = 3.0
"""From so many pixels a minute the marks stand apart; narrower ones join, as uneven gaps would look like news."""
_WELL_OPACITY = 0.55


class TextDelegate(QStyledItemDelegate):
    """A cell that is its text: drawn by the style, without asking the model for eleven roles of which it answers two."""

    def __init__(self, model: FleetItemModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        fleet, row = self._model.fleet, self._model.place_at(index.row())
        if fleet is None or row < 0:
            super().initStyleOption(option, index)
            return
        column = COLUMNS[index.column()]
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDisplay
        option.displayAlignment = alignment(column)
        option.text = cell_text(fleet, row, column)


class CellDelegate(QStyledItemDelegate):
    """Draws the row's background as the style does, then what `_content` draws. Headings stay the default's."""

    def __init__(self, model: FleetItemModel, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model, self._theme = model, theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        fleet, row = self._model.fleet, self._model.place_at(index.row())
        if row < 0:
            self._paint_heading(painter, option, index)
            return
        if fleet is None:
            return
        opt = QStyleOptionViewItem(option)
        # `initStyleOption` would ask the model for eleven roles of each cell; it answers the text alone
        opt.features |= QStyleOptionViewItem.ViewItemFeature.HasDisplay
        style = opt.widget.style() if opt.widget else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, opt, painter, opt.widget)
        painter.save()
        painter.setClipRect(opt.rect)
        rect = QRectF(opt.rect).adjusted(_PADDING, 0, -_PADDING, 0)
        self._content(painter, rect, fleet, row, cell_text(fleet, row, COLUMNS[index.column()]), opt)
        painter.restore()

    def _content(
        self, painter: QPainter, rect: QRectF, fleet: FleetResult, row: int, text: str, opt: QStyleOptionViewItem
    ) -> None:
        raise NotImplementedError

    def _text(
        self,
        painter: QPainter,
        rect: QRectF,
        text: str,
        opt: QStyleOptionViewItem,
        *,
        colour: str = "",
        muted: bool = False,
    ) -> None:
        selected = bool(opt.state & QStyle.StateFlag.State_Selected)
        theme = self._theme.theme
        painter.setPen(QColor(colour or (theme.selection_text if selected else theme.muted if muted else theme.text)))
        elided = opt.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, int(rect.width()))
        height = opt.fontMetrics.height()  # whole pixels, as the style does it beside us
        line = QRectF(rect.left(), rect.top() + (int(rect.height()) - height) // 2, rect.width(), height)
        painter.drawText(line, int(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft), elided)

    def _paint_heading(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        opt = QStyleOptionViewItem(option)
        self.initStyleOption(opt, index)
        opt.font.setWeight(QFont.Weight.DemiBold)
        painter.fillRect(opt.rect, QColor(self._theme.theme.raised))
        super().paint(painter, opt, index)


class AgentDelegate(CellDelegate):
    """The presence's shape, then the name; names of agents in maintenance are muted."""

    def _content(
        self, painter: QPainter, rect: QRectF, fleet: FleetResult, row: int, text: str, opt: QStyleOptionViewItem
    ) -> None:
        presence, condition = Presence(int(fleet.presence[row])), Condition(int(fleet.condition[row]))
        place = QRectF(rect.left(), rect.center().y() - _ICON / 2, _ICON, _ICON)
        self._theme.icons.presence(presence, condition).paint(painter, place.toRect())
        muted = bool(in_maintenance(fleet)[row] or fleet.retired[row])
        self._text(painter, rect.adjusted(_ICON + _PADDING, 0, 0, 0), text, opt, muted=muted)


class PresenceDelegate(CellDelegate):
    """The presence in words, in its colour where it is not simply online."""

    def _content(
        self, painter: QPainter, rect: QRectF, fleet: FleetResult, row: int, text: str, opt: QStyleOptionViewItem
    ) -> None:
        presence, condition = Presence(int(fleet.presence[row])), Condition(int(fleet.condition[row]))
        ill = presence in (Presence.LATE, Presence.OFFLINE) or condition is Condition.DEGRADED
        colour = self._theme.theme.presence(presence, condition) if ill else ""
        if in_maintenance(fleet)[row]:
            colour = self._theme.theme.maintenance
        self._text(painter, rect, text, opt, colour=colour, muted=presence in (Presence.STOPPED, Presence.UNKNOWN))


class HourStripDelegate(CellDelegate):
    """Sixty minutes: height and colour say the presence, a dot on a mark says errors. Where nothing is known is only a line."""

    def _content(
        self, painter: QPainter, rect: QRectF, fleet: FleetResult, row: int, text: str, opt: QStyleOptionViewItem
    ) -> None:
        del text, opt
        theme = self._theme.theme
        cells, errors = fleet.hour_presence[row], fleet.hour_errors[row]
        step = rect.width() / len(cells)
        bottom, height = rect.bottom() - 5, rect.height() - 12
        lefts = np.round(rect.left() + np.arange(len(cells) + 1) * step)  # whole pixels: what overlaps shines through
        widths = np.diff(lefts) - (step >= _APART)
        tops = np.full(len(cells), bottom)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.fillRect(QRectF(rect.left(), bottom - 1, rect.width(), 1), QColor(theme.edge))
        for value in np.unique(cells[cells > 0]).tolist():
            presence = Presence(value)
            tall = max(2.0, height * _STRIP_HEIGHT[presence])
            colour = QColor(theme.presence(presence))
            colour.setAlphaF(_WELL_OPACITY if presence is Presence.ONLINE else 1.0)
            painter.setBrush(colour)
            places = np.flatnonzero(cells == value)
            tops[places] -= tall
            across = zip(lefts[places].tolist(), widths[places].tolist(), strict=True)
            painter.drawRects([QRectF(left, bottom - tall, width, tall) for left, width in across])
        if errors.any():
            painter.setBrush(QColor(theme.error))
            dot = max(2.0, min(3.0, step))
            troubled = np.flatnonzero(errors)
            corners = zip(lefts[troubled].tolist(), tops[troubled].tolist(), strict=True)
            painter.drawRects([QRectF(left, top - 1 - dot, dot, dot) for left, top in corners])


class SparkDelegate(CellDelegate):
    """The present value, and a line of the last ten minutes, or of as many as are known of the fleet. `columns` picks the
    array; `widest` is the value that the number's room is measured with. The scale goes from 0 to `top` where a quantity has
    a top (a ratio: 1); else it shows the line's own range, with small changes kept small."""

    def __init__(
        self,
        model: FleetItemModel,
        theme: ThemeHolder,
        columns: Callable[[FleetResult], npt.NDArray[np.float32]],
        widest: str,
        top: Callable[[FleetResult, int], float | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(model, theme, parent)
        self._columns, self._widest, self._top = columns, widest, top
        self._span: tuple[FleetResult | None, int] = (None, 0)

    def _content(
        self, painter: QPainter, rect: QRectF, fleet: FleetResult, row: int, text: str, opt: QStyleOptionViewItem
    ) -> None:
        text_width = opt.fontMetrics.horizontalAdvance(self._widest) + _PADDING
        self._text(painter, QRectF(rect.left(), rect.top(), text_width, rect.height()), text, opt)
        area = rect.adjusted(text_width, 5, 0, -5)
        values = self._columns(fleet)[row, self._first_cell(fleet) :]
        if area.width() < 12 or bool(np.isnan(values).all()):
            return
        top = self._top(fleet, row)
        low, high = (0.0, top) if top else _own_range(values)
        painter.setPen(QPen(QColor(self._theme.theme.series[0]), 1))
        painter.drawLines(_segments((values - low) / (high - low), area))

    def _first_cell(self, fleet: FleetResult) -> int:
        """The same for all rows, so that they compare."""
        if self._span[0] is not fleet:
            known = np.flatnonzero(~np.isnan(self._columns(fleet)).all(axis=0))
            first = int(known[0]) if len(known) else 0
            self._span = (fleet, min(first, SPARK_CELLS - _LEAST_CELLS))
        return self._span[1]


def _own_range(values: npt.NDArray[np.float32]) -> tuple[float, float]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = max(0.15 * (high - low), 0.1 * max(abs(low), abs(high)), 1e-12)
    return low - room, high + room


def _segments(values: npt.NDArray[np.float32], area: QRectF) -> list[QLineF]:
    """Values 0–1 as lines between neighbours that both have a value: silence stays a gap. A lone value is a short dash."""
    xs = np.linspace(area.left(), area.right(), len(values)).tolist()
    ys = (area.bottom() - np.clip(values, 0.0, 1.0) * area.height()).tolist()
    known = np.concatenate(([False], ~np.isnan(values), [False]))
    joined = np.flatnonzero(known[1:-1] & known[2:]).tolist()
    alone = np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:]).tolist()
    lines = [QLineF(xs[i], ys[i], xs[i + 1], ys[i + 1]) for i in joined]
    return lines + [QLineF(xs[i] - 2, ys[i], xs[i], ys[i]) for i in alone]
