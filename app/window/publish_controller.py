"""What the form for publishing asks for, and messages as commands: recorder, templates, clipboard."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.settings import SettingsFile
from app.templates import TemplatesFile
from app.window.recorder_link import RecorderLink
from models.domain.connection import Connection, parse_url
from models.domain.control import RecorderState
from models.domain.problems import EnvironmentProblem, Problem
from models.domain.publishing import OutgoingMessage, Template
from models.domain.queries import DataSource, MessageLine
from widgets.messages.mosquitto_pub import shell_line
from widgets.messages.publish_form import PublishForm
from widgets.messages.whole_payload import with_whole


class PublishController(QObject):
    """Shows the form, one at a time. Files and the recorder are asked on the link's threads. GUI thread."""

    def __init__(
        self, link: RecorderLink, source: DataSource, settings: SettingsFile, templates: TemplatesFile,
        tell: Callable[[Problem], object], window: QWidget,
    ) -> None:  # fmt: skip
        super().__init__(window)
        self._link, self._source, self._settings, self._templates = link, source, settings, templates
        self._tell, self._window = tell, window
        self._kept: list[Template] = []
        self._connection = Connection()
        self._url = ""
        self.form: PublishForm | None = None
        link.state_changed.connect(self._recorder_told)

    # ------------------------------------------------------------ form

    def open(self, what: MessageLine | bytes | None = None) -> None:
        """Bring the form up: filled from a message, for a topic, or as it was left."""
        form = self._form()
        if isinstance(what, MessageLine):
            with_whole(self._source, what, self._fill, self._tell)
        elif what is not None:
            self._for_topic(what, lambda topic: form.show_message(OutgoingMessage(topic)))
        form.show()
        form.raise_()
        form.activateWindow()

    def ask_to_clear(self, topic: bytes) -> None:
        """Ask whether the retained message of this topic shall be removed."""
        form = self._form()
        form.show()
        form.raise_()
        form.activateWindow()
        self._for_topic(topic, form.ask_to_clear)

    def _form(self) -> PublishForm:
        if self.form is None:
            self.form = PublishForm(self._window)
            self.form.publish_requested.connect(self._publish)
            self.form.save_requested.connect(self._save)
            self.form.delete_requested.connect(self._delete)
            self._with_templates(self._templates.load)
        return self.form

    def _fill(self, line: MessageLine) -> None:
        message = partial(OutgoingMessage, payload=line.payload, qos=line.qos, retain=line.retain, properties=line.properties)  # fmt: skip
        self._for_topic(line.topic, lambda topic: self._form().show_message(message(topic)))

    def _for_topic(self, topic: bytes, use: Callable[[str], None]) -> None:
        try:
            use(topic.decode())
        except UnicodeDecodeError:
            self._form().show_problem(Problem("publish.text", {"text": topic.decode(errors="backslashreplace")}))

    @Slot(object)
    def _publish(self, message: OutgoingMessage) -> None:
        self._link.publish(message, self._form().show_result)

    # ------------------------------------------------------------ templates

    @Slot(object)
    def _save(self, template: Template) -> None:
        self._with_templates(partial(self._templates.save, template))

    @Slot(str)
    def _delete(self, name: str) -> None:
        self._with_templates(partial(self._templates.delete, name))

    def _with_templates(self, work: Callable[[], list[Template]]) -> None:
        def job() -> None:  # worker thread
            self._kept = work()

        self._link.carry_out(job, self._templates_told)

    def _templates_told(self, problem: Problem | None) -> None:
        if problem is not None:
            self._form().show_problem(problem)
        else:
            self._form().show_templates(self._kept)

    # ------------------------------------------------------------ as a command

    def copy_shell_line(self, line: MessageLine) -> None:
        """Put the message on the clipboard as a line that publishes it to the broker in use."""
        with_whole(self._source, line, self._copy, self._tell)

    def _copy(self, line: MessageLine) -> None:
        text = shell_line(line, self._connection)
        if text:
            QGuiApplication.clipboard().setText(text)
        else:
            self._tell(Problem("publish.no-command"))

    @Slot(object)
    def _recorder_told(self, state: RecorderState | None) -> None:
        if state is None or state.broker_url == self._url:
            return
        self._url = state.broker_url
        try:
            self._connection, _ = parse_url(state.broker_url)
        except EnvironmentProblem:
            return  # no broker is chosen
        self._link.carry_out(partial(self._read_files, state.broker_url), _nothing)

    def _read_files(self, url: str) -> None:
        """Worker thread. Certificates stand in the settings; the recorder tells the address alone."""
        saved = self._settings.load().connection
        if saved is not None and saved.url == url:
            self._connection = saved


def _nothing(_problem: Problem | None) -> None:
    """What the connection dialog says of the same file is enough."""
