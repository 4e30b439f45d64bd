"""The six steps of a connection test, as they happen: icon, word, and for the one that failed cause and remedy."""

from PySide6.QtCore import QEvent, QSize, Qt, Slot
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from models.domain.control import StepState, TestStep
from models.domain.problems import Problem
from widgets.common.theme import ThemeHolder
from widgets.common.words import problem_text

ICON_PX = 16
_LOOKS = {
    None: ("more", "muted"),
    StepState.RUNNING: ("clock", "accent"),
    StepState.PASSED: ("check", "good"),
    StepState.FAILED: ("error", "error"),
    StepState.SKIPPED: ("more", "muted"),
}


class TestStepsView(QWidget):
    """One row per step, all there from the beginning, so that one sees what comes."""

    __test__ = False  # not a pytest class

    def __init__(self, themes: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._states: dict[TestStep, StepState | None] = dict.fromkeys(TestStep)
        self._problems: dict[TestStep, Problem | None] = dict.fromkeys(TestStep)
        self._rows: dict[TestStep, tuple[QLabel, QLabel, QLabel, QLabel]] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(2, 1)
        for number, step in enumerate(TestStep):
            icon, name, word, detail = (QLabel(self) for _ in range(4))
            for label in (name, word, detail):
                label.setTextFormat(Qt.TextFormat.PlainText)
            name.setText(self.step_name(step))
            detail.setWordWrap(True)
            detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            for column, label in enumerate((icon, name, word)):
                grid.addWidget(label, 2 * number, column)
            grid.addWidget(detail, 2 * number + 1, 1, 1, 2)
            self._rows[step] = (icon, name, word, detail)
        themes.changed.connect(self._paint_all)
        self._paint_all()

    def clear(self) -> None:
        """Forget the last test."""
        for step in TestStep:
            self._states[step], self._problems[step] = None, None
        self._paint_all()

    def show_step(self, step: TestStep, state: StepState, problem: Problem | None) -> None:
        """A step began or ended."""
        self._states[step], self._problems[step] = state, problem
        self._paint(step)

    def state(self, step: TestStep) -> StepState | None:
        """As last told; None: not begun."""
        return self._states[step]

    def failed_step(self) -> TestStep | None:
        """The step that failed, if one did."""
        return next((step for step, state in self._states.items() if state is StepState.FAILED), None)

    def step_name(self, step: TestStep) -> str:
        """What the step does."""
        return {
            TestStep.NAME: self.tr("Find the computer"),
            TestStep.TCP: self.tr("Reach its port"),
            TestStep.TLS: self.tr("Encrypt (TLS)"),
            TestStep.CONNACK: self.tr("Be admitted"),
            TestStep.SUBSCRIBE: self.tr("Subscribe to the topics"),
            TestStep.MESSAGE: self.tr("Receive a first message"),
        }[step]

    def _word(self, step: TestStep) -> str:
        match self._states[step]:
            case None:
                return ""
            case StepState.RUNNING:
                return self.tr("trying…")
            case StepState.PASSED:
                return self.tr("passed")
            case StepState.FAILED:
                return self.tr("failed")
        return self.tr("none yet; the topics are quiet") if step is TestStep.MESSAGE else self.tr("not needed")

    @Slot()
    def _paint_all(self) -> None:
        for step in TestStep:
            self._paint(step)

    def _paint(self, step: TestStep) -> None:
        icon, name, word, detail = self._rows[step]
        drawing, tone = _LOOKS[self._states[step]]
        size = QSize(ICON_PX, ICON_PX)
        icon.setPixmap(self._themes.icons.icon(drawing, tone).pixmap(size, self.devicePixelRatioF()))
        word.setText(self._word(step))
        problem = self._problems[step]
        text = "\n".join(part for part in problem_text(problem) if part) if problem is not None else ""
        detail.setText(text)
        detail.setVisible(bool(text))
        for label, its_tone in ((word, tone), (detail, tone if problem is not None else "muted")):
            label.setProperty("tone", its_tone)
            label.style().polish(label)
        name.setAccessibleName(": ".join(part for part in (name.text(), word.text(), text) if part))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._paint_all()
