"""Why something is there: asked beside the GUI thread, as `murmurscope why` does, and shown in a window of its own."""

from functools import partial

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from app.why import rules_in_file, why_agent, why_message
from app.window.latest_work import LatestWork
from models.domain.clock import Clock
from models.domain.messages import RawMessage
from models.domain.origins import AgentWhy, MessageWhy
from models.domain.problems import Problem
from models.domain.quantity import format_time
from models.domain.queries import (
    DataSource,
    Failed,
    LogLine,
    MessageLine,
    MessageRequest,
    MessageResult,
    Result,
    RowKey,
)
from models.storage.workspace import Workspace
from widgets.common.theme import ThemeHolder
from widgets.messages.whole_payload import with_whole
from widgets.why.subject import OfAgent, Subject
from widgets.why.why_window import WhyWindow


class WhyController(QObject):
    """One window for all questions. GUI thread."""

    topic_wanted = Signal(bytes)
    teach_wanted = Signal(object)
    rules_wanted = Signal()

    def __init__(
        self, source: DataSource, workspace: Workspace, clock: Clock, themes: ThemeHolder, window: QWidget, teach_refusal: str
    ) -> None:  # fmt: skip
        super().__init__(window)
        self._source, self._workspace, self._clock = source, workspace, clock
        self._themes, self._window, self._refusal = themes, window, teach_refusal
        self._work = LatestWork(self)
        self._asked: object = None
        self.shown: WhyWindow | None = None

    def shutdown(self) -> None:
        self._work.shutdown()

    @Slot(object)
    def ask(self, subject: Subject) -> None:
        """Bring the window up; the answer follows."""
        self._asked = subject
        if isinstance(subject, OfAgent):
            series = self.tr("{series} of {agent}").replace("{series}", subject.metric)
            self._begin(series.replace("{agent}", subject.agent) if subject.metric else subject.agent)
            job = partial(self._of_agent, subject)
            self._work.want("why", job, partial(self._agent_told, subject))
        elif isinstance(subject, LogLine):
            self._begin(self.tr("Log record of {time}").replace("{time}", format_time(subject.time_us, digits=3)))
            self._find(RowKey(subject.key.received_us, subject.key.segment, subject.message))
        else:
            self._of_line(subject)

    def _begin(self, title: str) -> None:
        if self.shown is None:
            shown = self.shown = WhyWindow(self._themes, self._window, self._refusal)
            shown.topic_wanted.connect(self.topic_wanted)
            shown.teach_wanted.connect(self.teach_wanted)
            shown.rules_wanted.connect(self.rules_wanted)
        self.shown.begin(title)
        self.shown.show()
        self.shown.raise_()
        self.shown.activateWindow()

    # ------------------------------------------------------------ agents and their series

    def _of_agent(self, subject: OfAgent) -> AgentWhy:
        """Work thread."""
        why = why_agent(self._workspace, subject.agent, rules_in_file(self._workspace), self._clock)
        return why.only(subject.metric) if subject.metric else why

    def _agent_told(self, subject: OfAgent, answer: AgentWhy | Problem) -> None:
        if self.shown is None or subject is not self._asked:
            return
        if isinstance(answer, Problem):
            self.shown.show_problem(answer)
        elif subject.metric:
            self.shown.show_series(answer)
        else:
            self.shown.show_agent(answer)

    # ------------------------------------------------------------ messages, and what was read from one

    def _find(self, key: RowKey) -> None:
        asked = self._asked

        def take(result: Result | Failed) -> None:
            if asked is not self._asked or self.shown is None:
                return
            if isinstance(result, Failed):
                self.shown.show_problem(result.problem)
            elif isinstance(result, MessageResult) and result.rows and result.rows[0].key == key:
                self._read(result.rows[0])
            else:
                self.shown.show_problem(Problem("message.gone"))

        self._source.ask(MessageRequest(before=key._replace(seq=key.seq + 1), limit=1), take)

    def _of_line(self, line: MessageLine) -> None:
        self._begin(self.tr("Message of {time}").replace("{time}", format_time(line.key.received_us, digits=3)))
        self._read(line)

    def _read(self, line: MessageLine) -> None:
        assert self.shown is not None
        asked = self._asked

        def whole(found: MessageLine) -> None:
            job = partial(self._of_message, found)
            self._work.want("why", job, partial(self._message_told, asked, found))

        with_whole(self._source, line, whole, self.shown.show_problem)

    def _of_message(self, line: MessageLine) -> MessageWhy:
        """Work thread."""
        message = RawMessage(
            line.topic, line.payload, line.qos, line.retain, False, 0, line.properties, line.key.received_us, line.origin, 0
        )  # fmt: skip
        return why_message(self._workspace, message, rules_in_file(self._workspace), self._clock)

    def _message_told(self, asked: object, line: MessageLine, answer: MessageWhy | Problem) -> None:
        if self.shown is None or asked is not self._asked:
            return
        if isinstance(answer, Problem):
            self.shown.show_problem(answer)
        else:
            self.shown.show_message(answer, line)
