"""One task in full: how it stands, what it was given, what came of it, its history and its parts."""

import json
from dataclasses import replace

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QTabWidget, QVBoxLayout, QWidget

from models.domain.quantity import format_time
from models.domain.task_queries import TaskItem, TaskStoryResult
from models.domain.tasks.work import Step
from widgets.common.plain import visible
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.theme import ThemeHolder
from widgets.common.words import reason_text, task_word
from widgets.records.task_list import LOOKS
from widgets.tasks.task_doings import can_answer, can_cancel, can_retry
from widgets.tasks.task_table import task_table
from widgets.tasks.task_texts import state_note

MOST_CHARACTERS = 200_000


class TaskPane(QWidget):
    """Buttons are there for what can be done with the task; the recorder carries it out. GUI thread."""

    cancel_wanted = Signal(str)
    retry_wanted = Signal(str)
    answer_wanted = Signal(str)
    logs_wanted = Signal(str)
    part_wanted = Signal(object)
    """Somebody wants to see this part (TaskItem)."""

    def __init__(self, themes: ThemeHolder) -> None:
        super().__init__()
        self.item: TaskItem | None = None
        self.title = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.note = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.note.setProperty("tone", "muted")
        self.cancel = self._button(
            self.tr("&Cancel"), self.cancel_wanted, self.tr("Ask its agent to stop; a second time ends it")
        )
        self.retry = self._button(self.tr("Tr&y again"), self.retry_wanted, self.tr("Give it to an agent once more"))
        self.answer = self._button(self.tr("Ans&wer…"), self.answer_wanted, self.tr("Give its agent what it asks for"))
        self.logs = self._button(self.tr("&Its logs"), self.logs_wanted, self.tr("Log records that name this task"))
        self.result, self.given = _text(self.tr("Result")), _text(self.tr("Input"))
        self.history: SortedTable[Step] = _history(self.tr("History"), themes)
        self.parts = task_table(self.tr("Parts"), themes)
        self.parts.opened.connect(self.part_wanted)
        self.tabs = QTabWidget()
        for widget, title in ((self.result, self.tr("Result")), (self.given, self.tr("Input")), (self.history, self.tr("History")), (self.parts, self.tr("Parts"))):  # fmt: skip
            self.tabs.addTab(widget, title)
        self._build()

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(8, 6, 8, 4)
        head.setSpacing(6)
        words = QVBoxLayout()
        words.addWidget(self.title)
        words.addWidget(self.note)
        head.addLayout(words, 1)
        for button in (self.answer, self.retry, self.cancel, self.logs):
            head.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.tabs, 1)

    def show_item(self, item: TaskItem, *, past: bool = False) -> None:
        """What the list knows of it, until its story comes. `past`: as it stood once, when nothing can be done with it."""
        self.item = item
        who = visible(item.agent) or self.tr("nobody yet")
        self.title.setText(f"{visible(item.type)} · {who} · {task_word(item.state)} · {visible(item.task)}")
        self.note.setText(visible(state_note(item), 2_000))
        self.note.setVisible(bool(self.note.text()))
        self.cancel.setVisible(not past and can_cancel(item))
        self.retry.setVisible(not past and can_retry(item))
        self.answer.setVisible(not past and can_answer(item))

    def show_story(self, story: TaskStoryResult, at_us: int = 0) -> None:
        """All of it; another task's is left alone. `at_us`: only what was told by then."""
        if self.item is None or story.item is None or story.request.task != self.item.task:
            return
        item = story.item
        if at_us:
            story, item = told_by(story, self.item, at_us), self.item
        else:
            self.show_item(item)
        for view, told in ((self.result, story.error or story.result), (self.given, story.input)):
            text = pretty(told)
            if view.toPlainText() != text:
                view.setPlainText(text)
        self.history.show_rows(story.steps)
        self.parts.show_rows(story.parts)
        self.tabs.setTabVisible(1, item.given)
        self.tabs.setTabVisible(3, bool(story.parts))

    def _button(self, text: str, wanted: object, tip: str) -> QPushButton:
        button = QPushButton(text, autoDefault=False)
        button.setToolTip(tip)
        button.clicked.connect(lambda: self._emit(wanted))
        return button

    @Slot()
    def _emit(self, wanted: object) -> None:
        if self.item is not None:
            wanted.emit(self.item.task)  # type: ignore[attr-defined] # a bound signal


def told_by(story: TaskStoryResult, item: TaskItem, at_us: int) -> TaskStoryResult:
    """The part of a story that was told by then; `item`: the task as it stood."""
    whole = bool(item.ended_us) and story.item is not None and item.ended_us == story.item.ended_us
    steps = tuple(one for one in story.steps if one.time_us <= at_us)
    result, error = (story.result, story.error) if whole else ("", item.error)
    return replace(story, steps=steps, result=result, error=error, parts=())


def pretty(told: str) -> str:
    """JSON with its lines, anything else as it is; of very long ones the beginning."""
    try:
        text = json.dumps(json.loads(told), indent=2, ensure_ascii=False) if told else ""
    except ValueError:
        text = told
    return text[:MOST_CHARACTERS]


def _text(name: str) -> QPlainTextEdit:
    view = QPlainTextEdit(readOnly=True)
    view.setAccessibleName(name)
    view.setTabChangesFocus(True)
    return view


def _history(name: str, themes: ThemeHolder) -> "SortedTable[Step]":
    from PySide6.QtCore import QCoreApplication

    translate = QCoreApplication.translate
    columns: list[Column[Step]] = [
        Column(translate("TaskPane", "Time"), lambda one: format_time(one.time_us, None, None, 3), lambda one: one.time_us),
        Column(
            translate("TaskPane", "State"), lambda one: task_word(one.state),
            icon=lambda one: themes.icons.icon(*LOOKS.get(one.state, ("clock", "muted"))),
        ),
        Column(translate("TaskPane", "Attempt"), lambda one: str(one.attempt or ""), lambda one: one.attempt, number=True),
        Column(translate("TaskPane", "Agent"), lambda one: visible(one.agent)),
        Column(translate("TaskPane", "Why"), lambda one: reason_text(one.reason)),
        Column(translate("TaskPane", "Said"), lambda one: visible(one.text, 400)),
    ]  # fmt: skip
    return SortedTable(name, columns, (182, 140, 64, 140, 230, 240), lambda one: one, (5,))
