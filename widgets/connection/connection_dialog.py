"""The dialog in which a broker is chosen, tried and saved. Not modal: the fleet goes on behind it."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from models.domain.connection import Connection
from models.domain.control import StepState, TestStep
from models.domain.problems import EnvironmentProblem, Problem
from widgets.common.theme import ThemeHolder
from widgets.common.words import problem_text
from widgets.connection.connection_form import ConnectionForm
from widgets.connection.test_steps_view import TestStepsView


class ConnectionDialog(QDialog):
    """Asks and shows; whoever made it tests and saves.

    `test_requested(Connection, Secret | None)` wants `step_told` for every step and `test_ended` at the end.
    `save_requested(Connection | None, Secret | None, bool)`: None is the broker on this computer, the truth says whether the
    keyring is to keep the password; then `accept`, `show_problem` or `show_not_kept`.
    """

    test_requested = Signal(object, object)
    save_requested = Signal(object, object, bool)

    def __init__(self, themes: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Connection"))
        self.setModal(False)
        self._testing = False
        self._stale = False  # fields changed since the test began
        self.embedded = QRadioButton(self.tr("The broker on this co&mputer, started by Murmurscope"), self)
        self.own = QRadioButton(self.tr("A broker of you&r own"), self)
        self.form = ConnectionForm(self)
        self.steps = TestStepsView(themes, self)
        self.notice = QLabel(self, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.notice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.test_button = QPushButton(self.tr("&Test connection"), self, autoDefault=False)
        self.save_button = QPushButton(self.tr("&Save and connect"), self)
        self.save_button.setDefault(True)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        cancel = self._buttons.button(QDialogButtonBox.StandardButton.Cancel)
        cancel.setAutoDefault(False)  # Enter saves, wherever the focus is
        self._buttons.addButton(self.test_button, QDialogButtonBox.ButtonRole.ActionRole)
        self._buttons.addButton(self.save_button, QDialogButtonBox.ButtonRole.AcceptRole)
        self._lay_out()
        self.own.toggled.connect(self._kind_changed)
        self.form.changed.connect(self._edited)
        self.test_button.clicked.connect(self._test)
        self.save_button.clicked.connect(self._save)
        self._buttons.rejected.connect(self.reject)
        self.finished.connect(self._forget_password)
        self.show_connection(None, embedded=False)

    def _lay_out(self) -> None:
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.addWidget(self.embedded)
        column.addWidget(self.own)
        column.addWidget(self.form)
        column.addSpacing(8)
        column.addWidget(self.steps)
        column.addStretch(1)
        scroll = QScrollArea(self, widgetResizable=True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.addWidget(scroll, 1)
        self.notice.setContentsMargins(9, 0, 9, 0)  # in line with what is scrolled
        layout.addWidget(self.notice)
        layout.addWidget(self._buttons)
        self.resize(620, 600)

    def show_connection(self, connection: Connection | None, *, embedded: bool) -> None:
        """Fill the dialog with what is in force; `connection` None: none was chosen yet."""
        self.form.show_connection(connection if connection is not None else Connection(host=""))
        self.form.password.clear()
        self.form.keyring.show_looking()
        self.save_button.setEnabled(True)
        (self.embedded if embedded else self.own).setChecked(True)
        self._kind_changed()
        self.steps.clear()
        self._edited()
        (self.embedded if embedded else self.form.host).setFocus()

    def step_told(self, step: TestStep, state: StepState, problem: Problem | None) -> None:
        """A step of the running test began or ended."""
        if not self._stale:
            self.steps.show_step(step, state, problem)

    def test_ended(self, problem: Problem | None) -> None:
        """The running test is over; `problem`: why it could not even be made."""
        self._testing = False
        self._allow_test()
        if self._stale:
            self.steps.clear()
            self._warn()
        elif problem is not None:
            self.show_problem(problem)
        else:
            self._warn()

    def show_problem(self, problem: Problem) -> None:
        """Say what stands in the way, above the buttons."""
        self._say(" ".join(problem_text(problem)), "error")

    def show_waiting(self) -> None:
        """The keyring is being asked; somebody may have to unlock it."""
        self.save_button.setEnabled(False)
        self._say(self.tr("Waiting for the keyring. It may ask for its own password."), "muted")

    def show_not_kept(self, problem: Problem) -> None:
        """Saved and connected, but the keyring has not taken the password, or has not given it."""
        self.save_button.setEnabled(True)
        self.form.keyring.show_problem(problem)
        text = self.tr("The connection is saved, but: {problem}").replace("{problem}", " ".join(problem_text(problem)))
        self._say(text, "warning")

    # ------------------------------------------------------------ reactions

    @Slot()
    def _kind_changed(self) -> None:
        self.form.setEnabled(self.own.isChecked())
        self.steps.setVisible(self.own.isChecked())
        self._allow_test()
        self._edited()

    @Slot()
    def _edited(self) -> None:
        if self._testing:
            self._stale = True
        self.steps.clear()
        self._warn()

    @Slot()
    def _test(self) -> None:
        connection = self._connection()
        if connection is None:
            return
        self.steps.clear()
        self._testing, self._stale = True, False
        self._allow_test()
        self._warn()
        self.test_requested.emit(connection, self.form.secret())

    @Slot()
    def _save(self) -> None:
        if self.embedded.isChecked():
            self.save_requested.emit(None, None, False)
        elif (connection := self._connection()) is not None:
            self.save_requested.emit(connection, self.form.secret(), self.form.keyring.kept)

    def _connection(self) -> Connection | None:
        try:
            return self.form.connection()
        except EnvironmentProblem as error:
            self.show_problem(error.problem)
            self.form.host.setFocus()
            return None

    def _allow_test(self) -> None:
        if self._testing and self.test_button.hasFocus():  # else Qt hands it to the next button
            self.save_button.setFocus()
        self.test_button.setEnabled(self.own.isChecked() and not self._testing)
        self.test_button.setText(self.tr("Testing…") if self._testing else self.tr("&Test connection"))

    def _warn(self) -> None:
        failed = self.steps.failed_step()
        if self.embedded.isChecked():
            self._say("", "muted")
        elif failed is not None:
            text = self.tr("The test failed at “{step}”. You can save it all the same.")
            self._say(text.replace("{step}", self.steps.step_name(failed)), "warning")
        elif self.form.exposes_password():
            host = self.form.host.text().strip()
            sentence, remedy = problem_text(Problem("broker.insecure", {"host": host}))
            self._say(f"{sentence} {self.tr('The password travels readable.')} {remedy}", "warning")
        else:
            self._say("", "muted")

    def _say(self, text: str, tone: str) -> None:
        self.notice.setText(text)
        self.notice.setVisible(bool(text))
        self.notice.setProperty("tone", tone)
        self.notice.style().polish(self.notice)

    @Slot()
    def _forget_password(self) -> None:
        self.form.password.clear()
