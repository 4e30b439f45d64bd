"""Which curve lies under the pointer. Pure numpy over what was drawn, in pixels."""

import math
from collections.abc import Sequence

import numpy as np

from widgets.plots.curves import Shape
from widgets.plots.frame import Frame
from widgets.plots.plot_picture import FLOOR_PIXELS
from widgets.plots.value_scale import ValueScale

NEAR_PIXELS = 10
"""So far beside a curve it is still pointed at."""


def curve_near(frame: Frame, shapes: Sequence[Shape], scales: Sequence[ValueScale], x: float, y: float) -> int:
    """Place of the curve that is drawn next to this pixel; -1: none is near. A steep line is as near as it looks."""
    found = [
        (_away(frame, shape, scale, x, y), place)
        for place, (shape, scale) in enumerate(zip(shapes, scales, strict=True))
    ]
    away, place = min(found, default=(math.inf, -1))
    return place if away <= NEAR_PIXELS else -1


def _away(frame: Frame, shape: Shape, scale: ValueScale, x: float, y: float) -> float:
    """Pixels to the nearest part of a line, or of a bar."""
    slack_us = frame.time_of(NEAR_PIXELS) - frame.time_of(0)
    at_us = frame.time_of(x)
    first = max(0, int(np.searchsorted(shape.x_us, at_us - slack_us - shape.bar_us)) - 1)
    some = slice(first, int(np.searchsorted(shape.x_us, at_us + slack_us)) + 1)
    if shape.x_us[some].size == 0:
        return math.inf
    area = frame.area
    across = (shape.x_us[some] - frame.since_us) * (area.width() / (frame.until_us - frame.since_us)) + area.left() - x
    height = (area.height() - FLOOR_PIXELS) / (scale.high - scale.low)
    down = area.bottom() - FLOOR_PIXELS - (shape.value[some] - scale.low) * height - y
    if shape.bar_us:
        bar = shape.bar_us * area.width() / (frame.until_us - frame.since_us)
        inside = (across <= 0) & (across + bar > 0) & (down <= NEAR_PIXELS)
        return 0.0 if inside.any() else math.inf
    nearest = float(np.fmin.reduce(np.hypot(across, down), initial=math.inf))
    left, top, wide, high = across[:-1], down[:-1], np.diff(across), np.diff(down)
    joined = shape.joined[some][:-1]
    if not joined.any():
        return nearest
    left, top, wide, high = left[joined], top[joined], wide[joined], high[joined]
    part = np.clip(-(left * wide + top * high) / np.maximum(wide * wide + high * high, 1e-9), 0, 1)
    return min(nearest, float(np.fmin.reduce(np.hypot(left + part * wide, top + part * high), initial=math.inf)))
