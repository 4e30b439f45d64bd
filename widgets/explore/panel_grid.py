"""Panels in nested splitters, as a layout says."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QScrollArea, QSplitter, QWidget

from models.domain.layouts.changes import grid as even_grid
from models.domain.layouts.layout import Direction, Kind, Layout, Node, Panel, Split
from widgets.explore.explore_panel import CellKey, ExplorePanel

MOST_REPEATED = 60
"""Agents of a repeated panel; more of them are read in one panel, or in a heat map."""


class _Cells(NamedTuple):
    """A split of cells. `path`: where the split stands in the layout; None: made by repeating, nobody keeps its sizes."""

    direction: Direction
    parts: tuple["_Cells | CellKey", ...]
    sizes: tuple[int, ...]
    path: tuple[int, ...] | None


class PanelGrid(QScrollArea):
    """Keeps the panels' widgets while they move about; scrolls where they would become too small. GUI thread."""

    resized = Signal(tuple, list)
    """Somebody moved a handle: path of the split, new sizes."""

    def __init__(self, make: Callable[[CellKey], ExplorePanel]) -> None:
        super().__init__()
        self._make = make
        self.panels: dict[CellKey, ExplorePanel] = {}
        self.shown: list[CellKey] = []
        self._form: object = None
        self._splitters: dict[tuple[int, ...], QSplitter] = {}
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_layout(self, layout: Layout, only: CellKey | None) -> None:
        """Arrange the panels so; `only` this one where it is there. Panels that are gone are forgotten."""
        cells = _cells(layout.root, layout.agents, ())
        every = _keys(cells)
        shown = only if only in every else cells
        if _form(shown) != self._form:
            self._form = _form(shown)
            self._build(shown, every)
        else:
            self._size(shown)

    def _build(self, cells: "_Cells | CellKey", every: Sequence[CellKey]) -> None:
        focused = next((key for key, panel in self.panels.items() if panel.body.hasFocus()), None)
        self.setUpdatesEnabled(False)
        old = self.takeWidget()
        for key, panel in self.panels.items():
            panel.hide()
            panel.setParent(self)
            if key not in every:
                panel.deleteLater()
        self.panels = {key: self.panels.get(key) or self._make(key) for key in every}
        self.shown = _keys(cells)
        self._splitters.clear()
        self.setWidget(self._widget(cells))
        if isinstance(old, QSplitter):
            old.deleteLater()
        self.setUpdatesEnabled(True)
        if focused in self.shown:
            self.panels[focused].body.setFocus()

    def _widget(self, cells: "_Cells | CellKey") -> QWidget:
        if isinstance(cells, CellKey):
            panel = self.panels[cells]
            panel.show()
            return panel
        across = cells.direction is Direction.COLUMNS
        splitter = QSplitter(Qt.Orientation.Horizontal if across else Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(3)
        for part in cells.parts:
            splitter.addWidget(self._widget(part))
        splitter.setSizes(list(cells.sizes))
        path = cells.path
        if path is not None:
            self._splitters[path] = splitter
            splitter.splitterMoved.connect(lambda _at, _handle: self.resized.emit(path, splitter.sizes()))
        return splitter

    def _size(self, cells: "_Cells | CellKey") -> None:
        if isinstance(cells, CellKey):
            return
        splitter = self._splitters.get(cells.path) if cells.path is not None else None
        if splitter is not None and not _alike(splitter.sizes(), cells.sizes):
            splitter.setSizes(list(cells.sizes))
        for part in cells.parts:
            self._size(part)


def _cells(node: Node, agents: Sequence[str], path: tuple[int, ...]) -> _Cells | CellKey:
    if isinstance(node, Split):
        parts = tuple(_cells(part, agents, (*path, place)) for place, part in enumerate(node.parts))
        return _Cells(node.direction, parts, node.sizes, path)
    if not node.repeat or not agents or node.kind is Kind.HEAT:  # which has a row for each
        return CellKey(node.id)
    numbered = even_grid([Panel(number) for number in range(1, min(len(agents), MOST_REPEATED) + 1)])
    return _repeated(numbered, node.id, agents)


def _repeated(node: Node, id_: int, agents: Sequence[str]) -> _Cells | CellKey:
    if isinstance(node, Panel):
        return CellKey(id_, agents[node.id - 1])
    return _Cells(node.direction, tuple(_repeated(part, id_, agents) for part in node.parts), node.sizes, None)


def _keys(cells: _Cells | CellKey) -> list[CellKey]:
    if isinstance(cells, CellKey):
        return [cells]
    return [key for part in cells.parts for key in _keys(part)]


def _form(cells: _Cells | CellKey) -> object:
    """Everything but the sizes."""
    return cells if isinstance(cells, CellKey) else (cells.direction, tuple(_form(part) for part in cells.parts))


def _alike(here: Sequence[int], wanted: Sequence[int]) -> bool:
    """The same shares, to a hundredth."""
    total, sum_wanted = max(1, sum(here)), max(1, sum(wanted))
    return all(abs(one / total - other / sum_wanted) < 0.01 for one, other in zip(here, wanted, strict=True))
