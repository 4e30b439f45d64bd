"""The three faces of who talks to whom: graph, matrix, table. One choice holds in all of them."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractScrollArea, QMenu, QTabWidget

from widgets.common.theme import ThemeHolder
from widgets.flow.flow_graph import FlowGraph
from widgets.flow.hiding import named
from widgets.flow.matrix_panel import MatrixPanel
from widgets.flow.pair_table import pair_table
from widgets.flow.pairs import Pair


class FlowViews(QTabWidget):
    """Only what is turned up is filled. GUI thread."""

    chosen = Signal(object, object)
    """A node and another, or one and None, or None and None."""
    hide_node_wanted = Signal(int)
    hide_pair_wanted = Signal(object)
    """Somebody does not want to see this pair (Pair)."""
    all_wanted = Signal()
    """Somebody wants to see again what was hidden."""
    filled = Signal()
    """Something else is drawn."""

    def __init__(self, themes: ThemeHolder) -> None:
        super().__init__()
        self.setDocumentMode(True)
        self._pairs: Sequence[Pair] = ()
        self._among: Sequence[Pair] | None = None
        self._words = ""
        self.hidden = 0
        """How much somebody has hidden."""
        self._chosen: tuple[int | None, int | None] = (None, None)
        self.graph = FlowGraph(themes)
        self.matrix = MatrixPanel(themes)
        self.table = pair_table(themes)
        self.table.setObjectName("flow-pairs")
        self.addTab(self.graph, self.tr("Graph"))
        self.addTab(self.matrix, self.tr("Matrix"))
        self.addTab(self.table, self.tr("Table"))
        self.setFocusProxy(self.graph)
        self.graph.chosen.connect(self._choose)
        self.matrix.chosen.connect(self._choose)
        self.table.selectionModel().selectionChanged.connect(self._choose_row)
        self.currentChanged.connect(self._fill)
        for face in (self.graph, self.matrix.view, self.table):
            face.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            face.customContextMenuRequested.connect(self._open_menu)
        QShortcut(
            QKeySequence(Qt.Key.Key_Delete),
            self,
            self.hide_chosen,
            context=Qt.ShortcutContext.WidgetWithChildrenShortcut,
        )

    def show_pairs(self, pairs: Sequence[Pair], words: str, among: Sequence[Pair] | None = None) -> None:
        """Show these. `words`: mark agents with such names. `among`: nodes of these stand in the graph, whoever talks."""
        self._pairs, self._words, self._among = pairs, words, among
        self._fill()

    def choose(self, sender: int | None, receiver: int | None) -> None:
        """Mark a node, or a pair; None and None: nothing."""
        self._chosen = sender, receiver
        self.graph.choose(sender, receiver)
        self.matrix.view.choose(sender, receiver)
        if sender is None:
            self.table.clearSelection()

    @property
    def left_out(self) -> int:
        """Nodes that find no place where one looks."""
        return self.graph.left_out if self.currentWidget() is self.graph else 0

    @Slot()
    def _fill(self) -> None:
        shown = self.currentWidget()
        if shown is self.graph:
            self.graph.show_pairs(self._pairs, self._among)
            self.graph.mark_found(self._words)
        elif shown is self.matrix:
            self.matrix.show_pairs(self._pairs)
        else:
            self.table.show_rows(self._pairs)
        self.filled.emit()

    @Slot(object, object)
    def _choose(self, sender: int | None, receiver: int | None) -> None:
        self.choose(sender, receiver)
        self.chosen.emit(sender, receiver)

    @Slot()
    def _choose_row(self) -> None:
        rows = self.table.selected
        if len(rows) == 1 and (rows[0].sender, rows[0].receiver) != self._chosen:
            self._choose(rows[0].sender, rows[0].receiver)

    # ------------------------------------------------------------ hiding

    def menu(self) -> QMenu:
        """What can be done with the choice."""
        menu = QMenu(self)
        sender, receiver = self._chosen
        pair = self._chosen_pair()
        text = self.tr("Hide {name}")
        if pair is not None:
            menu.addAction(_shown(text, f"{pair.sender_name} → {pair.receiver_name}"), self.hide_chosen)
        for node in dict.fromkeys(one for one in (sender, receiver) if one is not None):
            name = named(self._pairs, node)
            if name:
                menu.addAction(_shown(text, name), partial(self.hide_node_wanted.emit, node))
        if self.currentWidget() is self.table:
            menu.addSeparator()
            self.table.add_copy(menu)
        menu.addSeparator()
        back = menu.addAction(self.tr("Show what is hidden"), self.all_wanted.emit)
        back.setEnabled(self.hidden > 0)
        return menu

    def _chosen_pair(self) -> Pair | None:
        return next((one for one in self._pairs if (one.sender, one.receiver) == self._chosen), None)

    @Slot(QPoint)
    def _open_menu(self, where: QPoint) -> None:
        if self.currentWidget() is self.graph:
            self.graph.choose_at(where)
        elif self.currentWidget() is self.matrix:
            self.matrix.view.choose_at(where)
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        face = self.sender()
        assert isinstance(face, QAbstractScrollArea | FlowGraph)
        menu.popup((face.viewport() if isinstance(face, QAbstractScrollArea) else face).mapToGlobal(where))

    @Slot()
    def hide_chosen(self) -> None:
        """Ask for what is chosen not to be drawn: a pair, or a node."""
        sender, receiver = self._chosen
        pair = self._chosen_pair()
        if pair is not None:
            self.hide_pair_wanted.emit(pair)
        elif sender is not None and receiver is None:
            self.hide_node_wanted.emit(sender)


def _shown(text: str, name: str) -> str:
    return text.replace("{name}", name.replace("&", "&&"))
