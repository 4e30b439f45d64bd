"""What is held: every day and every capture."""

from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from models.domain.quantity import MISSING, format_time
from models.domain.queries import CaptureRow, DayColumns, StoreResult
from widgets.common.numbers import count_text, value_text
from widgets.common.plain import tooltip_text, visible
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.theme import ThemeHolder
from widgets.data.day_bars import DayBars, date_of
from widgets.data.titled import titled

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected

DAY_US = 86_400_000_000


class Day(NamedTuple):
    """A row of `DayColumns`; `until_us` is where the next day begins."""

    since_us: int
    until_us: int
    messages: int
    samples: int
    logs: int
    tasks: int
    bytes: int


class HeldView(QWidget):
    """GUI thread."""

    span_wanted = Signal(object, object)
    """Somebody wants to look at this time (µs)."""

    def __init__(self, theme: ThemeHolder) -> None:
        super().__init__()
        self.bars = DayBars(theme)
        self.days: SortedTable[Day] = _day_table()
        self.captures: SortedTable[CaptureRow] = _capture_table()
        self.captures.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # the name of a file stands at the end of its path
        self._days: list[Day] = []
        self._build()
        self.days.opened.connect(self._open_day)
        self.bars.opened.connect(lambda place: self._open_day(self._days[place]))
        self.captures.opened.connect(self._open_capture)

    def show_store(self, store: StoreResult) -> None:
        """List what this says."""
        self._days = days_of(store.days)
        self.bars.show_days(store.days)
        self.days.show_rows(self._days[::-1])
        self.captures.show_rows(store.captures)

    def _build(self) -> None:
        self.days.setObjectName("data-days")
        self.captures.setObjectName("data-captures")
        bars = QVBoxLayout()
        bars.setContentsMargins(12, 8, 12, 4)
        bars.setSpacing(2)
        bars.addWidget(_heading(self.tr("Size of every day")))
        bars.addWidget(self.bars)
        self.parts = QSplitter(Qt.Orientation.Horizontal)
        self.parts.setObjectName("data-held")
        self.parts.setChildrenCollapsible(False)
        for title, hint, table in (
            (self.tr("By day"), self.tr("Days of this computer's time zone"), self.days),
            (self.tr("By capture"), self.tr("A run of the recorder, or an import"), self.captures),
        ):
            label = QLabel(title)
            label.setToolTip(hint)
            self.parts.addWidget(titled(label, table))
        self.parts.setSizes([440, 760])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bars)
        column.addWidget(self.parts, 1)

    @Slot(object)
    def _open_day(self, day: Day) -> None:
        self.span_wanted.emit(day.since_us, day.until_us)

    @Slot(object)
    def _open_capture(self, capture: CaptureRow) -> None:
        if capture.last_us:
            self.span_wanted.emit(capture.first_us, capture.last_us + 1)


def days_of(columns: DayColumns) -> list[Day]:
    """The columns as rows, oldest first."""
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Day(since, _next_midnight(since), *rest) for since, *rest in rows]


def _next_midnight(midnight_us: int) -> int:
    """Days have 23, 24 or 25 hours; the next one begins within an hour of a day later."""
    later = midnight_us + DAY_US
    for hours in (0, -1, 1):
        found = later + hours * 3_600_000_000
        if format_time(found)[11:] == "00:00:00":
            return found
    return later


def _day_table() -> SortedTable[Day]:
    columns: list[Column[Day]] = [
        Column(translate("HeldView", "Day"), lambda day: date_of(day.since_us).isoformat()),
        Column(translate("HeldView", "Messages"), lambda day: count_text(day.messages), lambda day: day.messages, number=True),
        Column(translate("HeldView", "Samples"), lambda day: count_text(day.samples), lambda day: day.samples, number=True),
        Column(translate("HeldView", "Logs"), lambda day: count_text(day.logs), lambda day: day.logs, number=True),
        Column(translate("HeldView", "Tasks"), lambda day: count_text(day.tasks), lambda day: day.tasks, number=True),
        Column(
            translate("HeldView", "Size"), lambda day: value_text(day.bytes, "By"), lambda day: day.bytes, number=True,
            tip=lambda _: translate("HeldView", "A file that holds two days counts towards each in proportion to its messages."),
        ),
    ]  # fmt: skip
    name = translate("HeldView", "Days")
    return SortedTable(name, columns, (90, 72, 72, 60, 54, 76), lambda day: day.since_us, (0, 1, 2, 3, 4, 5))


def _capture_table() -> SortedTable[CaptureRow]:
    columns: list[Column[CaptureRow]] = [
        Column(translate("HeldView", "Kind"), _kind),
        Column(
            translate("HeldView", "From"), lambda one: visible(one.source).removeprefix("mqtt://"), None,
            tip=lambda one: tooltip_text(visible(one.source)),
        ),
        Column(translate("HeldView", "First"), lambda one: format_time(one.first_us)[:16], lambda one: one.first_us),
        Column(translate("HeldView", "Last"), lambda one: format_time(one.last_us)[:16], lambda one: one.last_us),
        Column(translate("HeldView", "Messages"), lambda one: count_text(one.messages), lambda one: one.messages, number=True),
        Column(translate("HeldView", "Samples"), lambda one: count_text(one.samples), lambda one: one.samples, number=True),
        Column(translate("HeldView", "Logs"), lambda one: count_text(one.logs), lambda one: one.logs, number=True),
        Column(translate("HeldView", "Size"), lambda one: value_text(one.bytes, "By"), lambda one: one.bytes, number=True),
    ]  # fmt: skip
    name = translate("HeldView", "Captures")
    return SortedTable(name, columns, (72, 90, 130, 130, 74, 74, 62, 76), lambda one: one.id, (1,))


def _kind(capture: CaptureRow) -> str:
    if capture.kind == "import":
        return translate("HeldView", "imported")
    return translate("HeldView", "recorded") if capture.kind == "record" else MISSING


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("tone", "muted")
    return label
