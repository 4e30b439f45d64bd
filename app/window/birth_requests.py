"""Asking Sparkplug nodes for their birth certificates: always by hand, never without a question."""

from collections import deque
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QMessageBox

from app.window.recorder_link import RecorderLink
from models.domain.clock import Clock
from models.domain.control import Link
from models.domain.problems import Problem, Severity
from models.domain.publishing import Published
from models.domain.sparkplug_nodes import SparkplugNode
from mqtt.sparkplug_rebirth import rebirth
from widgets.common.plain import visible
from widgets.frame.main_window import MainWindow
from widgets.frame.notice_bar import Notice

NOTICE = "births"
_NAMED = 5


class BirthRequests(QObject):
    """What is asked is published by the recorder, and recorded with everything else. GUI thread."""

    def __init__(self, link: RecorderLink, clock: Clock, window: MainWindow, *, read_only: bool) -> None:
        super().__init__(window)
        self._link, self._clock, self._window, self._read_only = link, clock, window, read_only
        self._asked: list[SparkplugNode] = []
        self._waiting: deque[SparkplugNode] = deque()
        self._busy = False

    @Slot(list)
    def ask(self, nodes: Sequence[SparkplugNode]) -> None:
        """Ask these once the user has agreed to it, or say why nobody can be asked."""
        state = self._link.state
        if self._read_only:
            self._window.notices.show_problem(Problem("look.read-only"), key=NOTICE)
        elif state is None or state.link is not Link.CONNECTED:
            self._window.notices.show_problem(Problem("publish.not-connected"), key=NOTICE)
        elif nodes:
            self._confirm(nodes)

    def _confirm(self, nodes: Sequence[SparkplugNode]) -> None:
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setWindowTitle(self.tr("Ask for birth certificates"))
        text = self.tr("Ask {nodes} to announce everything again?")
        box.setText(text.replace("{nodes}", self._named(nodes)))
        box.setInformativeText(self.tr(
            "A command is published, “Node Control/Rebirth”. The node then sends its birth certificate and those of its"
            " devices, to everybody who listens: names, units and present values. Nothing else is changed in it."
        ))  # fmt: skip
        ask = box.addButton(self.tr("&Ask"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(ask)
        ask.clicked.connect(partial(self._begin, list(nodes)))
        box.finished.connect(box.deleteLater)
        box.open()

    def _begin(self, nodes: list[SparkplugNode]) -> None:
        self._window.notices.clear(NOTICE)
        self._waiting.extend(nodes)
        if not self._busy:
            self._asked = []
            self._next()

    def _next(self) -> None:
        """One after the other: a thousand at once would be a thousand threads."""
        self._busy = bool(self._waiting)
        if self._waiting:
            node = self._waiting.popleft()
            self._link.publish(rebirth(node, self._clock.wall_us()), partial(self._answered, node))
        elif self._asked:
            self._window.notices.show_notice(Notice(
                NOTICE, Severity.INFO,
                self.tr("Asked to announce everything again: {nodes}.").replace("{nodes}", self._named(self._asked)),
                self.tr("Its birth shows within moments. If none comes, the node is away, or does not listen to commands."),
            ))  # fmt: skip

    def _answered(self, node: SparkplugNode, answer: Published | Problem) -> None:
        if isinstance(answer, Problem):  # whoever is left would hear the same
            self._waiting.clear()
            self._busy = False
            self._window.notices.show_problem(answer, key=NOTICE)
            return
        self._asked.append(node)
        self._next()

    def _named(self, nodes: Sequence[SparkplugNode]) -> str:
        names = ", ".join(visible(str(node), 80) for node in nodes[:_NAMED])
        more = self.tr(" and {n} more").replace("{n}", str(len(nodes) - _NAMED)) if len(nodes) > _NAMED else ""
        return names + more
