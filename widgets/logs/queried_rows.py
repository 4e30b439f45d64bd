"""The log records of everybody that a query finds."""

from typing import Any

from PySide6.QtCore import Signal

from models.domain.search.terms import Term
from widgets.common.state_view import StateKind, ViewState, no_match
from widgets.frame.screen_context import ScreenContext
from widgets.logs.log_query import LogQuery
from widgets.records.agent_names import AgentNames
from widgets.records.log_list import LogRows


class QueriedRows(LogRows):
    """GUI thread."""

    guide_wanted = Signal()
    """Somebody wants to read how agents are connected."""

    def __init__(self, context: ScreenContext, names: AgentNames, query: LogQuery, **options: Any) -> None:
        super().__init__(context, names.name, **options)
        self._query = query
        names.changed.connect(self.records.names_changed)
        query.changed.connect(self.reload)
        self.show_agent(0)

    def query(self) -> Term:
        return self._query.term()

    def empty_state(self) -> ViewState:
        if self._query.narrows:
            return no_match(self._query.clear, in_time=not self._range.live)
        if not self._range.live:
            return self.none_in_time(self.tr("No log records in this time"))
        hint = self.tr("Agents log with a JSON object on agents/<id>/log; other conventions are read too.")
        sentence, action = self.tr("Nothing has been logged yet"), self.tr("How agents are connected")
        return ViewState(StateKind.EMPTY, sentence, hint, action, self.guide_wanted.emit)
