"""The topic tree for Qt: opened branch by branch, the loudest children first, updated without a reset."""

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFont

from models.domain.quantity import MISSING
from models.domain.queries import TopicsResult
from widgets.common.numbers import count_text, value_text
from widgets.common.plain import visible
from widgets.common.theme import ThemeHolder
from widgets.messages.topic_tree import ALL, MORE, PAGE, Node, TopicTree

Index = QModelIndex | QPersistentModelIndex
_RIGHT = int((Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter).value)
_LEFT = int((Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter).value)


class TopicModel(QAbstractItemModel):
    """Topic, messages a second, messages, bytes. What a row is tells its `node`. GUI thread."""

    TOPIC, RATE, MESSAGES, BYTES = range(4)

    def __init__(self, theme: ThemeHolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.tree = TopicTree()
        self._titles = (self.tr("Topic"), self.tr("Rate"), self.tr("Messages"), self.tr("Bytes"))

    # ------------------------------------------------------------ what it shows

    def take(self, answer: TopicsResult, now_us: int, *, arrange: bool) -> None:
        """Add an answer; `arrange`: let the loudest come first again. New topics find their place in any case."""
        if answer.whole:
            self.beginResetModel()
            self.tree.take(answer, now_us)
            self.tree.root.put(self.tree.order(self.tree.root))
            self.endResetModel()
            return
        grown = self.tree.take(answer, now_us)
        if arrange or grown:
            self.arrange()
        self._tell_figures()

    def arrange(self) -> None:
        """Put the loudest first, everywhere; what is selected or expanded stays so."""
        orders = [(opened, self.tree.order(opened)) for opened in self.tree.opened()]
        orders = [(opened, order) for opened, order in orders if order != opened.shown]
        if not orders:
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        for opened, order in orders:
            opened.put(order)
        self.changePersistentIndexList(before, [self._moved(index) for index in before])
        self.layoutChanged.emit()

    def search(self, text: str) -> None:
        """Show topics that hold this text, with what is above them; empty: all."""
        self.tree.search(text)
        self.arrange()

    def pin(self, indexes: Iterable[Index]) -> None:
        """These rows stay shown, however quiet they are; those that were pinned before do not."""
        self.tree.pinned = {index.internalId() for index in indexes}

    def show_more(self, index: Index) -> None:
        """For the row that says how many more there are."""
        self.node(index).home.most += 5 * PAGE
        self.arrange()

    def node(self, index: Index) -> Node:
        """What a valid index stands for."""
        return self.tree.nodes[index.internalId()]

    def index_at(self, node: Node) -> QModelIndex:
        """Where a node stands; invalid while it is not shown."""
        return self.createIndex(node.row, 0, node.id) if node.is_shown else QModelIndex()

    def index_of(self, topic: bytes) -> QModelIndex:
        """The row of a topic or branch, opening what is above it; invalid where there is none, or the search hides it."""
        opened = self.tree.root
        while True:
            level, below = opened.branch.split(topic)
            node = self.tree.child(opened, level)
            if node is None:
                return QModelIndex()
            if not node.is_shown:
                self.tree.pinned.add(node.id)
                self.arrange()
            if not node.is_shown:
                return QModelIndex()
            index = self.index_at(node)
            if not below:
                return index
            if self.canFetchMore(index):
                self.fetchMore(index)
            if node.inner is None:
                return QModelIndex()
            opened = node.inner

    # ------------------------------------------------------------ Qt

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008 - Qt's signature
        opened = self.node(parent).inner if parent.isValid() else self.tree.root
        if opened is None or not 0 <= row < len(opened.shown) or not 0 <= column < len(self._titles):
            return QModelIndex()
        return self.createIndex(row, column, opened.shown[row].id)

    def parent(self, index: Index = QModelIndex()) -> QModelIndex:  # type: ignore[override] # noqa: B008 - Qt's
        owner = self.node(index).home.owner if index.isValid() else None
        return self.index_at(owner) if owner is not None else QModelIndex()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        if parent.column() > 0:
            return 0
        opened = self.node(parent).inner if parent.isValid() else self.tree.root
        return len(opened.shown) if opened is not None else 0

    def columnCount(self, _parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return len(self._titles)

    def hasChildren(self, parent: Index = QModelIndex()) -> bool:  # noqa: B008 - Qt's signature
        return not parent.isValid() or (parent.column() == 0 and self.node(parent).is_branch)

    def canFetchMore(self, parent: Index) -> bool:
        return parent.isValid() and self.node(parent).inner is None and self.node(parent).is_branch

    def fetchMore(self, parent: Index) -> None:
        if not self.canFetchMore(parent):
            return
        node = self.node(parent)
        opened, order = self.tree.open(node)
        if order:
            self.beginInsertRows(self.index_at(node), 0, len(order) - 1)
        node.inner = opened
        opened.put(order)
        if order:
            self.endInsertRows()

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _LEFT if section == self.TOPIC else _RIGHT
        return self._titles[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        node, column = self.node(index), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._name(node) if column == self.TOPIC else self._number(node, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _LEFT if column == self.TOPIC else _RIGHT
        if role == Qt.ItemDataRole.AccessibleTextRole and column == self.TOPIC:
            return visible(node.topic.decode(errors="backslashreplace")) or self._name(node)
        nameless = node.child == MORE or (node.child >= 0 and not node.home.branch.names[node.child])
        if nameless and role == Qt.ItemDataRole.ForegroundRole:
            return QColor(self._theme.theme.muted)
        if nameless and role == Qt.ItemDataRole.FontRole and column == self.TOPIC:
            font = QFont()
            font.setItalic(True)
            return font
        return None

    def _name(self, node: Node) -> str:
        if node.child == ALL:
            return self.tr("All topics")
        if node.child == MORE:
            return self.tr("{n} more…").replace("{n}", count_text(node.home.hidden))
        name = node.home.branch.names[node.child]
        return visible(name.decode(errors="backslashreplace")) if name else self.tr("(empty level)")

    def _number(self, node: Node, column: int) -> str:
        home, child = node.home, node.child
        if child == MORE:
            return ""
        sums = {self.RATE: home.rate, self.MESSAGES: home.messages, self.BYTES: home.payload_bytes}[column]
        value = float(sums.sum() if child == ALL else sums[child])
        if column == self.RATE:
            return rate_text(value) if self.tree.columns.rates_known else MISSING
        return count_text(value) if column == self.MESSAGES else value_text(value, "By")

    # ------------------------------------------------------------ inner

    def _moved(self, index: QModelIndex) -> QModelIndex:
        node = self.tree.nodes.get(index.internalId())
        return self.createIndex(node.row, index.column(), node.id) if node and node.is_shown else QModelIndex()

    def _tell_figures(self) -> None:
        for opened in self.tree.opened():
            if opened.shown:
                first, last = opened.shown[0], opened.shown[-1]
                self.dataChanged.emit(self.index_at(first), self.createIndex(last.row, self.BYTES, last.id))


def rate_text(rate: float) -> str:
    """Messages a second, such as "12/s"; nothing where none came."""
    if rate < 0.005:
        return ""
    return f"{value_text(rate if rate >= 1 else round(rate, 2))}/s"
