from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from widgets.common.arrangement import Arrangement
from widgets.common.tables import TableView


class Screen(QWidget):
    def __init__(self, columns: int = 3) -> None:
        super().__init__()
        self.resize(600, 400)
        self.table, self.nameless = TableView("Things"), TableView("Others")
        self.table.start_with(QStandardItemModel(0, columns, self), [100] * columns)
        self.nameless.start_with(QStandardItemModel(0, columns, self))
        self.table.setObjectName("things")
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setObjectName("halves")
        for widget in (self.table, self.nameless, QLabel("below")):
            self.splitter.addWidget(widget)
        self.splitter.setSizes([200, 100, 100])
        QVBoxLayout(self).addWidget(self.splitter)


@pytest.fixture
def make(qtbot: QtBot) -> Callable[..., Screen]:
    def made(columns: int = 3) -> Screen:
        screen = Screen(columns)
        qtbot.addWidget(screen)
        screen.show()
        return screen

    return made


def test_columns_and_splitters_come_back_by_name(make: Callable[..., Screen]) -> None:
    one, kept = make(), Arrangement({})
    kept.adopt(one)
    one.table.setColumnWidth(0, 222)
    one.table.setColumnHidden(1, True)
    one.nameless.setColumnWidth(0, 222)
    one.splitter.setSizes([100, 100, 200])
    sizes = one.splitter.sizes()
    saved = kept.save()
    assert set(saved) == {"things", "halves"}
    again, arrangement = make(), Arrangement(saved)
    arrangement.adopt(again)
    assert again.table.columnWidth(0) == 222
    assert again.table.isColumnHidden(1)
    assert again.splitter.sizes() == sizes
    arrangement.reset()
    assert again.table.columnWidth(0) == 100
    assert not again.table.isColumnHidden(1)
    assert again.splitter.sizes() != sizes


def test_what_was_not_shown_this_time_is_kept() -> None:
    assert Arrangement({"things": "3:abc", "strange": 5}).save() == {"things": "3:abc"}


def test_a_table_that_has_other_columns_today_starts_anew(make: Callable[..., Screen]) -> None:
    one, kept = make(), Arrangement({})
    kept.adopt(one)
    one.table.setColumnHidden(2, True)
    again = make(columns=4)
    Arrangement(kept.save()).adopt(again)
    assert not again.table.isColumnHidden(2)


def test_nonsense_changes_nothing(make: Callable[..., Screen]) -> None:
    one = make()
    sizes = one.splitter.sizes()
    Arrangement({"things": "3:ąę", "halves": "%%%"}).adopt(one)
    assert one.table.columnWidth(0) == 100
    assert one.splitter.sizes() == sizes


def test_a_splitter_that_was_turned_since_stays_turned(make: Callable[..., Screen]) -> None:
    one, kept = make(), Arrangement({})
    kept.adopt(one)
    again = make()
    again.splitter.setOrientation(Qt.Orientation.Horizontal)
    sizes = again.splitter.sizes()
    Arrangement(kept.save()).adopt(again)
    assert (again.splitter.orientation(), again.splitter.sizes()) == (Qt.Orientation.Horizontal, sizes)


def test_a_name_is_for_one_part_only(make: Callable[..., Screen]) -> None:
    kept = Arrangement({})
    kept.adopt(make())
    with pytest.raises(ValueError, match="things"):
        kept.adopt(make())
