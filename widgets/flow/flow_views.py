"""The three faces of who talks to whom: graph, matrix, table. One choice holds in all of them."""

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QTabWidget

from widgets.common.theme import ThemeHolder
from widgets.flow.flow_graph import FlowGraph
from widgets.flow.matrix_panel import MatrixPanel
from widgets.flow.pair_table import pair_table
from widgets.flow.pairs import Pair


class FlowViews(QTabWidget):
    """Only what is turned up is filled. GUI thread."""

    chosen = Signal(object, object)
    """A node and another, or one and None, or None and None."""
    filled = Signal()
    """Something else is drawn."""

    def __init__(self, themes: ThemeHolder) -> None:
        super().__init__()
        self.setDocumentMode(True)
        self._pairs: Sequence[Pair] = ()
        self._among: Sequence[Pair] | None = None
        self._words = ""
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
