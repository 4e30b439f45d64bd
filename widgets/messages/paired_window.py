"""A request and its reply beside each other, with everything else that was sent about it, in order."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QFont, QGuiApplication, QHideEvent, QIcon, QShowEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QSplitter, QVBoxLayout, QWidget

from models.domain.clock import Clock
from models.domain.paired import LONELY, Paired, Part, Step
from models.domain.problems import Problem
from models.domain.quantity import format_time
from models.domain.queries import MessageLine, RelatedResult
from widgets.common.buttons import plain_button
from widgets.common.numbers import count_text, duration_text, value_text
from widgets.common.plain import PlainLabel, visible
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.state_view import StateStack, failed, loading
from widgets.common.theme import ThemeHolder
from widgets.messages.paired_side import PairedSide
from widgets.messages.paired_texts import (
    after_us,
    is_bad,
    is_waiting,
    outcome_of,
    part_word,
    sentence_of,
    title_of,
)
from widgets.records.comparison_dialog import message_comparison

_TICK_MS = 1_000
_STEP_ROWS = 4


class PairedWindow(QDialog):
    """Not modal: what is at hand may change behind it. While a reply is waited for it looks again by itself. GUI thread."""

    message_wanted = Signal(object)
    """Somebody wants to see this message (MessageLine) on the screen of messages."""
    again_wanted = Signal()
    """Something may have come since."""
    further_wanted = Signal()
    """Look in a longer time around the message."""

    def __init__(self, theme: ThemeHolder, clock: Clock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Request and reply"))
        self.setModal(False)
        self._theme, self._clock = theme, clock
        self._found: Paired | None = None
        self._lines: Sequence[MessageLine] = ()
        self._shown: tuple[int, int] | None = None  # step that is on the right, how many there were
        self._tick = QTimer(self, interval=_TICK_MS)
        self._tick.timeout.connect(self._look_again)
        self.title = PlainLabel()
        font = QFont(self.title.font())
        font.setBold(True)
        self.title.setFont(font)
        self.text = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.text.setAccessibleName(self.tr("How it went"))
        self.note = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.note.setProperty("tone", "muted")
        self.left, self.right = PairedSide(theme, self.tr("Request")), PairedSide(theme, self.tr("Reply"))
        self._lay_out()

    def _lay_out(self) -> None:
        self.steps: SortedTable[Step] = SortedTable(
            self.tr("All that was sent about it"),
            [
                Column(self.tr("Arrived"), lambda step: format_time(self._line(step).key.received_us, digits=6)),
                Column(self.tr("After"), self._after, lambda step: self._line(step).key, number=True),
                Column(self.tr("What"), self._word),
                Column(self.tr("Outcome"), outcome_of, icon=self._icon),
                Column(self.tr("Topic"), lambda step: visible(self._line(step).topic.decode(errors="backslashreplace"), 400)),
                Column(self.tr("Size"), lambda step: value_text(self._line(step).size, "By"), number=True),
            ],
            (216, 80, 120, 90, 300, 80), lambda step: step.message, growing=(4,),
        )  # fmt: skip
        self.steps.setObjectName("paired-steps")
        self.steps.setFixedHeight((_STEP_ROWS + 1) * self.steps.verticalHeader().defaultSectionSize() + 8)
        self.steps.selectionModel().currentRowChanged.connect(self._step_chosen)
        self.sides = QSplitter(Qt.Orientation.Horizontal)
        self.sides.setObjectName("paired-sides")
        self.sides.setChildrenCollapsible(False)
        for side in (self.left, self.right):
            self.sides.addWidget(side)
        self.sides.setSizes([1, 1])
        inside = QWidget()
        inner = QVBoxLayout(inside)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.steps)
        inner.addWidget(self.sides, 1)
        self._stack = StateStack(inside, self._theme)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        self.compare = plain_button(self.tr("Com&pare"), self._compare)
        self.compare.setToolTip(self.tr("Both field by field: what differs"))
        self.swap = plain_button(self.tr("S&wap sides"), self._swap)
        self.copy = plain_button(self.tr("&Copy both"), self._copy)
        self.go_left = plain_button(self.tr("Show re&quest in Messages"), partial(self._go, self.left))
        self.go_right = plain_button(self.tr("Show &reply in Messages"), partial(self._go, self.right))
        self.further = plain_button(self.tr("Look &further"), self.further_wanted.emit)
        self.further.setToolTip(self.tr("Search ten times as long before and after the message"))
        for button in (self.compare, self.swap, self.copy, self.go_left, self.go_right, self.further):
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        for label in (self.title, self.text, self.note):
            label.setContentsMargins(12, 0, 12, 0)
        column = QVBoxLayout(self)
        for label in (self.title, self.text):
            column.addWidget(label)
        column.addWidget(self._stack, 1)
        column.addWidget(self.note)
        column.addWidget(buttons)
        self.resize(1_120, 640)

    # ------------------------------------------------------------ what is shown

    def begin(self, title: str) -> None:
        """Somebody asks about this message; the answer comes."""
        self._found, self._lines, self._shown = None, (), None
        self._tick.stop()
        self.title.set_text(title)
        self.text.setText("")
        self.note.setText("")
        self._stack.show_state(loading())
        self._allow()

    def show_problem(self, problem: Problem) -> None:
        self._tick.stop()
        self._stack.show_state(failed(problem, self.again_wanted.emit))
        self._allow()

    def show_found(self, found: Paired | None, wanted: MessageLine, result: RelatedResult) -> None:
        """What belongs to `wanted`, of the messages of the result."""
        kept = self._shown
        self._found, self._lines = found, result.rows
        steps = found.steps if found is not None else ()
        self.steps.setVisible(len(steps) > 2)
        self.steps.show_rows(steps)
        self._stack.show_content()
        self._tell(result)
        if found is None or found is LONELY:
            self._show_alone(wanted, is_reply=found is LONELY)
        else:
            self.title.set_text(title_of(found))
            self.left.show_message(part_word(steps[0], again=False), self._line(steps[0]))
            self._show_step(kept[0] if kept is not None and kept[1] == len(steps) else self._first_shown(wanted))
        waiting = found is not None and is_waiting(found, self._clock.wall_us())
        (self._tick.start if waiting and self.isVisible() else self._tick.stop)()
        self._allow()

    def _first_shown(self, wanted: MessageLine) -> int:
        """On the right: the message that was asked about, or the first answer, or whatever else came."""
        assert self._found is not None
        steps = self._found.steps
        mine = next((place for place, step in enumerate(steps) if place and self._line(step).key == wanted.key), 0)
        return mine or next((place for place, step in enumerate(steps) if step.part is Part.ANSWER), len(steps) - 1)

    def _show_step(self, place: int) -> None:
        assert self._found is not None
        steps = self._found.steps
        self._shown = place, len(steps)
        row = self.steps.records.rows.index(steps[place])
        if row != self.steps.currentIndex().row():
            self.steps.selectRow(row)
        if place:
            step = steps[place]
            words = [self._word(step), self.tr("{time} later").replace("{time}", self._after(step)), outcome_of(step)]
            self.right.show_message(" · ".join(filter(None, words)), self._line(step))
        elif is_waiting(self._found, self._clock.wall_us()):
            self.right.show_none(self.tr("No reply yet"), self.tr("It appears here as soon as it is recorded."))
        else:
            hint = self.tr("Look further where it may have come later; what the recorder missed is not found.")
            self.right.show_none(self.tr("No reply was recorded"), hint)

    def _show_alone(self, line: MessageLine, *, is_reply: bool) -> None:
        hint = self.tr("Look further where it may have been sent earlier; what the recorder missed is not found.")
        if is_reply:
            self.left.show_none(self.tr("Its request is not there"), hint)
            self.right.show_message(self.tr("reply"), line)
        else:
            self.left.show_message(self.tr("message"), line)
            self.right.show_none(self.tr("Nothing belongs to it"))

    def _tell(self, result: RelatedResult) -> None:
        key, reach_us, limit = result.request.key, result.request.reach_us, result.request.limit
        self.text.setText(sentence_of(self._found, self._lines, self._clock.wall_us()))
        told = self.tr("Searched from {since} to {until}.")
        told = told.replace("{since}", format_time(key.received_us - reach_us, digits=0))
        told = told.replace("{until}", format_time(key.received_us + reach_us, digits=0))
        if result.found > limit:
            cut = self.tr("{n} messages there have something in common with it; the nearest {limit} were looked at.")
            told += " " + cut.replace("{n}", count_text(result.found)).replace("{limit}", count_text(limit))
        self.note.setText(told)

    def _allow(self) -> None:
        shown = self._stack.shows_content
        self.compare.setEnabled(shown and None not in (self.left.line, self.right.line))
        for button, side in ((self.go_left, self.left), (self.go_right, self.right)):
            button.setEnabled(shown and side.line is not None)
        for button in (self.swap, self.copy, self.further):
            button.setEnabled(shown)

    # ------------------------------------------------------------ the steps

    def _line(self, step: Step) -> MessageLine:
        return self._lines[step.message]

    def _after(self, step: Step) -> str:
        if self._found is None or step == self._found.steps[0]:
            return ""
        return duration_text(after_us(self._lines, self._found.steps[0], step))

    def _word(self, step: Step) -> str:
        answers = self._found.answers if self._found is not None else []
        return part_word(step, again=bool(answers) and step != answers[0])

    def _icon(self, step: Step) -> QIcon:
        if step.part is not Part.ANSWER:
            return QIcon()
        return self._theme.icons.icon(*(("error", "error") if is_bad(step) else ("check", "good")))

    @Slot()
    def _step_chosen(self) -> None:
        chosen = self.steps.currentIndex().row()
        if self._found is not None and 0 <= chosen < len(self.steps.records.rows):
            place = self._found.steps.index(self.steps.records.rows[chosen])
            if place:
                self._show_step(place)
                self._allow()

    # ------------------------------------------------------------ what can be done

    @Slot()
    def _compare(self) -> None:
        if self.left.line is not None and self.right.line is not None:
            dialog = message_comparison(self._theme, self.left.line, self.right.line, self)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

    @Slot()
    def _swap(self) -> None:
        sizes, first = self.sides.sizes(), self.sides.widget(0)
        self.sides.insertWidget(0, self.right if first is self.left else self.left)
        self.sides.setSizes(sizes[::-1])

    @Slot()
    def _copy(self) -> None:
        """Who, how, and both messages as text, as they stand."""
        parts = [f"{self.title.text()}\n{self.text.text()}"]
        for place in range(self.sides.count()):
            side = self.sides.widget(place)
            assert isinstance(side, PairedSide)
            if side.line is not None:
                payload = side.line.payload
                try:
                    text = payload.decode()
                except UnicodeDecodeError:
                    text = payload.hex(" ")
                parts.append(f"{side.title.text()} · {side.how.text()}\n{side.topic.text()}\n{text}")
        QGuiApplication.clipboard().setText("\n\n".join(parts))

    @Slot()
    def _go(self, side: PairedSide) -> None:
        if side.line is not None:
            self.message_wanted.emit(side.line)

    @Slot()
    def _look_again(self) -> None:
        self.again_wanted.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._found is not None and is_waiting(self._found, self._clock.wall_us()):
            self._tick.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._tick.stop()
