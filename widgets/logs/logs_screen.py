"""The logs of everybody that a query finds: newest first, how many came when, what stands in their fields, and the record at
hand in full."""

from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSplitter, QVBoxLayout, QWidget

from models.domain.layouts.layout import Plotted
from models.domain.queries import LogLine
from models.domain.search.patterns import PATTERN
from models.domain.search.terms import Anywhere, FieldIs, Place
from models.domain.search.writing import written
from models.domain.tail import TailPage
from widgets.common.throttle import Throttle
from widgets.frame.screen_context import ScreenContext
from widgets.frame.tool_buttons import FlatButton
from widgets.logs.agent_terms import about_agents, is_agent
from widgets.logs.facets import FacetTree
from widgets.logs.histogram import LogHistogram
from widgets.logs.kept_queries import KeptQueries
from widgets.logs.log_query import LogQuery, Pill, text_of
from widgets.logs.pills import QueryPills
from widgets.logs.queried_rows import QueriedRows
from widgets.logs.query_box import QueryBox
from widgets.logs.record_pane import RecordPane
from widgets.logs.row_menu import narrowings
from widgets.logs.rows_at_hand import RowsAtHand
from widgets.logs.summary_feed import SummaryFeed
from widgets.records.agent_names import AgentNames

_NAMES_MS = 2_000
_REMEMBERED = 200
"""Fields, and values of each, that are offered while a query is typed."""
_WIDE_PIXELS = 1_500
"""From this width on the record stands beside the list, else below it."""
_BELOW, _BESIDE, _FACETS = 260, 560, 270
"""First height or width of the record, and width of the fields."""


