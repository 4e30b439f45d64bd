"""The selected agent at a glance, for the side panel: presence, the last hour in figures, two small plots."""

import math

from PySide6.QtCore import QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFormLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from models.domain.quantity import MISSING
from models.domain.queries import AgentResult, FleetResult
from widgets.agent.agent_facts import AgentFacts
from widgets.agent.agent_header import AgentHeader
from widgets.agent.agent_plots import AgentPlots
from widgets.agent.agent_screen import FillMenu
from widgets.common.numbers import count_text, value_text
from widgets.frame.screen_context import ScreenContext

_SECOND_MS = 1_000


class AgentPanel(QWidget):
    """`show_agent` says which; the hour's figures come with every `show_fleet`. GUI thread."""

    open_requested = Signal(int)
    """Show this agent on its own screen."""

    def __init__(self, context: ScreenContext, fill_menu: FillMenu) -> None:
        super().__init__()
        self._fill_menu = fill_menu
        self.facts = AgentFacts(context.source, context.tail, context.cursor, context.clock, self)
        self.header = AgentHeader(context.themes, compact=True)
        self.plots = AgentPlots(context, compact=True)
        self._figures: dict[str, QLabel] = {}
        self._open = QPushButton(self.tr("Open"))
        self._menu_button = QPushButton(self.tr("Actions"))
        for button in (self._open, self._menu_button):
            button.setAutoDefault(False)
            self.header.buttons.insertWidget(self.header.buttons.count() - 1, button)
        self._open.setProperty("role", "primary")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.header)
        column.addLayout(self._form())
        column.addWidget(self.plots, 1)
        self._second = QTimer(self, interval=_SECOND_MS)
        self._second.timeout.connect(self._show_facts)
        self.facts.changed.connect(self._facts_changed)
        context.themes.changed.connect(self._show_facts)
        self._open.clicked.connect(self._open_agent)
        self._menu_button.clicked.connect(self._open_menu)
        self._facts_changed()

    def _form(self) -> QFormLayout:
        form = QFormLayout()
        form.setContentsMargins(12, 0, 12, 0)
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(4)
        rows = (
            ("response", self.tr("Response p95")),
            ("errors", self.tr("Error ratio")),
            ("tasks", self.tr("Open tasks")),
            ("connections", self.tr("Connections")),
            ("logs", self.tr("Errors in logs")),
            ("messages", self.tr("Messages")),
        )
        heading = QLabel(self.tr("In the last hour"))
        heading.setProperty("tone", "muted")
        form.addRow(heading)
        for key, title in rows:
            label, value = QLabel(title), QLabel(MISSING)
            value.setTextFormat(Qt.TextFormat.PlainText)
            form.addRow(label, value)
            self._figures[key] = value
        return form

    def show_agent(self, agent_id: int) -> None:
        """Show this agent (its local id); 0: none."""
        self.facts.show_agent(agent_id)
        for value in self._figures.values():
            value.setText(MISSING)
        self._facts_changed()

    @property
    def agent(self) -> int:
        """Id of the agent that is shown; 0: none."""
        return self.facts.agent

    @Slot(object)
    def show_fleet(self, fleet: FleetResult) -> None:
        """Take the hour's figures of the shown agent from the fleet."""
        rows = (fleet.agent == self.agent).nonzero()[0]
        if not len(rows):
            return
        row = int(rows[0])
        finished, failed = int(fleet.finished[row]), int(fleet.failed[row])
        response, n = float(fleet.response_p95_s[row]), int(fleet.response_n[row])
        counted = self.tr("{value} (n {n})")
        ok = self.tr("{attempts} tried, {successes} ok, {errors} failed")
        texts = {
            "response": MISSING if math.isnan(response) else _fill(counted, value=value_text(response, "s"), n=count_text(n)),
            "errors": _fill(counted, value=value_text(failed / finished, "1"), n=count_text(finished)) if finished else MISSING,
            "tasks": count_text(int(fleet.tasks_open[row])),
            "connections": _fill(
                ok,
                attempts=count_text(int(fleet.attempts[row])),
                successes=count_text(int(fleet.successes[row])),
                errors=count_text(int(fleet.errors[row])),
            ),
            "logs": count_text(int(fleet.log_errors[row])),
            "messages": count_text(int(fleet.messages[row])),
        }  # fmt: skip
        for key, text in texts.items():
            self._figures[key].setText(text)

    @Slot()
    def _facts_changed(self) -> None:
        known = self.facts.result is not None
        self._open.setEnabled(self.facts.agent != 0)
        self._menu_button.setEnabled(known)
        if isinstance(self.facts.result, AgentResult):
            self.plots.show_agent(self.facts.result)
        self._show_facts()

    @Slot()
    def _show_facts(self) -> None:
        facts = self.facts
        self.header.show_facts(facts.result, facts.presence, facts.told_us, of_now=facts.moment_us is None)

    @Slot()
    def _open_agent(self) -> None:
        self.open_requested.emit(self.agent)

    @Slot()
    def _open_menu(self) -> None:
        if self.facts.result is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._fill_menu(menu, self.facts.result)
        menu.popup(self._menu_button.mapToGlobal(QPoint(0, self._menu_button.height())))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.facts.set_active(True)
        self._second.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.facts.set_active(False)
        self._second.stop()


def _fill(text: str, **places: str) -> str:
    for place, value in places.items():
        text = text.replace("{" + place + "}", value)
    return text
