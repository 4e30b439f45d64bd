"""In what resolution a plot draws, in words."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QCoreApplication

from widgets.common.numbers import count_text, duration_text
from widgets.plots.curves import Shape

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected

EVERY = Shape(np.zeros(1, np.int64), np.zeros(1), np.zeros(1, bool))
"""As if every sample were drawn."""


def resolution_text(shapes: Sequence[Shape]) -> str:
    """The coarsest of what is drawn; empty: nothing is."""
    told = []
    seen = [shape for shape in shapes if len(shape.x_us) or shape.band is not None]
    lines = [shape for shape in seen if not shape.bucket_us and len(shape.x_us)]
    buckets = sorted({shape.bucket_us for shape in seen if shape.bucket_us and len(shape.x_us)})
    if any(shape.envelope_of < 0 for shape in lines):
        told.append(translate("Resolution", "envelope of very many samples"))
    elif behind := sum(shape.envelope_of or len(shape.x_us) for shape in lines if shape.envelope_of):
        told.append(translate("Resolution", "envelope of {n} samples").replace("{n}", count_text(behind)))
    elif lines:
        told.append(translate("Resolution", "every sample"))
    if buckets:
        told.append(translate("Resolution", "in steps of {span}").replace("{span}", duration_text(buckets[-1])))
    if any(shape.hourly is not None or shape.band is not None for shape in seen):
        told.append(translate("Resolution", "hours"))
    return " + ".join(told)


def resolution_tip(shapes: Sequence[Shape]) -> str:
    """What that means."""
    lines = []
    if any(shape.envelope_of for shape in shapes):
        lines.append(translate("Resolution", "Envelope: of each pixel the least and the largest value are drawn."))
    if any(shape.bucket_us for shape in shapes):
        lines.append(
            translate(
                "Resolution", "Steps: each point sums up exactly what was observed in so long; zoom in for finer ones."
            )
        )
    if any(shape.hourly is not None or shape.band is not None for shape in shapes):
        lines.append(
            translate(
                "Resolution",
                "Hours: the samples themselves are gone; minimum, maximum and mean of each hour are kept. Of counters the exact "
                "rise is kept, and that one restarted in an hour, but not when.",
            )
        )
    return "\n".join(lines) or translate("Resolution", "Every sample that was received is drawn.")
