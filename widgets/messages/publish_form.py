"""The form in which a message is written and published. Not modal: what comes back is seen behind it."""

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from models.domain.problems import Problem
from models.domain.publishing import OutgoingMessage, Published, Template, publish_problem
from widgets.common.numbers import duration_text
from widgets.common.plain import visible
from widgets.common.words import problem_text
from widgets.messages.payload_editor import PayloadEditor
from widgets.messages.property_fields import PropertyFields

_NOBODY_SUBSCRIBED = 0x10


class PublishForm(QDialog):
    """Asks and shows; whoever made it publishes, then calls `show_result`, and keeps templates, then `show_templates`.

    A message that is retained, or removes a retained one, is only published when it was asked for twice. GUI thread.
    """

    publish_requested = Signal(object)  # OutgoingMessage
    save_requested = Signal(object)  # Template
    delete_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Publish a message"))
        self.setModal(False)
        self._templates: dict[str, Template] = {}
        self._asked: OutgoingMessage | None = None  # whether it may be retained was asked once
        self._waiting = False
        self.templates = QComboBox(editable=True)
        self.templates.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.templates.setAccessibleName(self.tr("Template"))
        self.save = QPushButton(self.tr("&Save"), autoDefault=False)
        self.delete = QPushButton(self.tr("&Delete"), autoDefault=False)
        self.topic = QLineEdit()
        self.topic.setPlaceholderText("agents/crawler-1/inbox/me")
        self.payload = PayloadEditor()
        self.qos = QComboBox()
        self.qos.addItem(self.tr("0: at most once, not acknowledged"), 0)
        self.qos.addItem(self.tr("1: at least once, acknowledged"), 1)
        self.retain = QCheckBox(self.tr("&Retained: the broker keeps it for everybody who subscribes later"))
        self.more = QToolButton()
        self.more.setText(self.tr("MQTT &5 properties"))
        self.more.setCheckable(True)
        self.more.setProperty("role", "button")
        self.properties = PropertyFields()
        self.notice = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.notice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.publish = QPushButton(self.tr("&Publish"), autoDefault=False)
        self.publish.setProperty("role", "primary")
        self.publish.setToolTip(QKeySequence("Ctrl+Return").toString(QKeySequence.SequenceFormat.NativeText))
        self._lay_out()
        self._connect()
        self.show_message(OutgoingMessage(""))
        self.show_templates([])

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.templates, 1)
        row.addWidget(self.save)
        row.addWidget(self.delete)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        label = QLabel(self.tr("Te&mplate"))
        label.setBuddy(self.templates)
        form.addRow(label, row)
        form.addRow(self.tr("&Topic"), self.topic)
        body = QFormLayout()
        body.addRow(self.tr("&QoS"), self.qos)
        body.addRow("", self.retain)
        body.addRow("", self.more)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        buttons.addButton(self.publish, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        payload = QLabel(self.tr("Pa&yload"))
        payload.setBuddy(self.payload.text)
        column.addLayout(form)
        column.addWidget(payload)
        column.addWidget(self.payload, 1)
        column.addLayout(body)
        column.addWidget(self.properties)
        column.addWidget(self.notice)
        column.addWidget(buttons)
        self.properties.hide()
        self.resize(620, 560)

    def _connect(self) -> None:
        self.more.toggled.connect(self.properties.setVisible)
        self.templates.activated.connect(self._template_chosen)
        self.templates.editTextChanged.connect(self._name_changed)
        self.save.clicked.connect(self._save)
        self.delete.clicked.connect(self._delete)
        self.publish.clicked.connect(self._publish)
        QShortcut(QKeySequence("Ctrl+Return"), self, self._publish)
        self.topic.textChanged.connect(self._edited)
        self.payload.changed.connect(self._edited)
        self.properties.changed.connect(self._edited)
        self.qos.currentIndexChanged.connect(self._edited)
        self.retain.toggled.connect(self._edited)

    # ------------------------------------------------------------ what is shown

    def show_message(self, message: OutgoingMessage) -> None:
        """Fill the form from a message."""
        self.topic.setText(message.topic)
        self.payload.show_payload(message.payload)
        self.qos.setCurrentIndex(self.qos.findData(min(message.qos, 1)))
        self.retain.setChecked(message.retain)
        self.properties.show_properties(message.properties)
        self.more.setChecked(message.properties is not None)
        self._edited()
        self.topic.setCursorPosition(0)
        (self.payload.text if message.topic else self.topic).setFocus()

    def show_templates(self, templates: Sequence[Template]) -> None:
        """What is kept; the name that is written stays."""
        name = self.templates.currentText()
        self._templates = {one.name: one for one in templates}
        with QSignalBlocker(self.templates):
            self.templates.clear()
            for template in self._templates:
                self.templates.addItem(visible(template, 80), template)
            self.templates.setCurrentIndex(self.templates.findData(name))
            self.templates.setEditText(name)
        self._name_changed()

    def show_result(self, result: Published | Problem) -> None:
        """What came of the message that was asked for last."""
        self._waiting = False
        self._allow()
        if isinstance(result, Problem):
            self.show_problem(result)
            return
        took = duration_text(result.duration_us)
        if result.code == _NOBODY_SUBSCRIBED:
            text = self.tr("The broker acknowledged it after {time}; nobody is subscribed to this topic.")
        elif self.qos.currentData() == 0:
            text = self.tr("Sent after {time}. With QoS 0 the broker does not say whether it arrived.")
        else:
            text = self.tr("The broker acknowledged it after {time}.")
        self._say(text.replace("{time}", took), "good")

    def show_problem(self, problem: Problem) -> None:
        """Why something could not be done."""
        self._say(" ".join(problem_text(problem)), "error")

    # ------------------------------------------------------------ publishing

    def message(self) -> OutgoingMessage | None:
        """What the form says; None (and it is told) where that must not be published."""
        try:
            properties = self.properties.properties()
        except ValueError:
            self._say(self.tr("The correlation is not hexadecimal. Write two digits for each byte."), "error")
            return None
        message = OutgoingMessage(
            self.topic.text(), self.payload.payload, int(self.qos.currentData()), self.retain.isChecked(), properties
        )
        problem = publish_problem(message)
        if problem is not None:
            self.show_problem(problem)
            return None
        return message

    def ask_to_clear(self, topic: str) -> None:
        """Fill the form so that it removes the retained message of a topic, and ask whether that is wanted."""
        self.show_message(OutgoingMessage(topic, b"", 1, retain=True))
        self._publish()

    @Slot()
    def _publish(self) -> None:
        message = None if self._waiting else self.message()
        if message is None:
            return
        if message.retain and self._asked != message:
            self._asked = message
            topic = visible(message.topic, 200)
            if message.clears:
                text = self.tr("This removes the retained message of “{topic}” from the broker, for everybody.")
                self.publish.setText(self.tr("Yes, &remove it"))
            else:
                text = self.tr("The broker will keep this on “{topic}” and hand it to everybody who subscribes later.")
                self.publish.setText(self.tr("Yes, &publish it retained"))
            self._say(f"{text.replace('{topic}', topic)} {self.tr('Is that what you want?')}", "warning")
            return
        self._asked, self._waiting = None, True
        self._allow()
        self._say(self.tr("Publishing…"), "muted")
        self.publish_requested.emit(message)

    @Slot()
    def _edited(self) -> None:
        self._asked = None
        self._allow()
        self._say("", "muted")

    def _allow(self) -> None:
        self.publish.setText(self.tr("&Publish"))
        self.publish.setEnabled(not self._waiting)

    def _say(self, text: str, tone: str) -> None:
        self.notice.setText(text)
        self.notice.setVisible(bool(text))
        self.notice.setProperty("tone", tone)
        self.notice.style().polish(self.notice)

    # ------------------------------------------------------------ templates

    @Slot(int)
    def _template_chosen(self, place: int) -> None:
        template = self._templates.get(str(self.templates.itemData(place)))
        if template is not None:
            self.show_message(template.message)

    @Slot()
    def _name_changed(self) -> None:
        name = self.templates.currentText().strip()
        self.save.setEnabled(bool(name))
        self.save.setText(self.tr("Re&place") if name in self._templates else self.tr("&Save"))
        self.delete.setEnabled(name in self._templates)

    @Slot()
    def _save(self) -> None:
        message = self.message()
        if message is not None:
            self.save_requested.emit(Template(self.templates.currentText().strip(), message))

    @Slot()
    def _delete(self) -> None:
        self.delete_requested.emit(self.templates.currentText().strip())
