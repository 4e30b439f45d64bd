"""How much is kept of each kind: what is held, how far it reaches back, two limits, and a button that puts them in force."""

from collections.abc import Mapping
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QLocale, Qt, Signal, Slot
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from models.domain.problems import Problem
from models.domain.quantity import MISSING, format_time
from models.domain.queries import KindHeld, StoreKind, StoreResult
from widgets.common.numbers import count_text, value_text
from widgets.common.plain import PlainLabel
from widgets.common.words import problem_text
from widgets.frame.tool_buttons import restyle

_WIDTH = 1_040
translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class Limits(NamedTuple):
    """Of one kind; 0 means no limit of that sort."""

    gib: float
    days: float


class RetentionForm(QWidget):
    """Its fields are disabled until `show_limits`. GUI thread."""

    wanted = Signal(object)
    """Somebody wants these limits: kind -> `Limits`."""
    edited = Signal()
    """Somebody changed a number."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: dict[StoreKind, Limits] | None = None
        self.rows = {kind: _Row(*_texts(kind)) for kind in StoreKind}
        self.apply = QPushButton(self.tr("A&pply"))
        self.apply.setAutoDefault(False)
        self._trouble = PlainLabel()
        self._trouble.setProperty("tone", "error")
        self._trouble.hide()
        self._build()
        for row in self.rows.values():
            for field in (row.gib, row.days):
                field.valueChanged.connect(self._edited)
        self.apply.clicked.connect(self._apply)
        self._edited()

    def _build(self) -> None:
        inner = QWidget()
        inner.setMaximumWidth(_WIDTH)
        grid = QGridLayout(inner)
        grid.setContentsMargins(12, 12, 12, 12)
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(4)
        titles = (self.tr("Kind"), self.tr("Held"), "", self.tr("Reaches back to"), self.tr("Keep at most"), "", "")
        for column, title in enumerate(titles):
            grid.addWidget(_muted(title), 0, column, _RIGHT if column == 1 else _LEFT)
        for place, row in enumerate(self.rows.values()):
            row.put_into(grid, 1 + 3 * place, self.tr("and"))
        grid.setColumnStretch(3, 1)
        rule = _muted(self.tr("Beyond either limit of its kind the oldest is removed, a whole file at a time, and shows as a gap. Of the values that were measured there, those of every hour stay."))  # fmt: skip
        rule.setWordWrap(True)
        last = 1 + 3 * len(self.rows)
        grid.addWidget(rule, last, 0, 1, 4)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.apply)
        grid.addLayout(buttons, last, 4, 1, 3)
        grid.addWidget(self._trouble, last + 1, 0, 1, 7)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(inner)
        outer.addStretch(1)

    def show_store(self, store: StoreResult) -> None:
        """What is held of each kind."""
        for held in store.kinds:
            self.rows[held.kind].show_held(held)

    def show_limits(self, limits: Mapping[StoreKind, Limits]) -> None:
        """What is in force; what somebody is just typing stays."""
        typing = self.changed is not None
        self._shown = dict(limits)
        if not typing:
            self.put_back()
        self._edited()

    @property
    def limits(self) -> dict[StoreKind, Limits] | None:
        """What is in force, as last shown."""
        return self._shown

    @property
    def typed(self) -> dict[StoreKind, Limits]:
        """What the fields say."""
        return {kind: Limits(row.gib.value(), row.days.value()) for kind, row in self.rows.items()}

    @property
    def changed(self) -> dict[StoreKind, Limits] | None:
        """What was typed and is not in force yet."""
        return self.typed if self._shown is not None and self.typed != self._shown else None

    def put_back(self) -> None:
        """Show again what is in force."""
        for kind, limits in (self._shown or {}).items():
            self.rows[kind].gib.setValue(limits.gib)
            self.rows[kind].days.setValue(limits.days)

    def show_growth(self, sentence: str) -> None:
        """When recorded history is full, by the limits that the fields say; translated."""
        self.rows[StoreKind.RECORDED].note.setText(sentence)

    def show_problem(self, problem: Problem | None) -> None:
        """Why the limits could not be read or written; None: they could."""
        sentence, remedy = problem_text(problem) if problem is not None else ("", "")
        self._trouble.set_text(f"{sentence} {remedy}".strip())
        self._trouble.setVisible(problem is not None)

    @Slot()
    def _edited(self) -> None:
        changed = self.changed is not None
        for row in self.rows.values():
            for field in (row.gib, row.days):
                field.setEnabled(self._shown is not None)
        self.apply.setEnabled(changed)
        restyle(self.apply, role="primary" if changed else "")
        self.edited.emit()

    @Slot()
    def _apply(self) -> None:
        self.wanted.emit(self.typed)


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class _Row:
    """The widgets of one kind."""

    def __init__(self, name: str, about: str, gib_name: str, days_name: str) -> None:
        self._name, self._about = QLabel(name), _muted(about)
        font = self._name.font()
        font.setBold(True)
        self._name.setFont(font)
        self._size, self._count, self._since = PlainLabel(), PlainLabel(), PlainLabel()
        self.note = _muted("")
        self.note.setWordWrap(True)
        self.gib = _Number(
            gib_name, translate("RetentionForm", " GiB"), translate("RetentionForm", "any size"), 1_000_000
        )
        self.days = _Number(
            days_name, translate("RetentionForm", " days"), translate("RetentionForm", "any age"), 100_000,
            translate("RetentionForm", " day"),
        )  # fmt: skip

    def put_into(self, grid: QGridLayout, row: int, between: str) -> None:
        """Two lines of the grid, and room below."""
        grid.addWidget(self._name, row, 0)
        grid.addWidget(self._size, row, 1, _RIGHT)
        grid.addWidget(self._count, row, 2, _LEFT)
        grid.addWidget(self._since, row, 3, _LEFT)
        grid.addWidget(self.gib, row, 4)
        grid.addWidget(QLabel(between), row, 5)
        grid.addWidget(self.days, row, 6)
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(self._about, row + 1, 0, 1, 4, top)
        grid.addWidget(self.note, row + 1, 4, 1, 3, top)
        grid.setRowMinimumHeight(row + 2, 14)

    def show_held(self, held: KindHeld) -> None:
        """What is held of it."""
        self._size.set_text(value_text(held.bytes, "By"))
        what = (
            translate("RetentionForm", "{n} hours of series")
            if held.kind is StoreKind.HOURS
            else translate("RetentionForm", "{n} messages")
        )
        self._count.set_text(what.replace("{n}", count_text(held.rows)))
        self._since.set_text(format_time(held.first_us)[:16] if held.first_us else MISSING)


def _texts(kind: StoreKind) -> tuple[str, str, str, str]:
    """Name, what it is, and what its two fields are called."""
    match kind:
        case StoreKind.RECORDED:
            return (
                translate("RetentionForm", "Recorded history"),
                translate("RetentionForm", "What the recorder stores, with all that was read from it"),
                translate("RetentionForm", "Most GiB of recorded history that are kept"),
                translate("RetentionForm", "Most days of recorded history that are kept"),
            )
        case StoreKind.IMPORTED:
            return (
                translate("RetentionForm", "Imports"),
                translate("RetentionForm", "Recorded traffic that was imported; its age counts from the import"),
                translate("RetentionForm", "Most GiB of imports that are kept"),
                translate("RetentionForm", "Most days after which an import is kept"),
            )
        case StoreKind.HOURS:
            return (
                translate("RetentionForm", "Hourly values"),
                translate("RetentionForm", "Minimum, mean and maximum of every series, hour by hour, when its samples are gone"),
                translate("RetentionForm", "Most GiB of hourly values that are kept"),
                translate("RetentionForm", "Most days of hourly values that are kept"),
            )  # fmt: skip


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("tone", "muted")
    return label


class _Number(QDoubleSpinBox):
    """Whole numbers are shown without a fraction; the least one reads as `none`."""

    def __init__(self, name: str, suffix: str, none: str, most: float, one: str = "") -> None:
        """`one`: the suffix of 1, where that is another."""
        super().__init__()
        self._suffix, self._one = suffix, one or suffix
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setRange(0, most)
        self.setDecimals(2)
        self.setSuffix(suffix)
        self.setSpecialValueText(none)
        self.setMinimumWidth(112)
        self.lineEdit().setTextMargins(5, 0, 0, 0)
        self.valueChanged.connect(self._fit_suffix)

    @Slot(float)
    def _fit_suffix(self, value: float) -> None:
        self.setSuffix(self._one if value == 1 else self._suffix)

    def textFromValue(self, value: float) -> str:
        text = QLocale().toString(value, "f", 2)
        point = QLocale().decimalPoint()
        return text.rstrip("0").removesuffix(point) if point in text else text
