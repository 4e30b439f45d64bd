"""One cell of a heat-map in words: whose, when, and what was measured, or why nothing was."""

import math
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from models.domain.quantity import format_time
from widgets.common.numbers import count_text, value_text
from widgets.common.words import gap_word
from widgets.heat.feed import HeatFeed

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class Cell(NamedTuple):
    """A row of the feed and a step of it; `value` NaN: nothing was measured."""

    row: int
    since_us: int
    until_us: int
    value: float
    n: int


def cell_at(feed: HeatFeed, row: int, at_us: int) -> Cell:
    """The one of this row that holds a moment."""
    step = (at_us - feed.first_us) // feed.step_us
    since_us = feed.first_us + step * feed.step_us
    inside = 0 <= step < feed.value.shape[1]
    value, n = (float(feed.value[row, step]), int(feed.n[row, step])) if inside else (math.nan, 0)
    return Cell(row, since_us, since_us + feed.step_us, value, n)


def cell_text(feed: HeatFeed, cell: Cell, now_us: int) -> str:
    """Agent, time and value; dates are told where they are not those of `now_us`."""
    subject = feed.subject
    if subject is None:
        return ""
    if math.isnan(cell.value):
        why = _why(feed, cell, subject.rows[cell.row].agent)
        value = translate("HeatCell", "no data") + (f" ({why})" if why else "")
    else:
        value = value_text(cell.value, subject.unit)
    n = f" (n {count_text(cell.n)})" if cell.n else ""
    span = f"{format_time(cell.since_us, None, now_us)} – {format_time(cell.until_us, None, cell.since_us)}"
    return f"{subject.names[cell.row]} · {span} · {value}{n}"


def _why(feed: HeatFeed, cell: Cell, agent: int) -> str:
    """What history does not cover there; empty: nothing is known of that."""
    gaps = feed.gaps
    rows = zip(gaps.since_us.tolist(), gaps.until_us.tolist(), gaps.cause, gaps.agent.tolist(), strict=True)
    causes = [
        cause for since, until, cause, whose in rows if whose in (0, agent) and since < cell.until_us and until > cell.since_us
    ]  # fmt: skip
    return ", ".join(dict.fromkeys(map(gap_word, causes)))
