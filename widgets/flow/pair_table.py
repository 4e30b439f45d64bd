"""Pairs of agents that talked, as a table."""

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QIcon

from models.domain.quantity import MISSING, format_time
from widgets.common.numbers import count_text, duration_text, value_text
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.theme import ThemeHolder
from widgets.flow.pairs import FAILS_FROM, SLOW_FROM_US, Pair

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def pair_table(themes: ThemeHolder) -> SortedTable[Pair]:
    """Sortable and copyable; as they come, the worst first."""
    tr = translate

    def icon(pair: Pair) -> QIcon:
        if pair.ratio is not None and pair.ratio >= FAILS_FROM:
            return themes.icons.icon("error", "error")
        if pair.p95_us is not None and pair.p95_us >= SLOW_FROM_US:
            return themes.icons.icon("clock", "warning")
        return themes.icons.icon("check", "muted")

    columns: list[Column[Pair]] = [
        Column(tr("PairTable", "From"), lambda one: one.sender_name or tr("PairTable", "nobody knows"), icon=icon),
        Column(tr("PairTable", "To"), lambda one: one.receiver_name or tr("PairTable", "nobody knows")),
        Column(
            tr("PairTable", "Interactions"),
            lambda one: count_text(one.interactions),
            lambda one: one.interactions,
            number=True,
        ),
        Column(
            tr("PairTable", "A minute"), lambda one: value_text(one.per_minute), lambda one: one.per_minute, number=True
        ),
        Column(tr("PairTable", "Failed"), _failed, lambda one: -1.0 if one.ratio is None else one.ratio, number=True),
        Column(tr("PairTable", "Reply p50"), lambda one: _span(one.p50_us), lambda one: _key(one.p50_us), number=True),
        Column(tr("PairTable", "Reply p95"), lambda one: _span(one.p95_us), lambda one: _key(one.p95_us), number=True),
        Column(tr("PairTable", "Reply p99"), lambda one: _span(one.p99_us), lambda one: _key(one.p99_us), number=True),
        Column(tr("PairTable", "Last"), lambda one: format_time(one.last_us), lambda one: one.last_us),
    ]
    widths = (170, 150, 96, 84, 130, 92, 92, 92, 150)
    name = tr("PairTable", "Who talks to whom")
    return SortedTable(name, columns, widths, lambda one: (one.sender, one.receiver), (0, 1))


def _failed(pair: Pair) -> str:
    if pair.ratio is None:
        return translate("PairTable", "no data")
    of = translate("PairTable", "{share} of {n}")
    return of.replace("{share}", value_text(pair.ratio, "1")).replace("{n}", count_text(pair.finished))


def _span(us: int | None) -> str:
    return MISSING if us is None else duration_text(us)


def _key(us: int | None) -> int:
    return -1 if us is None else us
