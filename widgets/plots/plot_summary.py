"""What a plot shows in one sentence, for who does not see the curves."""

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QCoreApplication

from models.domain.quantity import MISSING
from widgets.common.numbers import duration_text, value_text
from widgets.common.plain import visible
from widgets.plots.curves import Shape, Window

_LONGEST = 4_000


def extent(shapes: Sequence[Shape], window: Window) -> tuple[float, float]:
    """Lowest and highest value inside the window; NaN without any."""
    found = []
    for shape in shapes:
        ends = shape.x_us + shape.bar_us
        value = shape.value[(ends >= window.since_us) & (shape.x_us < window.until_us)]
        if len(value):
            found += [float(np.min(value)), float(np.max(value))]
        if shape.band is not None:
            found += [float(shape.band.low.min()), float(shape.band.high.max())]
    return (min(found), max(found)) if found else (math.nan, math.nan)


def summary(title: str, subject: str, newest: str, unit: str, values: tuple[float, float], span_us: int) -> str:
    """The sentence for a plot with data; `values` are its lowest and highest, `newest` what its legend says."""
    text = QCoreApplication.translate(
        "TimePlot", "{title} of {subject}: {values}; minimum {low}, maximum {high} in {span}"
    )
    places = {
        "title": title,
        "subject": subject or MISSING,
        "low": value_text(values[0], unit),
        "high": value_text(values[1], unit),
        "span": duration_text(span_us),
        "values": visible(newest, _LONGEST),
    }
    for place, value in places.items():
        text = text.replace("{" + place + "}", value)
    return text
