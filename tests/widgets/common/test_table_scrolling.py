from PySide6.QtCore import QModelIndex
from PySide6.QtGui import QPainter, QPalette, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QApplication, QStyledItemDelegate, QStyleOptionViewItem
from pytestqt.qtbot import QtBot

from widgets.common.tables import TableView
from widgets.common.theme import ThemeHolder


class Counting(QStyledItemDelegate):
    def __init__(self) -> None:
        super().__init__()
        self.rows: set[int] = set()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        self.rows.add(index.row())
        super().paint(painter, option, index)


def shown_table(qtbot: QtBot, rows: int) -> tuple[TableView, Counting]:
    model, view, delegate = QStandardItemModel(), TableView("Agents"), Counting()
    model.setParent(view)
    for row in range(rows):
        model.appendRow([QStandardItem(f"agent-{row}"), QStandardItem(str(row))])
    delegate.setParent(view)
    view.start_with(model)
    view.setItemDelegate(delegate)
    qtbot.addWidget(view)
    view.resize(400, 600)
    view.show()
    qtbot.waitUntil(lambda: bool(delegate.rows) or not rows)
    QApplication.processEvents()
    return view, delegate


def test_scrolling_paints_only_the_rows_that_came_into_sight(qtbot: QtBot, qapp: QApplication) -> None:
    _theme = ThemeHolder(qapp, "dark")  # its style sheet is what makes Qt take the viewport for transparent
    view, delegate = shown_table(qtbot, 500)
    at_once = len(delegate.rows)
    assert at_once > 10
    delegate.rows.clear()
    height = view.rowHeight(0)
    view.verticalScrollBar().setValue(2 * height)
    qtbot.waitUntil(lambda: bool(delegate.rows))
    QApplication.processEvents()
    assert len(delegate.rows) <= 4, f"of {at_once} rows {sorted(delegate.rows)} were painted"
    assert max(delegate.rows) >= at_once  # one more may be that under a pointer which another test left there


def test_where_no_row_is_the_background_is_painted(qtbot: QtBot, qapp: QApplication) -> None:
    for name in ("light", "dark"):
        theme = ThemeHolder(qapp, name)
        view, _ = shown_table(qtbot, 1)
        picture = view.viewport().grab().toImage()
        base = view.palette().color(QPalette.ColorRole.Base)
        assert picture.pixelColor(200, 500) == base == theme.theme.surface
