"""What a list or a plot shows when it has no content: why, and one way on."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QCoreApplication, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from models.domain.problems import Problem
from widgets.common.theme import ThemeHolder
from widgets.common.words import problem_text

ICON_SIZE = 40
TEXT_WIDTH = 460
LEAST_TEXT_WIDTH = 120
MARGIN = 24


class StateKind(StrEnum):
    EMPTY = "empty"
    LOADING = "loading"
    NO_MATCH = "no-match"
    ERROR = "error"


_LOOKS = {  # icon and token of its colour
    StateKind.EMPTY: ("inbox", "muted"),
    StateKind.LOADING: ("clock", "muted"),
    StateKind.NO_MATCH: ("filter", "muted"),
    StateKind.ERROR: ("warning", "error"),
}


@dataclass(frozen=True, slots=True)
class ViewState:
    """`sentence` says what is so, `hint` why or what to do; `action` is the text of one button that calls `on_action`.

    The texts are translated already. Outside text in them must have gone through `plain.visible`.
    """

    kind: StateKind
    sentence: str
    hint: str = ""
    action: str = ""
    on_action: Callable[[], object] | None = None


def loading() -> ViewState:
    """The answer is on its way."""
    return ViewState(StateKind.LOADING, QCoreApplication.translate("StateView", "Loading…"))


def no_match(clear: Callable[[], object], *, in_time: bool = False) -> ViewState:
    """Nothing passes the filter; the button calls `clear`. `in_time`: nothing but a chosen stretch of time was looked through."""
    if in_time:
        return ViewState(
            StateKind.NO_MATCH,
            QCoreApplication.translate("StateView", "Nothing in this time matches the filter"),
            QCoreApplication.translate(
                "StateView", "Choose a longer time at the top to look further, or another filter."
            ),
            QCoreApplication.translate("StateView", "Clear filter"),
            clear,
        )
    return ViewState(
        StateKind.NO_MATCH,
        QCoreApplication.translate("StateView", "Nothing matches the filter"),
        QCoreApplication.translate("StateView", "There is more that the filter hides."),
        QCoreApplication.translate("StateView", "Clear filter"),
        clear,
    )


def failed(problem: Problem, retry: Callable[[], object] | None = None) -> ViewState:
    """A problem in place of the content; with `retry` one can try again."""
    sentence, remedy = problem_text(problem)
    action = QCoreApplication.translate("StateView", "Try again") if retry else ""
    return ViewState(StateKind.ERROR, sentence, remedy, action, retry)


class StateView(QWidget):
    """Icon, sentence, hint and at most one button, in the middle of the place that has no content."""

    def __init__(self, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._state = loading()
        self._icon, self._sentence, self._hint = QLabel(), QLabel(), QLabel()
        self._button = QPushButton()
        self._button.setAutoDefault(False)
        self._button.clicked.connect(self._act)
        for label in (self._icon, self._sentence, self._hint):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(label is not self._icon)
        font = self._sentence.font()
        font.setBold(True)
        self._sentence.setFont(font)
        self._hint.setProperty("tone", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        column.setSpacing(8)
        column.addStretch(2)
        for widget in (self._icon, self._sentence, self._hint, self._button):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        theme.changed.connect(self._draw)
        self._draw()

    @property
    def state(self) -> ViewState:
        return self._state

    def show_state(self, state: ViewState) -> None:
        """Show this instead of what was shown."""
        if state != self._state:
            self._state = state
            self._draw()

    @Slot()
    def _draw(self) -> None:
        state = self._state
        name, tone = _LOOKS[state.kind]
        icon = self._theme.icons.icon(name, tone)
        self._icon.setPixmap(icon.pixmap(ICON_SIZE, ICON_SIZE))
        for label, text in ((self._sentence, state.sentence), (self._hint, state.hint)):
            label.setText(text)
            label.setVisible(bool(text))
        self._fit()
        self._button.setText(state.action)
        self._button.setVisible(bool(state.action))
        self.setAccessibleName(state.sentence)
        self.setAccessibleDescription(state.hint)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Texts are no wider than they are read well, nor than there is room for."""
        room = max(LEAST_TEXT_WIDTH, self.width() - 2 * MARGIN)
        for label in (self._sentence, self._hint):
            width = min(TEXT_WIDTH, room, label.fontMetrics().horizontalAdvance(label.text()) + 8)
            label.setMinimumWidth(0)  # no height is told for less than that
            label.setFixedSize(width, max(0, label.heightForWidth(width)))  # -1 without text

    @Slot()
    def _act(self) -> None:
        if self._state.on_action is not None:
            self._state.on_action()


class StateStack(QStackedWidget):
    """Either the content, or a `StateView` in its place. Begins with loading."""

    def __init__(self, content: QWidget, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        self.view = StateView(theme)
        self.addWidget(content)
        self.addWidget(self.view)
        self.show_state(loading())

    def show_content(self) -> None:
        """A focus that was meant for the content and waited goes to it."""
        self.setCurrentWidget(self._content)
        meant = self.window().focusWidget()
        if meant is None or not meant.isAncestorOf(self):
            return
        while (proxy := meant.focusProxy()) is not None:
            meant = proxy
        if meant is self._content or self._content.isAncestorOf(meant):
            meant.setFocus()

    def show_state(self, state: ViewState) -> None:
        self.view.show_state(state)
        self.setCurrentWidget(self.view)

    @property
    def shows_content(self) -> bool:
        return self.currentWidget() is self._content