class LogsScreen(QWidget):
    """While it is hidden it asks for nothing. GUI thread."""

    agent_wanted = Signal(int)
    """Somebody wants to see this agent."""
    plots_wanted = Signal(object)
    """Somebody wants to see this record's (LogLine) moment on the plots of its agent."""
    rate_wanted = Signal(object)
    """Somebody wants to see on a plot how many records these queries (a list of `Plotted`) find."""
    at_hand_changed = Signal()
    """Another record is at hand, or what can be done with the query is something else."""

    def __init__(self, context: ScreenContext, names: AgentNames, **options: int) -> None:
        super().__init__()
        self._names = names
        self._awaited = 0  # an agent that is to be shown alone, once its name is known
        self._seen: dict[str, list[str]] = {}  # values by field, the most frequent of the latest answers first
        self.query = LogQuery(context.clock, self)
        self.rows = QueriedRows(context, names, self.query, **options)
        self.rows.table.setObjectName("logs")
        self.at_hand = RowsAtHand(context, names, self.query, self.rows, self)
        self.box = QueryBox(self.query, self._known)
        self.kept = KeptQueries(context.themes, self.query)
        self.pills = QueryPills(self.query)
        self.summary = SummaryFeed(context, self.query, parent=self)
        self.histogram = LogHistogram(context.themes, context.cursor, context.notes)
        columns = lambda: self.rows.records.fields  # noqa: E731 - of two
        self.facets = FacetTree(context.themes, columns)
        self.pane = RecordPane(names, context.themes, columns=columns)
        self.pane.hide()
        self._build(context)
        names.changed.connect(self._names_came)
        self._refresh_names = Throttle(names.refresh, _NAMES_MS, self)
        self.rows.chosen.connect(self._show_record)
        self.rows.opened.connect(self.at_hand.open_record)
        self.rows.menu_wanted.connect(self._fill_menu)
        self.query.shown.connect(self._mark)
        self.query.shown.connect(self.at_hand_changed)
        self.rows.table.selectionModel().selectionChanged.connect(self._selected)
        self.summary.changed.connect(self._show_summary)
        self.histogram.zoomed.connect(context.times.zoom)
        self.facets.wanted.connect(self.query.add)
        self.facets.column_wanted.connect(self.rows.toggle_field)
        self.pane.wanted.connect(self.query.add)
        self.pane.column_wanted.connect(self.rows.toggle_field)
        self.pane.agent_wanted.connect(self.agent_wanted)
        self.pane.closed.connect(self._close_record)
        context.tail.follow(self._take_page)

    def _build(self, context: ScreenContext) -> None:
        self._facets_button = FlatButton(context.themes, "filter", self.tr("Fields and their values"))
        self._facets_button.setCheckable(True)
        self._facets_button.setChecked(True)
        self._facets_button.toggled.connect(self.facets.setVisible)
        self._rate_button = FlatButton(context.themes, "plot", self.tr("Plot the rate of this query in Explore"))
        self._rate_button.clicked.connect(self.plot_rate)
        self._rate_button.setEnabled(False)
        head = QHBoxLayout()
        head.setContentsMargins(8, 4, 8, 4)
        head.setSpacing(6)
        head.addWidget(self._facets_button, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.box, 1)
        head.addWidget(self.kept, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._rate_button, 0, Qt.AlignmentFlag.AlignTop)
        found = QWidget()
        column = QVBoxLayout(found)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.histogram)
        column.addWidget(self.rows, 1)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setObjectName("logs-record")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(found)
        self.splitter.addWidget(self.pane)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setSizes([2 * _BELOW, _BELOW])
        self.sides = QSplitter()
        self.sides.setObjectName("logs-facets")
        self.sides.setChildrenCollapsible(False)
        self.sides.addWidget(self.facets)
        self.sides.addWidget(self.splitter)
        self.sides.setStretchFactor(1, 1)
        self.sides.setSizes([_FACETS, 4 * _FACETS])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.pills)
        column.addWidget(self.sides, 1)
        self.setFocusProxy(self.rows.table)

    @property
    def agent(self) -> int:
        """Whose records alone are looked for; 0: several agents', or everybody's."""
        if self._awaited:
            return self._awaited
        ids = {self._names.id_of(agent).casefold(): agent for agent in self._names.agents}
        named = [pill.term.parts for pill in self.query.pills if pill.enabled and is_agent(pill.term)]
        return ids.get(named[0][0].casefold(), 0) if len(named) == 1 and len(named[0]) == 1 else 0

    def show_only(self, agent: int) -> None:
        """The records of this agent; 0: of everybody. Whatever the query said of agents before goes. One whose name is not
        known yet is shown when it is."""
        self.query.settling.emit()
        self._awaited = agent if agent and not self._names.id_of(agent) else 0
        if self._awaited:
            self._names.refresh()
            return
        others = [pill for pill in self.query.pills if not about_agents(pill.term)]
        if agent:
            term = FieldIs(Place.AGENT, (self._names.id_of(agent),))
            others.insert(0, Pill(term, written(term)))
        self.query.write(text_of(others))

    @Slot()
    def _names_came(self) -> None:
        if self._awaited and self._names.id_of(self._awaited):
            self.show_only(self._awaited)

    def focus_filter(self) -> None:
        """Put the cursor into the query."""
        self.box.focus()

    @Slot()
    def refresh(self) -> None:
        """Ask for everything again."""
        self.rows.reload()
        self.summary.reload()
        if self.isVisible():
            self._names.refresh()

    def _take_page(self, page: TailPage) -> None:
        if page.logs:
            self.rows.rows_added()
            self.summary.records_added()
        if page.new_names and self.isVisible():
            self._refresh_names.want()

    # ------------------------------------------------------------ what is known of the records

    @Slot()
    def _show_summary(self) -> None:
        result = self.summary.result
        self.histogram.show_result(result, self.summary.gaps)
        self.facets.show_result(result)
        for one in result.facets if result is not None else ():
            before = self._seen.pop(one.field, [])
            self._seen[one.field] = list(dict.fromkeys([*(value for value, _ in one.values), *before]))[:_REMEMBERED]
        for field in list(self._seen)[:-_REMEMBERED]:
            del self._seen[field]

    def _known(self) -> dict[str, list[str]]:
        """Also what was seen before: a word that is half typed finds nothing, and is to be completed all the same."""
        known = {field: values for field, values in self._seen.items() if field != PATTERN}
        known[Place.AGENT] = [self._names.id_of(agent) for agent in self._names.agents]
        return known

    @Slot()
    def _mark(self) -> None:
        texts = [pill.term.text for pill in self.query.pills if pill.enabled and isinstance(pill.term, Anywhere)]
        self.pane.mark(max(texts, key=len, default=""))
        self._rate_button.setEnabled(self.query.narrows)

    # ------------------------------------------------------------ the record at hand

    @Slot(object)
    def _show_record(self, line: LogLine) -> None:
        self.pane.show_record(line)
        self.rows.hold(True)
        if self.pane.isHidden():
            self.pane.show()
            self.rows.table.scrollTo(self.rows.table.currentIndex())

    @Slot()
    def _close_record(self) -> None:
        self.pane.hide()
        self.rows.hold(False)
        self.rows.table.setFocus()

    @Slot(object, object)
    def _fill_menu(self, menu: QMenu, line: LogLine) -> None:
        menu.addAction(self.tr("Copy as JSON"), self.at_hand.copy_json)
        if len(self.rows.selected) == 2:
            menu.addAction(self.tr("Compare the two"), self.at_hand.compare)
        menu.addSeparator()
        name = self._names.name(line.agent)
        if line.agent:
            only = menu.addAction(self.tr("Only {agent}").replace("{agent}", name.replace("&", "&&")))
            only.triggered.connect(partial(self.show_only, line.agent))
            told = [pill for pill in self.query.pills if pill.enabled and about_agents(pill.term)]
            only.setEnabled(self.agent != line.agent or len(told) > 1)
        for text, term in narrowings(line, self._names.id_of(line.agent), name):
            menu.addAction(text.replace("&", "&&"), partial(self.query.add, term))
        everybody = menu.addAction(self.tr("All agents"), partial(self.show_only, 0))
        everybody.setEnabled(any(about_agents(pill.term) for pill in self.query.pills))
        around = menu.addMenu(self.tr("What happened around it"))
        for text, query in self.at_hand.surroundings_of(line):
            around.addAction(text.replace("&", "&&"), partial(self.at_hand.show_around, line.key, query))
        if line.agent:
            menu.addSeparator()
            menu.addAction(self.tr("Go to agent"), partial(self.agent_wanted.emit, line.agent))

    def open_message(self) -> None:
        """Show the message that the record at hand was read from."""
        if self.at_hand.line is not None:
            self.pane.message_wanted.emit(self.at_hand.line)

    def show_on_plots(self) -> None:
        """Show the plots of the agent of the record at hand, at its moment."""
        if self.at_hand.line is not None:
            self.plots_wanted.emit(self.at_hand.line)

    @Slot()
    def plot_rate(self) -> None:
        """Show on a plot how many records the query finds over time."""
        self.query.settling.emit()
        if self.query.narrows:
            self.rate_wanted.emit([Plotted(query=text_of(self.query.pills))])

    def toggle_facets(self) -> None:
        """Show or hide the fields beside the list."""
        self._facets_button.toggle()

    @Slot()
    def _selected(self) -> None:
        self.at_hand_changed.emit()

    # ------------------------------------------------------------ Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.pane.isHidden():
            self._close_record()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._names.refresh()
        self.summary.set_active(True)
        self.at_hand_changed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.summary.set_active(False)
        self.at_hand_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        wide = event.size().width() >= _WIDE_PIXELS
        if (self.splitter.orientation() is across) != wide:
            self.splitter.setOrientation(across if wide else down)
            room, share = (event.size().width(), _BESIDE) if wide else (event.size().height(), _BELOW)
            self.splitter.setSizes([room - share, share])
            self.pane.turn(down if wide else across)
