"""The colours of a heat-map: from little to much they go from pale to deep, or on dark ground from deep to pale, so that they
are told apart without hue; and the range of values that they stand for."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from widgets.common.tokens import Theme

_LITTLE_TO_MUCH = ("#f4f2c4", "#c7e6b2", "#7fcab9", "#41b0c4", "#1f86bb", "#2459a4", "#0c2576")
_ON_DARK = ("#1c2c63", "#24539c", "#1f86bb", "#41b0c4", "#7fcab9", "#c7e6b2", "#fffbd0")
STEPS = 256
_OUTLIER = 4.0
"""The range ends where nearly all values do, when the highest is so many times as far away."""
_NEARLY_ALL = 0.995


class ValueRange(NamedTuple):
    """`beyond`: some values are above `high`."""

    low: float
    high: float
    beyond: bool = False


def ramp(theme: Theme) -> npt.NDArray[np.uint32]:
    """`STEPS` colours as 0xffRRGGBB."""
    stops = _ON_DARK if theme.dark else _LITTLE_TO_MUCH
    parts = np.array([[int(stop[at : at + 2], 16) for at in (1, 3, 5)] for stop in stops], float)
    along = np.linspace(0, len(stops) - 1, STEPS)
    red, green, blue = (
        np.interp(along, np.arange(len(stops)), parts[:, one]).round().astype(np.uint32) for one in range(3)
    )
    return np.uint32(0xFF000000) | (red << np.uint32(16)) | (green << np.uint32(8)) | blue


def range_of(value: npt.NDArray[np.float32], unit: str) -> ValueRange | None:
    """What the colours stand for; shares, durations and rates begin at zero. None: there is nothing."""
    known = value[np.isfinite(value)]
    if not len(known):
        return None
    low, high = float(known.min()), float(known.max())
    if unit in {"1", "s"} or unit.endswith("/s"):
        low = min(0.0, low)
    most = float(np.partition(known, rank := int(_NEARLY_ALL * (len(known) - 1)))[rank])
    beyond = high - low > _OUTLIER * (most - low) > 0
    high = most if beyond else high
    return ValueRange(low, high if high > low else low + (abs(low) or 1.0), beyond)


def colour_places(value: npt.NDArray[np.float32], values: ValueRange) -> npt.NDArray[np.uint8]:
    """Which of the colours each value has; NaN has any."""
    share = (np.nan_to_num(value, nan=values.low, posinf=values.high, neginf=values.low) - values.low) / (
        values.high - values.low
    )
    return np.clip(np.floor(share * STEPS), 0, STEPS - 1).astype(np.uint8)


def place_of(value: float, values: ValueRange) -> float:
    """0 to 1: where a value stands in the range."""
    return math.nan if math.isnan(value) else min(max((value - values.low) / (values.high - values.low), 0.0), 1.0)
