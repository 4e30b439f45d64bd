"""A heat-map as text and as a table, for who reads rather than looks."""

import csv
import io
import math
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from models.domain.heat_queries import Float32
from models.domain.quantity import format_time
from models.domain.queries import Int64
from widgets.common.numbers import value_text
from widgets.common.plain import PlainLabel
from widgets.common.sorted_table import Column, SortedTable
from widgets.heat.order import highest, lowest, newest
from widgets.heat.subject import HeatSubject
from widgets.plots.plot_data import csv_cell, iso_time

_DIGITS = 6
translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class Cells(NamedTuple):
    """The rows of a heat-map as listed, in the time that is seen."""

    subject: HeatSubject
    rows: Int64
    first_us: int
    step_us: int
    value: Float32  # of `rows`


def heat_csv(cells: Cells) -> str:
    """As RFC 4180 text: a line for each agent, a column for each step by when it began (UTC); what was not measured is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="")
    subject = cells.subject
    begins = [iso_time(cells.first_us + step * cells.step_us) for step in range(cells.value.shape[1])]
    writer.writerow(("agent", "unit", *begins))
    out.write("\r\n")
    told = f",%.{_DIGITS}g" * cells.value.shape[1]  # of a whole row at once: there are hundreds of thousands of cells
    for row, own in zip(cells.rows.tolist(), cells.value.tolist(), strict=True):
        writer.writerow((csv_cell(subject.ids[row]), csv_cell(subject.unit)))
        out.write((told % tuple(own)).replace("nan", "") + "\r\n")
    return out.getvalue()


class _Row(NamedTuple):
    row: int
    agent: str
    newest: float
    high: float
    high_us: int
    low: float
    known: int


def rows_of(cells: Cells) -> list[_Row]:
    """What each row adds up to, as listed."""
    last, high, low = newest(cells.value), highest(cells.value), lowest(cells.value)
    at = (
        np.argmax(np.nan_to_num(cells.value, nan=-np.inf), axis=1) if cells.value.shape[1] else np.zeros(len(last), int)
    )
    known = (~np.isnan(cells.value)).sum(axis=1)
    return [
        _Row(row, cells.subject.names[row], float(last[place]), float(high[place]),
             cells.first_us + int(at[place]) * cells.step_us, float(low[place]), int(known[place]))
        for place, row in enumerate(cells.rows.tolist())
    ]  # fmt: skip


class HeatTable(QDialog):
    """A table of what a heat-map shows at this moment, a row for each agent; it does not follow."""

    def __init__(self, title: str, cells: Cells, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(720, 480)
        steps = cells.value.shape[1]
        until_us = cells.first_us + steps * cells.step_us
        text = self.tr("From {since} to {until} in {n} steps")
        span = format_time(cells.first_us, None, until_us), format_time(until_us, None, cells.first_us)
        text = text.replace("{since}", span[0]).replace("{until}", span[1]).replace("{n}", str(steps))
        self.table = SortedTable(
            self.tr("Agents of the heat-map"), _columns(cells.subject.unit, steps), (200, 90, 90, 150, 90, 90),
            lambda row: row.row, growing=(0,),
        )  # fmt: skip
        self.table.show_rows(rows_of(cells))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        told = PlainLabel()
        told.set_text(text)
        for widget in (told, self.table, buttons):
            column.addWidget(widget)


def _columns(unit: str, steps: int) -> list[Column[_Row]]:
    def key(value: float) -> float:
        return -math.inf if math.isnan(value) else value

    def at(row: _Row) -> str:
        return "" if math.isnan(row.high) else format_time(row.high_us)

    return [
        Column(translate("HeatTable", "Agent"), lambda row: row.agent),
        Column(translate("HeatTable", "Newest"), lambda row: value_text(row.newest, unit), lambda row: key(row.newest), number=True),
        Column(translate("HeatTable", "Highest"), lambda row: value_text(row.high, unit), lambda row: key(row.high), number=True),
        Column(translate("HeatTable", "at"), at, lambda row: row.high_us),
        Column(translate("HeatTable", "Lowest"), lambda row: value_text(row.low, unit), lambda row: key(row.low), number=True),
        Column(
            translate("HeatTable", "Steps with data"), lambda row: f"{row.known} / {steps}", lambda row: row.known, number=True
        ),
    ]  # fmt: skip
