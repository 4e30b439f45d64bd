"""How much history is kept: two limits, what they mean at the present rate, and a button that puts them in force."""

from PySide6.QtCore import QLocale, Signal, Slot
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from models.domain.problems import Problem
from widgets.common.plain import PlainLabel
from widgets.common.words import problem_text
from widgets.frame.tool_buttons import restyle

_WIDTH = 380


class RetentionForm(QWidget):
    """Empty and disabled until `show_limits`. 0 means no limit of that kind. GUI thread."""

    wanted = Signal(float, float)
    """Somebody wants these limits: GiB, days."""
    edited = Signal()
    """Somebody changed a number."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(_WIDTH)
        self._shown: tuple[float, float] | None = None
        self.gib = _Number(self.tr("Most GiB that are kept"), self.tr(" GiB"), self.tr("any size"), 1_000_000)
        self.days = _Number(
            self.tr("Most days that are kept"), self.tr(" days"), self.tr("any age"), 100_000, self.tr(" day")
        )
        self.apply = QPushButton(self.tr("A&pply"))
        self.apply.setAutoDefault(False)
        self._meaning = QLabel()
        self._meaning.setWordWrap(True)
        self._meaning.setProperty("tone", "muted")
        self._trouble = PlainLabel()
        self._trouble.setProperty("tone", "error")
        self._trouble.hide()
        heading = QLabel(self.tr("Keep at most"))
        heading.setProperty("tone", "muted")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.gib)
        row.addWidget(QLabel(self.tr("and")))
        row.addWidget(self.days)
        row.addWidget(self.apply)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(heading)
        column.addLayout(row)
        column.addWidget(self._meaning)
        column.addWidget(self._trouble)
        column.addStretch(1)
        for field in (self.gib, self.days):
            field.valueChanged.connect(self._edited)
        self.apply.clicked.connect(self._apply)
        self._edited()
        self.show_meaning("")

    def show_limits(self, gib: float, days: float) -> None:
        """What is in force; what somebody is just typing stays."""
        typing = self.changed is not None
        self._shown = (gib, days)
        if not typing:
            self.put_back()
        self._edited()

    @property
    def limits(self) -> tuple[float, float] | None:
        """What is in force, as last shown."""
        return self._shown

    def put_back(self) -> None:
        """Show again what is in force."""
        if self._shown is not None:
            self.gib.setValue(self._shown[0])
            self.days.setValue(self._shown[1])

    @property
    def changed(self) -> tuple[float, float] | None:
        """What was typed and is not in force yet."""
        typed = (self.gib.value(), self.days.value())
        return typed if self._shown is not None and typed != self._shown else None

    def show_meaning(self, text: str) -> None:
        """What the changed limits would mean at the present rate, translated; empty: what limits mean at all."""
        rule = self.tr("Beyond either limit the oldest is removed, a whole file at a time, and shows as a gap.")
        self._meaning.setText(text or rule)

    def show_problem(self, problem: Problem | None) -> None:
        """Why the limits could not be read or written; None: they could."""
        sentence, remedy = problem_text(problem) if problem is not None else ("", "")
        self._trouble.set_text(f"{sentence} {remedy}".strip())
        self._trouble.setVisible(problem is not None)

    @Slot()
    def _edited(self) -> None:
        changed = self.changed is not None
        for field in (self.gib, self.days):
            field.setEnabled(self._shown is not None)
        self.apply.setEnabled(changed)
        restyle(self.apply, role="primary" if changed else "")
        self.edited.emit()

    @Slot()
    def _apply(self) -> None:
        self.wanted.emit(self.gib.value(), self.days.value())


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
