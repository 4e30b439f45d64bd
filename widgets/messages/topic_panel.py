"""Topics beside their messages: a filter above the tree, the loudest first, asked for once a second while somebody looks."""

from collections.abc import Callable

from PySide6.QtCore import QItemSelection, QModelIndex, QPoint, QRect, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QVBoxLayout, QWidget

from models.domain.queries import DataSource, Failed, Result, Ticket, TopicsRequest, TopicsResult
from widgets.common.state_view import StateKind, StateStack, ViewState, failed, no_match
from widgets.common.theme import ThemeHolder
from widgets.frame.time_range import TimeRangeModel
from widgets.messages.topic_item_model import TopicModel
from widgets.messages.topic_tree import ALL, MORE
from widgets.messages.topic_view import TopicView

REFRESH_MS = 1_000
_ARRANGE_US = 4_000_000
"""The order follows the rates this often, and not while somebody works in the tree."""
_TYPING_MS = 150
_EXPANDED_AT_ONCE = 200


class TopicPanel(QWidget):
    """Filter and tree. While the time range is paused nothing moves. Hidden it asks for nothing. GUI thread."""

    selected = Signal(bytes, bool, bool)
    """Topic at hand, whether it has topics below, and whether it is one topic or branch at all (else: everything)."""
    chosen = Signal()
    """Enter, or a double click on a topic: go to its messages."""
    menu_wanted = Signal(QMenu, object)
    """A menu for this node is being made."""
    connect_requested = Signal()

    def __init__(
        self, source: DataSource, time_range: TimeRangeModel, theme: ThemeHolder, now_us: Callable[[], int]
    ) -> None:
        """`now_us` is monotonic."""
        super().__init__()
        self._source, self._range, self._now_us = source, time_range, now_us
        self._ticket: Ticket | None = None
        self._arranged_us = self._touched_us = 0
        self._expanded_before: set[int] | None = None  # before the filter opened what it found
        self._wanted = b""  # a topic to go to, once it is known
        self._at_hand: bytes | None = None  # chosen last, also while the filter hides it; None: nothing was yet
        self.model = TopicModel(theme, self)
        self.tree = TopicView(self.model, self.tr("Topics"))
        self.search = QLineEdit(clearButtonEnabled=True)
        self.search.setPlaceholderText(self.tr("Filter topics"))
        self.search.setAccessibleName(self.tr("Filter topics"))
        self.stack = StateStack(self.tree, theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        box = QVBoxLayout()
        box.setContentsMargins(8, 6, 8, 6)
        box.addWidget(self.search)
        column.addLayout(box)
        column.addWidget(self.stack, 1)
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typing.timeout.connect(self._search_now)
        self._second = QTimer(self, interval=REFRESH_MS)
        self._second.timeout.connect(self._tick)
        self.search.textChanged.connect(self._typed)
        self.search.returnPressed.connect(self._into_tree)
        self.tree.selectionModel().selectionChanged.connect(self._selection_changed)
        self.tree.expanded.connect(self._pin)
        self.tree.collapsed.connect(self._pin)
        self.tree.clicked.connect(self._clicked)
        self.tree.doubleClicked.connect(self._double_clicked)
        self.tree.chosen.connect(self._enter)
        self.tree.customContextMenuRequested.connect(self._open_menu)
        self.model.modelAboutToBeReset.connect(self._keep_place)
        time_range.changed.connect(self._range_changed)

    # ------------------------------------------------------------ what is shown

    @Slot()
    def refresh(self) -> None:
        """Ask for newer figures, unless an answer is still on its way."""
        if self._ticket is None and self.isVisible():
            self._ticket = self._source.ask(TopicsRequest(self.model.tree.columns.revision), self._take)

    def show_topic(self, topic: bytes) -> None:
        """Make this topic or branch the one at hand, now or as soon as it is known."""
        self._wanted = topic
        if self.search.text():
            self.search.clear()
            self._search_now()
        self._go_to_wanted()

    def show_everything(self) -> None:
        """Make the row for all topics the one at hand."""
        if self.model.rowCount():
            self.tree.setCurrentIndex(self.model.index(0, 0))

    def focus_filter(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _take(self, answer: Result | Failed) -> None:
        self._ticket = None
        if isinstance(answer, Failed):
            if not len(self.model.tree.columns):
                self.stack.show_state(failed(answer.problem, self.refresh))
            return
        assert isinstance(answer, TopicsResult)
        now_us = self._now_us()
        still = not self.tree.underMouse() and now_us - self._touched_us > _ARRANGE_US
        arrange = still and now_us - self._arranged_us >= _ARRANGE_US
        if arrange:
            self._arranged_us = now_us
        before = self._current_rect()
        self.model.take(answer, now_us, arrange=arrange)
        after = self._current_rect()
        if after.isValid() and before.intersects(self.tree.viewport().rect()):
            bar = self.tree.verticalScrollBar()  # the topic at hand stays under the eye, whatever overtakes it
            bar.setValue(bar.value() + after.top() - before.top())
        if self._wanted:
            self._go_to_wanted()
        elif self._at_hand is None:
            self.show_everything()
        self._tell()

    def _current_rect(self) -> QRect:
        """Where the row at hand stands in the view, or outside it."""
        index = self.tree.currentIndex()
        return self.tree.visualRect(index) if index.isValid() else QRect()

    def _tell(self) -> None:
        if not len(self.model.tree.columns):
            self.stack.show_state(
                ViewState(
                    StateKind.EMPTY,
                    self.tr("No message has come yet"),
                    self.tr("Topics appear here by themselves as soon as something is published to the broker."),
                    self.tr("Choose a broker…"),
                    self.connect_requested.emit,
                )
            )
        elif not self.model.tree.matches:
            self.stack.show_state(no_match(self.search.clear))
        else:
            self.stack.show_content()

    def _go_to_wanted(self) -> None:
        index = self.model.index_of(self._wanted) if self._wanted else QModelIndex()
        if not index.isValid():
            return
        self._wanted = b""
        above = index.parent()
        while above.isValid():
            self.tree.expand(above)
            above = above.parent()
        self.tree.setCurrentIndex(index)
        self.tree.scrollTo(index)

    # ------------------------------------------------------------ filter

    @Slot()
    def _typed(self) -> None:
        self._typing.start()

    @Slot()
    def _search_now(self) -> None:
        self._typing.stop()
        text = self.search.text().strip()
        if text and self._expanded_before is None:
            nodes = self.model.tree.nodes.values()
            self._expanded_before = {one.id for one in nodes if self.tree.isExpanded(self.model.index_at(one))}
        self._pin()
        self.model.search(text)
        if text:
            self._expand_found()
        elif self._expanded_before is not None:
            self._fold_again(self._expanded_before)
            self._expanded_before = None
        self._tell()

    def _fold_again(self, before: set[int]) -> None:
        """Close what the filter opened, but not what is above the topic at hand."""
        if not self.tree.currentIndex().isValid():
            self._wanted = self._at_hand or b""
            self._go_to_wanted()
        kept, above = set(before), self.tree.currentIndex().parent()
        while above.isValid():
            kept.add(above.internalId())
            above = above.parent()
        for node in list(self.model.tree.nodes.values()):
            index = self.model.index_at(node)
            if node.id not in kept and self.tree.isExpanded(index):
                self.tree.collapse(index)
        self.tree.scrollTo(self.tree.currentIndex())

    def _expand_found(self) -> None:
        """Open branches, outer ones first, as long as there is little to see."""
        waiting, rows = [QModelIndex()], 0
        while waiting and rows < _EXPANDED_AT_ONCE:
            parent = waiting.pop(0)
            if parent.isValid():
                self.model.fetchMore(parent)  # the tree does it when it lays out its rows
                self.tree.expand(parent)
            count = self.model.rowCount(parent)
            rows += count
            waiting += [
                index for row in range(count) if self.model.hasChildren(index := self.model.index(row, 0, parent))
            ]

    @Slot()
    def _into_tree(self) -> None:
        """Enter in the filter: to the first topic that was found."""
        self._search_now()
        self.tree.setFocus()
        waiting = [QModelIndex()] if self.search.text().strip() else []
        while waiting:
            parent = waiting.pop()
            if parent.isValid() and self.model.tree.is_found(self.model.node(parent)):
                self.tree.setCurrentIndex(parent)
                return
            waiting += [self.model.index(row, 0, parent) for row in reversed(range(self.model.rowCount(parent)))]

    # ------------------------------------------------------------ what the user does

    @Slot(QItemSelection, QItemSelection)
    def _selection_changed(self, _on: QItemSelection, _off: QItemSelection) -> None:
        self._touched_us = self._now_us()
        self._pin()
        node = self.tree.current()
        if node is not None and node.child != MORE:
            self._wanted, self._at_hand = b"", node.topic
            self.selected.emit(node.topic, node.is_branch, node.child != ALL)

    @Slot()
    def _pin(self) -> None:
        self.model.pin([one for one in (self.tree.currentIndex(), *self.tree.selectedIndexes()) if one.isValid()])

    @Slot(QModelIndex)
    def _clicked(self, index: QModelIndex) -> None:
        if self.model.node(index).child == MORE:
            self.model.show_more(index)

    @Slot(QModelIndex)
    def _double_clicked(self, index: QModelIndex) -> None:
        if not self.model.node(index).is_branch:
            self._enter()

    @Slot()
    def _enter(self) -> None:
        node = self.tree.current()
        if node is None:
            return
        if node.child == MORE:
            self.model.show_more(self.tree.currentIndex())
        else:
            self.chosen.emit()

    @Slot(QPoint)
    def _open_menu(self, where: QPoint) -> None:
        menu = self.make_menu()
        if menu is not None:
            menu.popup(self.tree.viewport().mapToGlobal(where))

    def make_menu(self) -> QMenu | None:
        """What can be done with the topic at hand; None: there is none."""
        node = self.tree.current()
        if node is None or node.child < 0:
            return None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Copy topic"), self.tree.copy)
        self.menu_wanted.emit(menu, node)
        return menu

    # ------------------------------------------------------------ time

    @Slot()
    def _keep_place(self) -> None:
        self._wanted = self._wanted or self._at_hand or b""

    @Slot()
    def _tick(self) -> None:
        self.refresh()

    @Slot(object)
    def _range_changed(self, _chosen: object) -> None:
        self._run()
        if self._range.live:
            self.refresh()

    def _run(self) -> None:
        """Paused, what is seen stays as it is."""
        if self.isVisible() and self._range.live:
            self._second.start()
        else:
            self._second.stop()
            self.model.tree.columns.pause()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._run()
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._run()
