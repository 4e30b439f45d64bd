import numpy as np
import pytest
from PySide6.QtCore import QRectF

from widgets.plots.curves import NO_SHAPE, Shape
from widgets.plots.frame import Frame
from widgets.plots.plot_picture import FLOOR_PIXELS
from widgets.plots.pointing import curve_near
from widgets.plots.value_scale import ValueScale

FRAME = Frame(QRectF(0, 0, 100, 100 + FLOOR_PIXELS), 0, 100)  # a pixel for each microsecond and each unit


def scale() -> ValueScale:
    made = ValueScale("")
    made.low, made.high = 0.0, 100.0
    return made


def line(*points: tuple[int, float], joined: bool = True) -> Shape:
    x, value = zip(*points, strict=True)
    runs = np.full(len(x), joined)
    runs[-1] = False
    return Shape(np.array(x), np.array(value, float), runs)


FLAT = line((0, 10), (100, 10))
SPIKE = line((0, 20), (50, 20), (52, 100), (54, 20), (100, 20))


@pytest.mark.parametrize(
    ("x", "y", "place"),
    [
        (30, 92, 0), (30, 79, 1), (30, 86, 0), (30, 84, 1),
        (51, 50, 1), (56, 30, 1), (66, 45, -1), (30, 50, -1),
    ],
)  # fmt: skip
def test_the_curve_next_to_the_pointer_is_found_on_steep_lines_too(x: float, y: float, place: int) -> None:
    assert curve_near(FRAME, [FLAT, SPIKE], [scale(), scale()], x, y) == place


def test_between_points_that_no_line_joins_there_is_nothing() -> None:
    torn = line((0, 50), (100, 50), joined=False)
    assert curve_near(FRAME, [torn], [scale()], 50, 50) == -1
    assert curve_near(FRAME, [torn], [scale()], 3, 52) == 0


def test_a_bar_is_pointed_at_within_it() -> None:
    bars = Shape(np.array([0, 10]), np.array([50.0, 0.0]), np.zeros(2, bool), bar_us=10)
    assert curve_near(FRAME, [bars], [scale()], 5, 90) == 0
    assert curve_near(FRAME, [bars], [scale()], 5, 20) == -1


def test_what_is_not_drawn_or_unknown_is_not_found() -> None:
    unknown = line((0, float("nan")), (100, float("nan")))
    assert curve_near(FRAME, [NO_SHAPE, unknown], [scale(), scale()], 50, 50) == -1
