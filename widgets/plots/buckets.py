"""Stretches of time that are summed up to a point each. They lie on round times, so that one keeps its value while the window
moves."""

import numpy as np

from models.domain.queries import Int64
from widgets.plots.curves import Spans, Window

BUCKET_PIXELS = 8
_WIDTHS_S = (
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600,
    7_200, 10_800, 14_400, 21_600, 28_800, 43_200, 86_400,
)  # fmt: skip
_STEPS = 60
"""Of a range, about so many: finer ones are narrower than what is read off a plot."""
_STEPS_S = (10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)


def bucket_width_us(window: Window) -> int:
    """A round width of about eight pixels."""
    wanted_s = (window.until_us - window.since_us) / 1e6 * BUCKET_PIXELS / max(window.columns, 1)
    return round(next((width for width in _WIDTHS_S if width >= wanted_s), _WIDTHS_S[-1]) * 1_000_000)


def step_of(span_us: int) -> int:
    """A round step of whole pulses that fits a range of this length, in microseconds."""
    wanted_s = span_us / 1e6 / _STEPS
    return next((step for step in _STEPS_S if step >= wanted_s), _STEPS_S[-1]) * 1_000_000


def middles(starts_us: Int64, width_us: int, gaps: Spans) -> Int64:
    """Where to draw each bucket: in its middle, or at the edge of a gap that covers the middle."""
    middle = starts_us + width_us // 2
    for since, until in zip(gaps.since_us.tolist(), gaps.until_us.tolist(), strict=True):
        first, last = np.searchsorted(middle, [since, until])
        ends_after = starts_us[first:last] + width_us > until
        middle[first:last] = np.where(ends_after, until, np.maximum(since, starts_us[first:last]))
    return middle


def covered_us(since_us: Int64, until_us: Int64, gaps: Spans) -> Int64:
    """How much of each stretch history covers: what lies in no gap. Gaps may overlap."""
    latest = np.maximum.accumulate(gaps.until_us)
    begin = np.maximum(gaps.since_us, np.concatenate((gaps.since_us[:1], latest[:-1])))
    length = np.maximum(gaps.until_us - begin, 0)

    def gone_before(at_us: Int64) -> Int64:
        gone: Int64 = np.clip(at_us[:, None] - begin, 0, length).sum(axis=1)
        return gone

    return until_us - since_us - gone_before(until_us) + gone_before(since_us)
