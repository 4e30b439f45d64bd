"""Tells agents themselves to do something: which command, with what, and a confirmation that holds for a while."""

import json
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)

from models.domain.clock import Clock
from models.domain.tasks.commands import HARMLESS, KNOWN
from widgets.common.numbers import count_text
from widgets.common.plain import visible

ARMED_S = 30
"""So long it can be given after the dialog opened, or was armed anew."""
_NAMED = 5
_TICK_MS = 250

Give = Callable[[str, str], object]


class CommandDialog(QDialog):
    """`give` gets the command's name and its arguments as JSON, once they are confirmed. GUI thread."""

    def __init__(
        self, give: Give, agents: Sequence[str], command: str, clock: Clock, parent: QWidget | None = None
    ) -> None:
        """`agents`: names, at least one; `command`: what is proposed, empty: one of the user's own."""
        super().__init__(parent)
        self._give_on, self._agents, self._clock = give, agents, clock
        self._until_us = 0
        self.setWindowTitle(self.tr("Tell an agent") if len(agents) == 1 else self.tr("Tell several agents"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.command = QComboBox()
        self.command.setEditable(True)
        self.command.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.command.addItems(list(KNOWN))
        self.command.setCurrentIndex(self.command.findText(command))  # Enter puts the current item into the field
        self.command.setEditText(command)
        self.command.setAccessibleName(self.tr("Command"))
        self.arguments = QPlainTextEdit()
        self.arguments.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.arguments.setAccessibleName(self.tr("Arguments"))
        self.arguments.setPlaceholderText(self.tr('JSON, such as {"level": 3}; empty: none'))
        self.arguments.setTabChangesFocus(True)
        self.arguments.setFixedHeight(4 * self.fontMetrics().lineSpacing() + 12)
        self._asked = _note()
        self.confirmation = QLineEdit()
        self.confirmation.setAccessibleName(self.tr("Confirmation"))
        self._wrong = _note("error")
        self._armed = _note("muted")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.give = self.buttons.addButton(self.tr("&Give"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.arm = QPushButton(self.tr("A&rm anew"), autoDefault=False)
        self.arm.setToolTip(self.tr("It can be given for {n} seconds from then on").replace("{n}", str(ARMED_S)))
        self.buttons.addButton(self.arm, QDialogButtonBox.ButtonRole.ActionRole)
        self._timer = QTimer(self, interval=_TICK_MS)
        self._lay_out()
        self._arm()
        (self.confirmation if command and command not in HARMLESS else self.command).setFocus()

    @property
    def wanted(self) -> str:
        """What has to be typed to confirm the command; empty: nothing."""
        command = self.command.currentText().strip()
        if command in HARMLESS or not command:
            return ""
        return self._agents[0] if len(self._agents) == 1 else f"{command} {len(self._agents)}"

    @Slot()
    def tick(self) -> None:
        """Time has passed: is it armed still?"""
        left_us = self._until_us - self._clock.monotonic_us()
        if left_us <= 0 and self._timer.isActive():
            self._timer.stop()
            self.confirmation.clear()
        self._changed()

    def _lay_out(self) -> None:
        names = ", ".join(visible(one, 60) for one in self._agents[:_NAMED])
        more = len(self._agents) - _NAMED
        if more > 0:
            names = self.tr("{names} and {n} more").replace("{names}", names).replace("{n}", count_text(more))
        who = _note()
        who.setText(names if len(self._agents) == 1 else f"{count_text(len(self._agents))}: {names}")
        form = QFormLayout(self)
        form.addRow(self.tr("To"), who)
        form.addRow(self.tr("&Command"), self.command)
        form.addRow(self.tr("Ar&guments"), self.arguments)
        form.addRow(self._asked)
        form.addRow(self.tr("C&onfirm"), self.confirmation)
        form.addRow(self._wrong)
        form.addRow(self._armed)
        form.addRow(self.buttons)
        self._form = form
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        self.arm.clicked.connect(self._arm)
        self.command.currentTextChanged.connect(self._changed)
        self.arguments.textChanged.connect(self._changed)
        self.confirmation.textChanged.connect(self._changed)
        self._timer.timeout.connect(self.tick)
        self.resize(480, self.sizeHint().height())

    @Slot()
    def _arm(self) -> None:
        self._until_us = self._clock.monotonic_us() + ARMED_S * 1_000_000
        self._timer.start()
        self._changed()

    @Slot()
    def _changed(self) -> None:
        wanted, wrong = self.wanted, self._mistake()
        left_s = max(0, -(-(self._until_us - self._clock.monotonic_us()) // 1_000_000))
        asked = self.tr("It may end what they are at. Type “{words}” to confirm it.")
        if len(self._agents) == 1:
            asked = self.tr("It may end what the agent is at. Type its name, {words}, to confirm it.")
        self._asked.setText(asked.replace("{words}", visible(wanted, 200)))
        self._asked.setVisible(bool(wanted))
        self._form.setRowVisible(self.confirmation, bool(wanted))
        self._wrong.setText(wrong)
        self._wrong.setVisible(bool(wrong))
        armed = self.tr("It can be given for {n} s.").replace("{n}", str(left_s))
        self._armed.setText(
            armed if left_s else self.tr("The time to give it is over. Arm it anew, and confirm again.")
        )
        self.arm.setVisible(not left_s)
        self.confirmation.setEnabled(bool(left_s))
        named = bool(self.command.currentText().strip())
        confirmed = not wanted or self.confirmation.text().strip() == wanted
        self.give.setEnabled(bool(left_s) and named and not wrong and confirmed)

    def _mistake(self) -> str:
        try:
            json.loads(self.arguments.toPlainText().strip() or "null")
        except ValueError as error:
            return self.tr("The arguments are no JSON: {detail}").replace("{detail}", str(error))
        return ""

    @Slot()
    def _accept(self) -> None:
        self.tick()  # a click may come before the timer
        if self.give.isEnabled():
            self._give_on(self.command.currentText().strip(), self.arguments.toPlainText().strip() or "null")
            self.accept()


def _note(tone: str = "") -> QLabel:
    label = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if tone:
        label.setProperty("tone", tone)
    return label
