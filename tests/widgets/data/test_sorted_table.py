"""Tables of plain rows: sorted by the header, the same rows chosen after newer answers."""

from typing import NamedTuple

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from widgets.common.sorted_table import Column, SortedTable


class Thing(NamedTuple):
    id: int
    name: str
    size: int


THINGS = [Thing(1, "b", 10), Thing(2, "A", 9), Thing(3, "c", 100)]


def make(qtbot: QtBot) -> SortedTable[Thing]:
    columns: list[Column[Thing]] = [
        Column("Name", lambda one: one.name),
        Column("Size", lambda one: f"{one.size} B", lambda one: one.size, number=True, tip=lambda one: one.name),
    ]
    table = SortedTable("Things", columns, (100, 60), lambda one: one.id, (0,))
    qtbot.addWidget(table)
    table.resize(300, 200)
    table.show()
    table.show_rows(THINGS)
    return table


def names(table: SortedTable[Thing]) -> list[str]:
    return [str(table.records.index(row, 0).data()) for row in range(table.records.rowCount())]


def test_the_header_sorts_by_key_or_text_and_gives_the_first_order_back(qtbot: QtBot) -> None:
    table = make(qtbot)
    header = table.horizontalHeader()
    assert names(table) == ["b", "A", "c"]
    header.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
    assert names(table) == ["A", "b", "c"]
    header.setSortIndicator(1, Qt.SortOrder.DescendingOrder)
    assert names(table) == ["c", "b", "A"]
    table.show_rows([*THINGS, Thing(4, "d", 50)])
    assert names(table) == ["c", "d", "b", "A"]
    header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
    assert names(table) == ["b", "A", "c", "d"]


def test_what_is_chosen_stays_chosen(qtbot: QtBot) -> None:
    table = make(qtbot)
    table.selectRow(2)
    table.show_rows([Thing(9, "new", 1), Thing(3, "c", 101), Thing(1, "b", 10)])
    assert [one.id for one in table.selected] == [3]
    assert table.currentIndex().row() == 1
    table.horizontalHeader().setSortIndicator(1, Qt.SortOrder.DescendingOrder)
    assert [one.id for one in table.selected] == [3]
    table.show_rows([Thing(1, "b", 10)])
    assert table.selected == []


def test_enter_opens_the_row(qtbot: QtBot) -> None:
    table = make(qtbot)
    table.selectRow(1)
    with qtbot.waitSignal(table.opened) as opened:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert opened.args == [THINGS[1]]
    assert table.selection_as_text(with_headers=True) == "Name\tSize\nA\t9 B"


def test_a_sorting_that_was_kept_is_taken_up(qtbot: QtBot) -> None:
    table = make(qtbot)
    table.horizontalHeader().setSortIndicator(1, Qt.SortOrder.DescendingOrder)
    saved = table.save_columns()
    other = make(qtbot)
    assert other.restore_columns(saved)
    assert names(other) == ["c", "b", "A"]
