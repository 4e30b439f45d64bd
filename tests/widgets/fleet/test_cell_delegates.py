"""What the cells of the fleet's table draw, pixel by pixel."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QStyledItemDelegate, QStyleOptionViewItem

from models.domain.presence_words import Presence
from models.domain.queries import HOUR_CELLS, SPARK_CELLS, FleetResult
from tests.helpers.fleet_results import fleet_of
from widgets.common.theme import ThemeHolder
from widgets.fleet.cell_delegates import HourStripDelegate, SparkDelegate, TextDelegate
from widgets.fleet.fleet_item_model import FleetItemModel, View
from widgets.fleet.fleet_state import Column, _text_rank

SIZE = QRect(0, 0, 12 + 2 * HOUR_CELLS, 26)


@pytest.fixture
def theme(qapp: QApplication) -> ThemeHolder:
    return ThemeHolder(qapp, "light")


def painted(delegate: QStyledItemDelegate, model: FleetItemModel, column: Column, size: QRect = SIZE) -> QImage:
    image = QImage(size.size(), QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    option = QStyleOptionViewItem()
    option.rect = size
    painter = QPainter(image)
    delegate.paint(painter, option, model.index(0, column))
    painter.end()
    return image


def rows_of(image: QImage, x: int, colour: str) -> list[int]:
    return [y for y in range(image.height()) if image.pixelColor(x, y).name() == colour]


def columns_of(image: QImage, colour: str) -> list[int]:
    return [x for x in range(image.width()) if rows_of(image, x, colour)]


def strip(fleet: FleetResult, theme: ThemeHolder, size: QRect = SIZE) -> QImage:
    model = FleetItemModel()
    model.show_fleet(fleet)
    return painted(HourStripDelegate(model, theme), model, Column.HOUR, size)


def test_errors_stand_on_their_minute_and_an_unknown_one_is_only_a_line(theme):
    hour = np.full((1, HOUR_CELLS), Presence.ONLINE, np.uint8)
    hour[0, :10] = 0  # before the first recording
    errors = np.zeros((1, HOUR_CELLS), np.uint16)
    errors[0, 30] = 1
    image = strip(replace(fleet_of(1), hour_presence=hour, hour_errors=errors), theme)
    inside = 6 + 2 * 30
    bar = [y for y in range(26) if image.pixelColor(inside + 20, y).name() != "#ffffff"]
    dot = rows_of(image, inside, theme.theme.error)
    assert bar[0] - 3 <= dot[-1] < bar[0], "it belongs to this row, not to the one above"
    assert len([y for y in range(26) if image.pixelColor(10, y).name() != "#ffffff"]) == 1


@pytest.mark.parametrize("pixels", range(80, 130, 7))
def test_minutes_that_are_alike_are_one_even_band(theme, pixels):
    fleet = replace(fleet_of(1), hour_errors=np.zeros((1, HOUR_CELLS), np.uint16))
    image = strip(fleet, theme, QRect(0, 0, 12 + pixels, 26))
    assert len({image.pixelColor(x, 18).name() for x in range(6, 6 + pixels)}) == 1


def test_the_line_of_a_young_fleet_takes_the_room_there_is(theme):
    model = FleetItemModel()
    fleet = fleet_of(3)
    young = fleet.cpu_spark.copy()
    young[:, :-12] = np.nan
    delegate = SparkDelegate(model, theme, lambda f: f.cpu_spark, "888.8 %", lambda *_: 1.0)
    model.show_fleet(fleet)
    whole = columns_of(painted(delegate, model, Column.CPU), theme.theme.series[0])
    model.show_fleet(replace(fleet, cpu_spark=young))
    assert columns_of(painted(delegate, model, Column.CPU), theme.theme.series[0])[0] == whole[0]
    young[0, : SPARK_CELLS - 6] = np.nan  # one that came later starts where it came
    model.show_fleet(replace(fleet, cpu_spark=young))
    assert columns_of(painted(delegate, model, Column.CPU), theme.theme.series[0])[0] > whole[0]


class Asked(FleetItemModel):
    """Counts what it is asked for."""

    times = 0

    def data(self, index, role=Qt.ItemDataRole.DisplayRole):
        self.times += 1
        return super().data(index, role)


@pytest.mark.parametrize("column", [Column.GROUP, Column.LAST_SEEN, Column.RESPONSE, Column.ERROR_RATIO, Column.TASKS])
def test_a_cell_of_text_looks_as_the_style_draws_it_and_asks_the_model_for_nothing(qapp, column):
    model = Asked()
    model.show_fleet(fleet_of(1))
    plain = painted(QStyledItemDelegate(), model, column)
    model.times = 0
    assert painted(TextDelegate(model), model, column) == plain
    assert model.times == 0


def test_the_heading_of_a_group_is_drawn_in_cells_of_text(qapp):
    model = FleetItemModel()
    model.show_fleet(fleet_of(1))
    model.show_view(View(by_group=True))
    assert painted(TextDelegate(model), model, Column.AGENT) == painted(QStyledItemDelegate(), model, Column.AGENT)


def test_names_are_put_in_order_once_for_as_long_as_they_are_the_same():
    names = [f"crawler-{i}" for i in (10, 2, 1)]
    first = _text_rank(names)
    assert first.tolist() == [2, 1, 0]
    assert _text_rank(list(names)) is first
    assert _text_rank([*names, "a"]).tolist() == [3, 2, 1, 0]
