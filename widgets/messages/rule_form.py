"""The form in which somebody teaches what messages mean. Not modal: what is at hand may change behind it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from models.domain.problems import Problem
from models.domain.rules import Meaning, Rule, SameAgent
from widgets.common.buttons import plain_button
from widgets.common.theme import ThemeHolder
from widgets.common.words import problem_text
from widgets.messages.payload_places import Place
from widgets.messages.rule_fields import RuleFields
from widgets.messages.rule_preview_view import Preview, RulePreview

PATTERN_MS = 150
"""Messages are asked for anew when the topic has not been written in for so long."""
_FIELDS_WIDTH = 360
_FIRST = {
    Meaning.NUMBER: "metric",
    Meaning.AGENT: "agent",
    Meaning.LOG: "level",
    Meaning.STATUS: "online",
    None: "same",
}


class RuleForm(QDialog):
    """Asks and shows; whoever made it proposes, reads messages with the rule as it stands, and keeps it. GUI thread."""

    rule_changed = Signal(object)
    """Rule or SameAgent, or None where it makes no sense."""
    pattern_changed = Signal(str)
    """Messages with such topics are wanted."""
    proposal_wanted = Signal()
    """Another meaning or another place was chosen."""
    save_requested = Signal(object)  # Rule or SameAgent
    list_requested = Signal()
    closed = Signal()

    def __init__(self, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModal(False)
        self._said: Rule | SameAgent | None = None
        self._pattern = ""
        self._saving = False
        self.fields = RuleFields()
        self.preview = RulePreview(theme)
        self.notice = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.notice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.notice.setProperty("tone", "error")
        self.notice.hide()
        self.save = QPushButton(self.tr("&Save rule"), autoDefault=False)
        self.save.setProperty("role", "primary")
        self.save.setToolTip(QKeySequence("Ctrl+Return").toString(QKeySequence.SequenceFormat.NativeText))
        self._ask = QTimer(self, singleShot=True, interval=PATTERN_MS)
        self._lay_out()
        self._ask.timeout.connect(self._ask_messages)
        self.fields.changed.connect(self._changed)
        self.fields.meaning_chosen.connect(self.proposal_wanted)
        self.fields.meaning_chosen.connect(self._changed)
        self.fields.place_chosen.connect(self.proposal_wanted)
        self.save.clicked.connect(self._save)
        QShortcut(QKeySequence("Ctrl+Return"), self, self._save)
        self.finished.connect(self._ask.stop)
        self.finished.connect(self.closed)

    def _lay_out(self) -> None:
        area = QScrollArea(widgetResizable=True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self.fields)
        area.setFixedWidth(_FIELDS_WIDTH)
        across = QHBoxLayout()
        across.setSpacing(14)
        across.addWidget(area)
        across.addWidget(self.preview, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        rules = plain_button(self.tr("&Mapping rules…"), self.list_requested.emit)
        buttons.addButton(rules, QDialogButtonBox.ButtonRole.ResetRole)
        buttons.addButton(self.save, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(across, 1)
        column.addWidget(self.notice)
        column.addWidget(buttons)
        self.resize(1_140, 660)

    # ------------------------------------------------------------ what is shown

    def begin(self, means: Meaning | None) -> None:
        """Another message is at hand."""
        self.setWindowTitle(self.tr("Teach what messages mean"))
        self._clear()
        self.fields.begin(means)

    def change(self, said: Rule | SameAgent) -> None:
        """A rule that was kept before is to be changed."""
        self.setWindowTitle(self.tr("Edit a rule"))
        self._clear(edited=True)
        self.fields.take(said)

    def _clear(self, *, edited: bool = False) -> None:
        self._saving = False
        self._pattern = ""
        self._tell("")
        self.preview.show_waiting(edited=edited)

    def propose(self, said: Rule | SameAgent, places: Sequence[Place] = ()) -> None:
        """Fill in what was not written by hand. `places`: those of the message at hand."""
        self.fields.offer(places, said.pattern.names if isinstance(said, Rule) else ())
        self.fields.propose(said)
        self._ask_messages()

    def focus_first(self) -> None:
        """Where one most likely writes next."""
        key = _FIRST.get(self.fields.means, "topic")
        self.fields.fields[key].setFocus()
        self.fields.fields[key].line.selectAll()

    def show_preview(self, found: Preview) -> None:
        """What comes of the rule as it was told last."""
        self.preview.show_preview(found)

    def show_problem(self, problem: Problem) -> None:
        """Why it could not be kept."""
        self._saving = False
        self._allow()
        self._tell(" ".join(problem_text(problem)))

    @property
    def said(self) -> Rule | SameAgent | None:
        """The rule as it stands; None where it makes no sense."""
        return self._said

    # ------------------------------------------------------------ inner

    @Slot()
    def _changed(self) -> None:
        self._said = self.fields.said()
        self._tell("")
        self._allow()
        self.rule_changed.emit(self._said)
        if isinstance(self._said, Rule) and self._said.topic != self._pattern:
            self._ask.start()

    @Slot()
    def _ask_messages(self) -> None:
        self._ask.stop()
        if isinstance(self._said, Rule) and self._said.topic != self._pattern:
            self._pattern = self._said.topic
            self.pattern_changed.emit(self._pattern)

    @Slot()
    def _save(self) -> None:
        if self._said is not None and not self._saving:
            self._saving = True
            self._allow()
            self.save_requested.emit(self._said)

    def _allow(self) -> None:
        self.save.setEnabled(self._said is not None and not self._saving)

    def _tell(self, text: str) -> None:
        self.notice.setText(text)
        self.notice.setVisible(bool(text))
