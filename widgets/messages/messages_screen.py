"""All topics, the messages of one, the message at hand, and a plot of one of its numbers."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QItemSelectionModel, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QMenu, QPushButton, QSplitter, QVBoxLayout, QWidget

from models.domain.json_path import Path
from models.domain.queries import MessageLine
from models.domain.tail import TailPage
from widgets.frame.screen_context import ScreenContext
from widgets.messages.comparing import Comparing
from widgets.messages.field_plot import FieldPlot
from widgets.messages.lesson import Lesson, add_teach_menu
from widgets.messages.message_pane import MessagePane
from widgets.messages.topic_messages import TopicMessages
from widgets.messages.topic_panel import TopicPanel
from widgets.messages.topic_tree import Node
from widgets.messages.whole_payload import with_whole
from widgets.records.agent_names import AgentNames

_WIDE_PIXELS = 1_700
"""From this width on the message stands beside the list, else below it."""
_FIRST_WIDTHS = [360, 840]
_SHARES = {Qt.Orientation.Vertical: ([420, 320], (1, 0)), Qt.Orientation.Horizontal: ([800, 650], (11, 9))}
"""Of list and message, at first and of what room comes and goes: below each other the list gives way to what is read."""
FillMenu = Callable[[QMenu, MessageLine], object]


class MessagesScreen(QWidget):
    """While it is hidden it asks for nothing. GUI thread."""

    agent_wanted = Signal(int)
    """Somebody wants to see this agent."""
    publish_wanted = Signal(object)
    """Somebody wants to publish: again this message (MessageLine), to this topic (bytes), or anything (None)."""
    shell_line_wanted = Signal(object)
    """The message (MessageLine) shall be copied as a command."""
    clear_wanted = Signal(bytes)
    """The retained message of this topic shall be removed."""
    teach_wanted = Signal(object)
    """Somebody wants to teach what a message means (Lesson)."""
    why_wanted = Signal(object)
    """Somebody asks what a message (MessageLine) is read as, and why."""
    paired_wanted = Signal(object)
    """Somebody wants the request and the replies that a message (MessageLine) belongs to."""
    plots_wanted = Signal(object)
    """Somebody wants to see this message's (MessageLine) moment on the plots of its agent."""
    at_hand_changed = Signal()
    """Another topic, message or value is at hand, or the screen comes or goes."""
    connect_requested = Signal()

    def __init__(self, context: ScreenContext, names: AgentNames, **options: int) -> None:
        super().__init__()
        self._source, self._names, self._themes = context.source, names, context.themes
        self.teach_refusal = ""
        """Why rules cannot be changed here; empty: they can."""
        self.topics = TopicPanel(context.source, context.times, context.themes, context.clock.monotonic_us)
        self.rows = TopicMessages(context, names, **options)
        self.rows.table.setObjectName("messages")
        self.pane = MessagePane(context.source, context.themes)
        self.plot = FieldPlot(context)
        self._comparing = Comparing(context.source, context.themes, self.pane.tell_problem, self)
        self._build()
        self.setFocusProxy(self.topics.tree)
        self.topics.selected.connect(self._topic_selected)
        self.topics.chosen.connect(self._into_rows)
        self.topics.menu_wanted.connect(self._fill_topic_menu)
        self.topics.connect_requested.connect(self.connect_requested)
        self.rows.chosen.connect(self._show_message)
        self.rows.opened.connect(self._open_message)
        self.rows.menu_wanted.connect(self._fill_message_menu)
        self.pane.plot_wanted.connect(self._plot_field)
        self.pane.publish_wanted.connect(self.publish_again)
        self.pane.why_wanted.connect(self.ask_why)
        self.pane.pages.changed.connect(self.at_hand_changed)
        self.pane.pages.json.menu_wanted.connect(self._fill_value_menu)
        self.pane.closed.connect(self._close_pane)
        self.plot.closed.connect(self.rows.table.setFocus)
        context.tail.follow(self._take_page)

    def _build(self) -> None:
        self.publish = QPushButton(self.tr("&Publish…"))
        self.publish.setAutoDefault(False)
        self.publish.setToolTip(self.tr("Publish a message to the topic at hand, or to any other"))
        self.publish.clicked.connect(self.publish_here)
        self.rows.filters.addWidget(self.publish)
        self.pane.hide()
        self._reading = QSplitter(Qt.Orientation.Vertical)
        self._reading.setObjectName("messages-message")
        self._work = QSplitter(Qt.Orientation.Vertical)
        self._work.setObjectName("messages-plot")
        self.across = QSplitter(Qt.Orientation.Horizontal)
        self.across.setObjectName("messages-topics")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        # outer ones first: whatever comes into another place is styled anew with all that is in it
        column.addWidget(self.across)
        self.across.addWidget(self.topics)
        self.across.addWidget(self._work)
        self._work.addWidget(self._reading)
        self._work.addWidget(self.plot)
        self._reading.addWidget(self.rows)
        self._reading.addWidget(self.pane)
        self._lay_beside(Qt.Orientation.Vertical)
        self._work.setStretchFactor(0, 1)
        self.across.setStretchFactor(1, 1)
        self.across.setSizes(_FIRST_WIDTHS)
        for splitter in (self._reading, self._work, self.across):
            splitter.setChildrenCollapsible(False)

    # ------------------------------------------------------------ what is shown

    def show_agent(self, agent: int) -> None:
        """The messages of this agent, on whatever topics; 0: of everybody."""
        self.topics.show_everything()
        self.rows.who.choose(agent)

    def show_topic(self, topic: bytes) -> None:
        """The messages of this topic or branch, of everybody."""
        self.rows.clear_filter()
        self.topics.show_topic(topic)

    def show_message(self, line: MessageLine) -> None:
        """A message, with its topic at hand, and its row where that is among the newest."""
        self.show_topic(line.topic)
        self._show_message(line)
        self.rows.point_at(line.key)

    def focus_filter(self) -> None:
        """Put the cursor into the filter of the topics; where it is already, into that of the messages."""
        if self.topics.search.hasFocus():
            self.rows.focus_filter()
        else:
            self.topics.focus_filter()

    @Slot()
    def refresh(self) -> None:
        """Ask for everything again."""
        self.rows.reload()
        if self.isVisible():
            self.topics.refresh()
            self._names.refresh()

    @property
    def message(self) -> MessageLine | None:
        """The message at hand; None: there is none."""
        return None if self.pane.isHidden() else self.pane.message

    @property
    def topic_at_hand(self) -> bytes | None:
        """The topic of the message at hand, else the one at hand in the tree; None where that is no single topic."""
        if self.message is not None and not self.topics.tree.hasFocus():
            return self.message.topic
        node = self.topics.tree.current()
        return node.topic if node is not None and node.is_topic else None

    def _take_page(self, page: TailPage) -> None:
        if page.messages:
            self.rows.rows_added()
            self.plot.rows_added()

    # ------------------------------------------------------------ topics

    @Slot(bytes, bool, bool)
    def _topic_selected(self, topic: bytes, branch: bool, some: bool) -> None:
        self.rows.show_topic(topic, branch=branch and some)
        self.at_hand_changed.emit()

    @Slot()
    def _into_rows(self) -> None:
        table = self.rows.table
        table.setFocus()
        if not self.rows.selected and self.rows.model.rowCount():
            index = table.model().index(
                max(0, table.currentIndex().row()), 0
            )  # the focus alone makes a row current, not selected
            flags = QItemSelectionModel.SelectionFlag  # not `selectRow`, which asks what keys are pressed
            table.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)

    @Slot(QMenu, object)
    def _fill_topic_menu(self, menu: QMenu, node: Node) -> None:
        menu.addAction(self.tr("Publish to this topic…"), partial(self.publish_wanted.emit, node.topic))
        if node.is_topic:
            add_teach_menu(menu, self.teach_wanted.emit, Lesson(topic=node.topic), self.teach_refusal)
            menu.addAction(self.tr("Remove the retained message…"), partial(self.clear_wanted.emit, node.topic))
        agents = self.topics.model.tree.agents(node)
        if len(agents) == 1:
            menu.addAction(self.tr("Go to agent"), partial(self.agent_wanted.emit, agents.pop()))

    # ------------------------------------------------------------ the message at hand

    @Slot(object)
    def _show_message(self, line: MessageLine) -> None:
        self.pane.show_message(line)
        if self.pane.isHidden():
            self.pane.show()
            self._hold()
            self.rows.table.scrollTo(self.rows.table.currentIndex())
            self.at_hand_changed.emit()

    @Slot(object)
    def _open_message(self, line: MessageLine) -> None:
        """Into its payload; it stands beside the list already, so that a dialog would say the same twice."""
        self._show_message(line)
        self.pane.pages.currentWidget().setFocus()

    def _hold(self) -> None:
        """Nothing moves while a message is read."""
        self.rows.hold(not self.pane.isHidden())

    @Slot()
    def _close_pane(self) -> None:
        self.pane.hide()
        self._hold()
        self.rows.table.setFocus()
        self.at_hand_changed.emit()

    @Slot(object, object)
    def _fill_message_menu(self, menu: QMenu, line: MessageLine) -> None:
        menu.addSeparator()
        menu.addAction(self.tr("Copy topic"), self.copy_topic)
        menu.addAction(self.tr("Copy payload"), self.copy_payload)
        menu.addAction(self.tr("Copy as mosquitto_pub"), self.copy_shell_line)
        menu.addSeparator()
        if len(self.rows.selected) == 2:
            menu.addAction(self.tr("Compare the two"), partial(self._comparing.compare, *self.rows.selected[::-1]))
        else:
            before = partial(self._comparing.compare_before, line)
            menu.addAction(self.tr("Compare with the one before on its topic"), before)
        menu.addAction(self.tr("Request and reply"), partial(self.paired_wanted.emit, line))
        menu.addSeparator()
        menu.addAction(self.tr("Publish again…"), self.publish_again)
        add_teach_menu(menu, self.teach_wanted.emit, self._lesson(line), self.teach_refusal)
        menu.addAction(self.tr("Why?"), partial(self.why_wanted.emit, line))
        menu.addSeparator()
        menu.addAction(self.tr("Show only this topic"), partial(self.topics.show_topic, line.topic))
        if line.agent:
            menu.addAction(self.tr("Go to agent"), partial(self.agent_wanted.emit, line.agent))

    @Slot(QMenu)
    def _fill_value_menu(self, menu: QMenu) -> None:
        if self.message is not None:
            menu.addSeparator()
            add_teach_menu(menu, self.teach_wanted.emit, self._lesson(self.message), self.teach_refusal)

    def _lesson(self, line: MessageLine) -> Lesson:
        """About this message, and the value that is pointed at in it."""
        shown = self.message is not None and self.message.key == line.key
        return Lesson(line=line, path=self.pane.pages.json.path_at_hand if shown else None)

    @Slot()
    def teach(self) -> None:
        """What the message at hand means."""
        if self.message is not None and not self.teach_refusal:
            self.teach_wanted.emit(self._lesson(self.message))

    @Slot()
    def ask_why(self) -> None:
        """Of the message at hand."""
        if self.message is not None:
            self.why_wanted.emit(self.message)

    @Slot()
    def show_paired(self) -> None:
        """The request and the replies that the message at hand belongs to."""
        if self.message is not None:
            self.paired_wanted.emit(self.message)

    @Slot()
    def copy_topic(self) -> None:
        """Of the message at hand, or the one at hand in the tree."""
        if self.topic_at_hand is not None:
            QGuiApplication.clipboard().setText(self.topic_at_hand.decode(errors="backslashreplace"))
        else:
            self.topics.tree.copy()  # a branch

    @Slot()
    def copy_payload(self) -> None:
        """Whole, as text; what is no text, as hexadecimal."""
        if self.message is not None:
            with_whole(self._source, self.message, _to_clipboard, self.pane.tell_problem)

    @Slot()
    def copy_shell_line(self) -> None:
        if self.message is not None:
            self.shell_line_wanted.emit(self.message)

    @Slot()
    def publish_again(self) -> None:
        """Fill the form from the message at hand."""
        if self.message is not None:
            self.publish_wanted.emit(self.message)

    @Slot()
    def publish_here(self) -> None:
        """The form for the topic at hand in the tree."""
        node = self.topics.tree.current()
        self.publish_wanted.emit(node.topic if node is not None and node.is_topic else None)

    @Slot()
    def clear_retained(self) -> None:
        """Of the topic at hand."""
        if self.topic_at_hand is not None:
            self.clear_wanted.emit(self.topic_at_hand)

    @Slot()
    def go_to_agent(self) -> None:
        """To the agent of the message at hand."""
        if self.message is not None and self.message.agent:
            self.agent_wanted.emit(self.message.agent)

    # ------------------------------------------------------------ plot

    def show_on_plots(self) -> None:
        """Show the plots of the agent of the message at hand, at its moment."""
        if self.message is not None:
            self.plots_wanted.emit(self.message)

    @Slot()
    def plot_field(self) -> None:
        """Plot the number at hand in the tree of the payload."""
        self.pane.pages.json.plot()

    @Slot(object)
    def _plot_field(self, path: Path) -> None:
        line = self.pane.message
        if line is not None:
            self.plot.show_field(line, path)

    # ------------------------------------------------------------ Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.plot.plot is not None:
            self.plot.close_plot()
        elif not self.pane.isHidden():
            self._close_pane()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._names.refresh()
        self.at_hand_changed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.at_hand_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = event.size().width() >= _WIDE_PIXELS
        orientation = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if orientation != self._reading.orientation():
            self._lay_beside(orientation)

    def _lay_beside(self, orientation: Qt.Orientation) -> None:
        sizes, shares = _SHARES[orientation]
        self._reading.setOrientation(orientation)
        for place, share in enumerate(shares):
            self._reading.setStretchFactor(place, share)
        self._reading.setSizes(sizes)


def _to_clipboard(line: MessageLine) -> None:
    try:
        QGuiApplication.clipboard().setText(line.payload.decode())
    except UnicodeDecodeError:
        QGuiApplication.clipboard().setText(line.payload.hex(" "))
