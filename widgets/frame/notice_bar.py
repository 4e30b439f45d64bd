"""Problems and news in a line above the screen: never a box in the way."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from models.domain.problems import Problem, Severity
from widgets.common.plain import visible
from widgets.common.theme import ThemeHolder
from widgets.common.words import problem_text, severity_word
from widgets.frame.tool_buttons import FlatButton, restyle

_ICONS = {
    Severity.INFO: ("info", "accent"),
    Severity.WARNING: ("warning", "warning"),
    Severity.ERROR: ("error", "error"),
}
_RANK = {Severity.ERROR: 2, Severity.WARNING: 1, Severity.INFO: 0}


@dataclass(frozen=True, slots=True)
class Notice:
    """Texts are translated and visible. `key` names the matter: a new notice of the same key takes the old one's place.
    `action` is the text of one button that calls `on_action`."""

    key: str
    severity: Severity
    sentence: str
    remedy: str = ""
    details: str = ""
    action: str = ""
    on_action: Callable[[], object] | None = None


class NoticeBar(QWidget):
    """Shows the worst notice, of equals the newest; the others wait behind "1 of 3". GUI thread."""

    def __init__(self, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._notices: dict[str, Notice] = {}  # in the order they came
        self._shown = ""
        self.setProperty("role", "notice")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._icon, self._sentence, self._remedy, self._details = QLabel(), QLabel(), QLabel(), QLabel()
        self._action = QPushButton()
        self._next = self._text_button(self.tr("Next notice"))
        self._more = self._text_button(self.tr("Details"))
        self._copy = FlatButton(theme, "copy", self.tr("Copy this notice"))
        self._close = FlatButton(theme, "close", self.tr("Close this notice"))
        self._build()
        self._action.clicked.connect(self._act)
        self._next.clicked.connect(self._turn)
        self._more.setText(self.tr("Details"))
        self._more.setCheckable(True)
        self._more.toggled.connect(self._details.setVisible)
        self._copy.clicked.connect(self._copy_text)
        self._close.clicked.connect(self._dismiss)
        theme.changed.connect(self._draw)
        self._draw()

    def show_notice(self, notice: Notice) -> None:
        """Tell this; it stays until it is closed or cleared."""
        if self._notices.get(notice.key) == notice:
            return
        self._notices.pop(notice.key, None)
        self._notices[notice.key] = notice
        shown = self._notices.get(self._shown)
        if shown is None or _RANK[notice.severity] >= _RANK[shown.severity]:
            self._shown = notice.key
        self._draw()

    def show_problem(
        self, problem: Problem, action: str = "", on_action: Callable[[], object] | None = None, key: str = ""
    ) -> None:
        """Tell a problem; the same code again takes its place (or the same `key`)."""
        sentence, remedy = problem_text(problem)
        lines = [problem.code, *(f"{name}: {visible(str(value))}" for name, value in sorted(problem.params.items()))]
        self.show_notice(
            Notice(key or problem.code, problem.severity, sentence, remedy, "\n".join(lines), action, on_action)
        )

    def clear(self, key: str) -> None:
        """The matter is settled; does nothing where nothing is told of it."""
        if self._notices.pop(key, None) is not None:
            self._draw()

    def keys(self) -> list[str]:
        """The matters that are told of, oldest first."""
        return list(self._notices)

    def _build(self) -> None:
        for label in (self._sentence, self._remedy, self._details):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        font = self._sentence.font()
        font.setBold(True)
        self._sentence.setFont(font)
        self._remedy.setProperty("tone", "muted")
        self._details.setProperty("tone", "muted")
        self._details.hide()
        words = QVBoxLayout()
        words.setSpacing(1)
        for label in (self._sentence, self._remedy, self._details):
            words.addWidget(label)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(8)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        for button in (self._action, self._next, self._more, self._copy, self._close):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def _text_button(self, name: str) -> QToolButton:
        button = QToolButton()
        button.setProperty("role", "flat")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(name)
        return button

    def _draw(self) -> None:
        if self._shown not in self._notices and self._notices:
            self._shown = max(reversed(self._notices.values()), key=lambda one: _RANK[one.severity]).key
        notice = self._notices.get(self._shown)
        self.setVisible(notice is not None)
        if notice is None:
            return
        icon, tone = _ICONS[notice.severity]
        self._icon.setPixmap(self._theme.icons.icon(icon, tone).pixmap(18, 18))
        restyle(self, severity=notice.severity.value)
        for label, text in ((self._sentence, notice.sentence), (self._remedy, notice.remedy)):
            label.setText(text)
            label.setVisible(bool(text))
        one_line = not notice.remedy and not notice.details
        row = self.layout()
        assert row is not None
        row.setAlignment(self._icon, Qt.AlignmentFlag.AlignVCenter if one_line else Qt.AlignmentFlag.AlignTop)
        self._details.setText(notice.details)
        self._details.setVisible(bool(notice.details) and self._more.isChecked())
        self._more.setVisible(bool(notice.details))
        self._action.setText(notice.action)
        self._action.setVisible(bool(notice.action))
        place = list(self._notices).index(self._shown) + 1
        count = self.tr("{n} of {all}").replace("{n}", str(place)).replace("{all}", str(len(self._notices)))
        self._next.setText(count)
        self._next.setVisible(len(self._notices) > 1)
        self.setAccessibleName(f"{severity_word(notice.severity)}: {notice.sentence}")
        self.setAccessibleDescription(notice.remedy)

    def _act(self) -> None:
        notice = self._notices.get(self._shown)
        if notice is not None and notice.on_action is not None:
            notice.on_action()

    def _turn(self) -> None:
        keys = list(self._notices)
        self._shown = keys[(keys.index(self._shown) + 1) % len(keys)]
        self._draw()

    def _copy_text(self) -> None:
        notice = self._notices[self._shown]
        lines = [part for part in (notice.sentence, notice.remedy, notice.details) if part]
        QGuiApplication.clipboard().setText("\n".join(lines))

    def _dismiss(self) -> None:
        self.clear(self._shown)
