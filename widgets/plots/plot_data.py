"""What a plot shows, as text: for the clipboard, and as a table for who reads rather than looks."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from models.domain.quantity import format_time
from widgets.common.numbers import value_text
from widgets.common.plain import visible
from widgets.common.tables import TableView, column_title
from widgets.plots.curves import RawPoints

_Index = QModelIndex | QPersistentModelIndex
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


MOST_COPIED = 200_000
"""Points that go to the clipboard; a file has room for all."""


def point_count(curves: Sequence[RawPoints], since_us: int, until_us: int) -> int:
    """Of all curves in [since, until)."""
    return sum(len(curve.points(since_us, until_us)[0]) for curve in curves)


def as_csv(curves: Sequence[RawPoints], since_us: int, until_us: int) -> str:
    """The newest `MOST_COPIED` raw points of all curves in [since, until) as RFC 4180 text, in order of time; UTC, base units, exact
    numbers."""
    rows = [one[-MOST_COPIED:] for one in _rows(curves, since_us, until_us)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("time", "curve", "unit", "value"))
    for at_us, place, value in zip(*rows, strict=True):
        curve = curves[place]
        number = int(value) if value == int(value) and abs(value) < 2**53 else value
        writer.writerow((iso_time(at_us), csv_cell(curve.name), csv_cell(curve.unit), repr(number)))
    return out.getvalue()


def _rows(curves: Sequence[RawPoints], since_us: int, until_us: int) -> tuple[list[int], list[int], list[float]]:
    parts = [curve.points(since_us, until_us) for curve in curves]
    at = np.concatenate([part[0] for part in parts]) if parts else np.empty(0, np.int64)
    value = np.concatenate([part[1] for part in parts]) if parts else np.empty(0)
    place = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    order = np.argsort(at, kind="stable")
    return at[order].tolist(), place[order].tolist(), value[order].tolist()


def iso_time(at_us: int) -> str:
    """UTC with microseconds, as in exports."""
    whole, rest = divmod(at_us, 1_000_000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


def csv_cell(text: str) -> str:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    return f"'{text}" if text.startswith(_FORMULA) else text


class PlotTableModel(QAbstractTableModel):
    """The raw points of a plot, newest first."""

    def __init__(
        self, curves: Sequence[RawPoints], since_us: int, until_us: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        at, place, value = _rows(curves, since_us, until_us)
        self._rows = list(zip(reversed(at), reversed(place), reversed(value), strict=True))
        self._curves = list(curves)
        self._titles = (self.tr("Time"), self.tr("Curve"), self.tr("Value"), self.tr("Exact"))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        return column_title(self._titles, section, orientation, role)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role != Qt.ItemDataRole.DisplayRole or not index.isValid():
            return None
        at_us, place, value = self._rows[index.row()]
        curve = self._curves[place]
        if index.column() == 0:
            return format_time(at_us, digits=3)
        if index.column() == 1:
            return visible(curve.name)
        return value_text(value, curve.unit) if index.column() == 2 else f"{value!r} {visible(curve.unit)}".rstrip()


class PlotTable(QDialog):
    """A simple table of what a plot shows at this moment; it does not follow."""

    def __init__(
        self, title: str, curves: Sequence[RawPoints], since_us: int, until_us: int, parent: QWidget | None = None
    ):
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(620, 480)
        model = PlotTableModel(curves, since_us, until_us, self)
        count = QLabel(self.tr("{count} points").replace("{count}", f"{model.rowCount():,}".replace(",", "\u202f")))
        count.setTextFormat(Qt.TextFormat.PlainText)
        table = TableView(self.tr("Points of the plot"))
        table.start_with(model, (190, 160, 110))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for widget in (count, table, buttons):
            column.addWidget(widget)
