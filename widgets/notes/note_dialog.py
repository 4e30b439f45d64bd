"""Asks for an annotation: its words, its time, whom it concerns. What was typed stays until it is stored."""

from collections.abc import Iterable

from PySide6.QtCore import QDateTime, QStringListModel, Qt, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QCompleter,
    QDateTimeEdit,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from models.domain.annotations import MOST_TAG_TEXT, MOST_TAGS, MOST_TEXT, Annotation, tags_of
from models.domain.problems import Problem
from widgets.common.numbers import count_text
from widgets.common.words import problem_text
from widgets.notes.book import AnnotationBook
from widgets.records.agent_names import AgentField, AgentNames

_FORMAT = "yyyy-MM-dd HH:mm:ss.zzz"
_TEXT_PIXELS = 84


class AnnotationDialog(QDialog):
    """Begins with `annotation`, which is a new one where the book does not know it. It closes once the recorder has stored it,
    and tells why where it cannot. GUI thread."""

    def __init__(
        self, annotation: Annotation, book: AnnotationBook, names: AgentNames, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._annotation, self._book, self._names = annotation, book, names
        self._saving = False
        known = any(one.id == annotation.id for one in book.all)
        self.setWindowTitle(self.tr("Edit annotation") if known else self.tr("New annotation"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.text = QPlainTextEdit(annotation.text)
        self.text.setAccessibleName(self.tr("Text"))
        self.text.setPlaceholderText(self.tr("What happened, in your words"))
        self.text.setTabChangesFocus(True)
        self.text.setMinimumHeight(_TEXT_PIXELS)
        self.tags = QLineEdit(" ".join(annotation.tags))
        self.tags.setAccessibleName(self.tr("Tags"))
        self.tags.setPlaceholderText(self.tr("deploy database"))
        self.tags.setToolTip(self.tr("Words to find it by, between spaces or commas"))
        _complete(self.tags, book.tags)
        self.since, self.until = self._moment(self.tr("From")), self._moment(self.tr("Until"))
        self.stretch = QCheckBox(self.tr("A st&retch of time"))
        self.agent = AgentField(names)
        self.agent.setToolTip(self.tr("On whose plots it is shown; “All agents”: on every plot"))
        self._wrong = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._wrong.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._wrong.setProperty("tone", "error")
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        self._lay_out()
        self._begin()

    def _lay_out(self) -> None:
        form = self._form = QFormLayout(self)
        form.addRow(self.tr("Te&xt"), self.text)
        form.addRow(self.tr("Ta&gs"), self.tags)
        form.addRow(self.tr("&From"), self.since)
        form.addRow("", self.stretch)
        form.addRow(self.tr("&Until"), self.until)
        form.addRow(self.tr("&Agent"), self.agent)
        form.addRow(self._wrong)
        form.addRow(self._buttons)
        self._buttons.accepted.connect(self.save)
        self._buttons.rejected.connect(self.reject)
        self.stretch.toggled.connect(self._fit)
        self.text.textChanged.connect(self._allow)
        self.tags.textChanged.connect(self._allow)
        keys = QShortcut(QKeySequence("Ctrl+Return"), self, self.save)
        save = self._buttons.button(QDialogButtonBox.StandardButton.Save)
        save.setToolTip(keys.key().toString(QKeySequence.SequenceFormat.NativeText))
        self.resize(520, self.sizeHint().height())

    def _begin(self) -> None:
        one = self._annotation
        self.since.setDateTime(_shown(one.since_us))
        self.until.setDateTime(_shown(one.until_us))
        self.stretch.setChecked(one.is_stretch)
        self.agent.choose(one.agent)
        self._tell("")
        self._fit()
        self._allow()
        self.text.setFocus()

    @property
    def id(self) -> str:
        """Of what it is about."""
        return self._annotation.id

    @property
    def annotation(self) -> Annotation:
        """As it stands in the fields."""
        one = self._annotation
        since_us = _moment_of(self.since, one.since_us)
        until_us = _moment_of(self.until, one.until_us) if self.stretch.isChecked() else since_us
        agent = self.agent.agent
        agent_id = self._names.id_of(agent) or (one.agent_id if agent == one.agent else "")
        text, tags = self.text.toPlainText().strip(), tags_of(self.tags.text())
        return Annotation(one.id, since_us, until_us, agent, agent_id, text, tags, one.changed_us)

    @Slot()
    def save(self) -> None:
        """Have it stored; it is said here where that cannot be."""
        one = self.annotation
        wrong = self._mistake(one)
        self._tell(wrong)
        if not wrong and self._saves():
            self._wait(waits=True)
            self._book.put(one, self._told)

    @Slot()
    def reject(self) -> None:
        """Not while it is being stored: what was written would be lost where that fails."""
        if not self._saving:
            super().reject()

    def _told(self, problem: Problem | None) -> None:
        self._wait(waits=False)
        if problem is None:
            self.accept()
            return
        kept = self.tr("What you wrote stays here until it is saved.")
        self._tell("\n".join(filter(None, [*problem_text(problem), kept])))

    def _mistake(self, one: Annotation) -> str:
        if one.until_us < one.since_us:
            return self.tr("It ends before it begins.")
        if len(one.text) > MOST_TEXT:
            text = self.tr("The text has {n} characters, and {most} fit: shorten it.")
            return text.replace("{n}", count_text(len(one.text))).replace("{most}", count_text(MOST_TEXT))
        if len(one.tags) > MOST_TAGS or any(len(tag) > MOST_TAG_TEXT for tag in one.tags):
            text = self.tr("At most {n} tags of {most} characters fit.")
            return text.replace("{n}", str(MOST_TAGS)).replace("{most}", str(MOST_TAG_TEXT))
        if one.agent and not one.agent_id:
            return self.tr("The agent is not known yet: choose it again in a moment.")
        return ""

    def _saves(self) -> bool:
        return self._buttons.button(QDialogButtonBox.StandardButton.Save).isEnabled()

    def _wait(self, *, waits: bool) -> None:
        self._saving = waits
        save = self._buttons.button(QDialogButtonBox.StandardButton.Save)
        save.setText(self.tr("Saving…") if waits else self.tr("Save"))
        self._buttons.button(QDialogButtonBox.StandardButton.Cancel).setEnabled(not waits)
        self._allow()

    @Slot()
    def _fit(self) -> None:
        stretch = self.stretch.isChecked()
        self._form.setRowVisible(self.until, stretch)
        label = self._form.labelForField(self.since)
        if isinstance(label, QLabel):
            label.setText(self.tr("&From") if stretch else self.tr("&Time"))
        if stretch and self.until.dateTime() < self.since.dateTime():
            self.until.setDateTime(self.since.dateTime())

    @Slot()
    def _allow(self) -> None:
        """Something has to stand there."""
        said = bool(self.text.toPlainText().strip() or tags_of(self.tags.text()))
        self._buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(said and not self._saving)

    def _tell(self, wrong: str) -> None:
        self._wrong.setText(wrong)
        self._wrong.setVisible(bool(wrong))

    @staticmethod
    def _moment(name: str) -> QDateTimeEdit:
        edit = QDateTimeEdit()
        edit.setDisplayFormat(_FORMAT)
        edit.setCalendarPopup(True)
        edit.setAccessibleName(name)
        return edit


def _shown(at_us: int) -> QDateTime:
    return QDateTime.fromMSecsSinceEpoch(at_us // 1_000)


def _moment_of(edit: QDateTimeEdit, before_us: int) -> int:
    """What the field does not show of a microsecond stays, as long as nobody changes it."""
    at_ms: int = edit.dateTime().toMSecsSinceEpoch()
    return before_us if at_ms == before_us // 1_000 else at_ms * 1_000


def _complete(edit: QLineEdit, tags: Iterable[str]) -> None:
    """The tag that is being written, from those in use."""
    completer = QCompleter(QStringListModel(list(tags), edit), edit)
    completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
    completer.setWidget(edit)
    popup = completer.popup()
    assert popup is not None

    def written() -> str:
        return edit.text()[: edit.cursorPosition()].replace(",", " ").rpartition(" ")[2].lstrip("#")

    def offer(_text: str) -> None:
        word = written()
        completer.setCompletionPrefix(word)
        if word and completer.completionCount() and completer.currentCompletion() != word:
            completer.complete()
        else:
            popup.hide()

    def take(tag: str) -> None:
        at = edit.cursorPosition()
        before, after = edit.text()[: at - len(written())], edit.text()[at:]
        edit.setText(f"{before}{tag} {after}")
        edit.setCursorPosition(len(before) + len(tag) + 1)

    completer.activated.connect(take)
    edit.textEdited.connect(offer)
