"""The matrix of who talks to whom: order, cells, keys, and thousands of agents."""

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from widgets.common.tokens import contrast
from widgets.flow.matrix import Measure, matrix_of
from widgets.flow.matrix_panel import MatrixPanel
from widgets.flow.matrix_view import SIZES
from widgets.flow.pairs import Pair
from widgets.heat.colours import ramp

NAMES = {1: "alpha", 2: "beta", 3: "gamma"}


def pair(sender, receiver, per_minute=1.0, ratio=None, p95_us=None):
    names = NAMES.get(sender, f"agent-{sender}"), NAMES.get(receiver, f"agent-{receiver}")
    return Pair(sender, receiver, *names, 10, per_minute, 10, 0, ratio, p95_us, p95_us, p95_us, 0)


PAIRS = [pair(1, 2, 3.0, 0.0, 5_000), pair(3, 1, 9.0, 0.5, 1_000), pair(1, 3, 1.0), pair(2, 2, 2.0, 0.25, 70_000)]


def ends(matrix):
    return [(one.sender, one.receiver) for one in matrix.pairs]


@pytest.mark.parametrize(
    ("measure", "senders", "receivers"),
    [
        (Measure.RATE, [3, 1, 2], [1, 2, 3]),
        (Measure.FAILED, [3, 2, 1], [1, 2, 3]),
        (Measure.REPLY, [2, 1, 3], [2, 1, 3]),
    ],
)
def test_the_highest_stand_first(measure, senders, receivers):
    matrix = matrix_of(PAIRS, measure, by_name=False)
    assert (matrix.senders, matrix.receivers) == (senders, receivers)
    for row, sender in enumerate(senders):
        for column, receiver in enumerate(receivers):
            place = matrix.at(row, column)
            assert (place >= 0) == ((sender, receiver) in ends(matrix))
            assert place < 0 or ends(matrix)[place] == (sender, receiver)


def test_by_name():
    matrix = matrix_of(PAIRS, Measure.RATE, by_name=True)
    assert (matrix.sender_names, matrix.receiver_names) == (["alpha", "beta", "gamma"],) * 2


@pytest.fixture
def panel(desk, shown):
    made = MatrixPanel(desk.theme)
    made.resize(700, 500)
    made.show_pairs(PAIRS)
    return shown(made)


def test_by_keys_alone(panel, qtbot: QtBot):
    view = panel.view
    view.setFocus(Qt.FocusReason.TabFocusReason)
    assert view.pair_at_hand == (3, 1)
    assert "failed 50 % of 10" in view.accessibleDescription()
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.accessibleDescription() == "gamma asked nothing of beta"
    with qtbot.assertNotEmitted(view.chosen):
        qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert view.pair_at_hand == (1, 2)
    with qtbot.waitSignal(view.chosen) as chosen:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert chosen.args == [1, 2]
    with qtbot.waitSignal(view.chosen) as chosen:
        qtbot.keyClick(view, Qt.Key.Key_Escape)
    qtbot.keyClick(view, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    assert view.pair_at_hand == (2, 3)
    qtbot.keyClick(view, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    assert view.pair_at_hand == (3, 1)


def test_a_click_chooses_and_the_cell_at_hand_stays_with_its_pair(panel, qtbot: QtBot):
    view = panel.view
    with qtbot.waitSignal(panel.chosen) as chosen:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.cell(1, 1).center())
    assert chosen.args == [1, 2]
    panel.measure.setCurrentIndex(panel.measure.findData(Measure.REPLY))
    assert view.matrix.senders == [2, 1, 3]
    assert view.pair_at_hand == (1, 2)


@pytest.mark.parametrize("dark", [False, True])
def test_a_cell_has_the_colour_of_its_figure(desk, panel, dark):
    desk.theme.choose("dark" if dark else "light")
    view = panel.view
    picture = view.viewport().grab().toImage()
    colours = ramp(desk.theme.theme)

    def colour(row, column):
        return picture.pixelColor(view.cell(row, column).bottomLeft() + QPoint(3, -3)).rgb()

    assert colour(0, 0) == int(colours[-1])
    assert colour(0, 1) == int(desk.theme.theme.surface[1:], 16) | 0xFF000000
    assert all(
        max(contrast(f"#{int(one) & 0xFFFFFF:06x}", ink) for ink in ("#000000", "#ffffff")) > 4.5 for one in colours
    )


def test_thousands_are_scrolled_and_made_small(panel, qtbot: QtBot):
    panel.show_pairs([pair(number, number % 1_999 + 1) for number in range(1, 2_001)])
    view = panel.view
    assert len(view.matrix.senders) == 2_000
    view.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(view, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    last = view.cell(1_999, len(view.matrix.receivers) - 1)
    assert view.viewport().rect().contains(last)
    for zoom in range(len(SIZES) - 1, -1, -1):
        assert view.zoom == zoom
        view.viewport().grab()
        qtbot.keyClick(view, Qt.Key.Key_Minus)


def test_nobody_talked(panel, qtbot: QtBot):
    panel.show_pairs([])
    panel.view.viewport().grab()
    qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    assert panel.view.accessibleDescription() == "0 that ask, 0 that are asked"
