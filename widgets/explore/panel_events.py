"""What happened to the agents that panels show, as marks on their plots."""

from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import QObject, Signal

from widgets.frame.screen_context import ScreenContext
from widgets.plots.agent_events import AgentEvents
from widgets.plots.marks import Mark

MOST_AGENTS = 8
"""Of a panel whose marks are drawn; those of more would be a fence."""
MOST_ASKED = 40


class PanelEvents(QObject):
    """Asks for the events of the watched agents that the time range shows. While inactive it asks for nothing. GUI thread."""

    changed = Signal()

    def __init__(self, context: ScreenContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._active = False
        self._events: dict[int, AgentEvents] = {}

    def watch(self, panels: Iterable[Sequence[int]]) -> None:
        """The agents of each panel. Panels with very many agents are left out."""
        few = [agents for agents in panels if len(agents) <= MOST_AGENTS]
        wanted = list(dict.fromkeys(agent for agents in few for agent in agents))[:MOST_ASKED]
        for agent in set(self._events) - set(wanted):
            gone = self._events.pop(agent)
            gone.set_active(False)
            gone.deleteLater()
        for agent in wanted:
            if agent not in self._events:
                context = self._context
                events = self._events[agent] = AgentEvents(context.source, context.tail, context.times, self)
                events.changed.connect(self.changed)
                events.show_agent(agent)
                events.set_active(self._active)

    def set_active(self, active: bool) -> None:
        """Does anybody see it?"""
        self._active = active
        for events in self._events.values():
            events.set_active(active)

    def reload(self) -> None:
        """Ask again."""
        for events in self._events.values():
            events.reload()

    def marks(self, names: Mapping[int, str]) -> list[Mark]:
        """Of a panel with these agents, by what they are called; with several, each mark says whose it is."""
        if len(names) > MOST_AGENTS:
            return []
        several = len(names) > 1
        return [
            mark._replace(text=f"{name}: {mark.text}") if several else mark
            for agent, name in names.items()
            if agent in self._events
            for mark in self._events[agent].marks
        ]
