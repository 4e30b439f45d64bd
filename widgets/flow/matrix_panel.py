"""The matrix with what it is asked to show: which figure, and in which order."""

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from widgets.common.theme import ThemeHolder
from widgets.flow.matrix import Measure, matrix_of
from widgets.flow.matrix_view import MatrixView
from widgets.flow.pairs import Pair


class MatrixPanel(QWidget):
    """GUI thread."""

    chosen = Signal(object, object)
    """The two ends of a pair, or None and None."""

    def __init__(self, themes: ThemeHolder) -> None:
        super().__init__()
        self._pairs: Sequence[Pair] = ()
        self.measure = QComboBox()
        for text, measure in (
            (self.tr("Interactions a minute"), Measure.RATE),
            (self.tr("Share that failed"), Measure.FAILED),
            (self.tr("95 % answered within"), Measure.REPLY),
        ):
            self.measure.addItem(text, measure)
        self.measure.setAccessibleName(self.tr("What the colours show"))
        self.order = QComboBox()
        self.order.addItems([self.tr("Highest first"), self.tr("By name")])
        self.order.setAccessibleName(self.tr("Order of agents"))
        self.view = MatrixView(themes)
        head = QHBoxLayout()
        head.setContentsMargins(10, 4, 8, 4)
        head.setSpacing(6)
        for text, box in ((self.tr("&Colour"), self.measure), (self.tr("&Order"), self.order)):
            label = QLabel(text)
            label.setBuddy(box)
            head.addWidget(label)
            head.addWidget(box)
            head.addSpacing(12)
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.view, 1)
        self.setFocusProxy(self.view)
        self.view.chosen.connect(self.chosen)
        self.measure.currentIndexChanged.connect(self._lay_out)
        self.order.currentIndexChanged.connect(self._lay_out)

    def show_pairs(self, pairs: Sequence[Pair]) -> None:
        """Show these instead."""
        self._pairs = pairs
        self._lay_out()

    @Slot()
    def _lay_out(self) -> None:
        by_name = self.order.currentIndex() == 1
        self.view.show_matrix(matrix_of(self._pairs, self.measure.currentData(), by_name=by_name))
