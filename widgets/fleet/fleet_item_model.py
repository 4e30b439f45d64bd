"""The fleet's table as Qt sees it: rows of a `FleetResult` in an order, with group headings where wanted."""

from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from models.domain.queries import FleetResult
from widgets.fleet.fleet_state import COLUMNS, Column, matches, ordered, severity
from widgets.fleet.fleet_texts import cell_text, cell_tooltip, column_title, column_tooltip, heading_text

Index = QModelIndex | QPersistentModelIndex

AgentRole = Qt.ItemDataRole.UserRole + 1
"""Local id of the row's agent; 0 on a group heading."""
RowRole = Qt.ItemDataRole.UserRole + 2
"""Row of the `FleetResult`; -1 on a group heading."""
HeadingRole = Qt.ItemDataRole.UserRole + 3
"""Name of the group on its heading, else None."""

_NOWHERE = QModelIndex()
_ANSWERED = frozenset(
    int(role)
    for role in (
        Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole,
        Qt.ItemDataRole.TextAlignmentRole, AgentRole, RowRole, HeadingRole,
    )
)  # fmt: skip
"""A view asks for eleven roles of every cell it paints; the others are turned away before anything is looked up."""
_NUMERIC = frozenset(
    (Column.RESPONSE, Column.ERROR_RATIO, Column.TASKS, Column.ATTEMPTS, Column.SUCCESSES, Column.ERRORS,
     Column.LOG_ERRORS, Column.MESSAGES)
)  # fmt: skip
_MOST_FIRST = _NUMERIC | {Column.CPU, Column.MEMORY}
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


def alignment(column: Column) -> Qt.AlignmentFlag:
    """Of a column's cells and title: numbers stand at the right."""
    return _RIGHT if column in _NUMERIC else _LEFT


@dataclass(frozen=True, slots=True)
class View:
    """What the user chose to see. `column` None is worst first."""

    text: str = ""
    group: str | None = None
    retired: bool = False
    only_not_well: bool = False
    column: Column | None = None
    descending: bool = False
    by_group: bool = False
    folded: frozenset[str] = frozenset()


class FleetItemModel(QAbstractTableModel):
    """GUI thread. Selection and scroll survive updates, as rows move by persistent index, never by reset."""

    _rows: list[int] = []  # a view may still ask while the collector takes the model apart

    def __init__(self) -> None:
        super().__init__()
        self.fleet: FleetResult | None = None
        self.view = View()
        self._rows = []  # row of the result, or -1 - k for heading k
        self._headings: list[tuple[str, int, int]] = []  # group, agents in it, of them not well

    def show_fleet(self, fleet: FleetResult) -> None:
        """Take newer figures; keeps the view."""
        self._arrange(fleet, self.view)

    def show_view(self, view: View) -> None:
        """Filter, sort or group otherwise; keeps the figures."""
        self._arrange(self.fleet, view)

    def agent_at(self, row: int) -> int:
        """Local id of the agent in a table row; 0 on a heading."""
        place = self._rows[row]
        return 0 if place < 0 or self.fleet is None else int(self.fleet.agent[place])

    def place_at(self, row: int) -> int:
        """Row of the `FleetResult` in a table row; below 0 on a heading. For what paints: asking by role takes longer."""
        return self._rows[row]

    def row_of(self, agent: int) -> int:
        """Table row of an agent; -1 where it is not shown."""
        for row in range(len(self._rows)):
            if agent and self.agent_at(row) == agent:
                return row
        return -1

    @property
    def shown(self) -> int:
        """Agents in the table, folded groups not counted."""
        return sum(place >= 0 for place in self._rows)

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(Column)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role not in _ANSWERED or not index.isValid() or self.fleet is None:
            return None
        place, column = self._rows[index.row()], COLUMNS[index.column()]
        if place < 0:
            return self._heading_data(-1 - place, column, role)
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return cell_text(self.fleet, place, column)
            case Qt.ItemDataRole.ToolTipRole:
                return cell_tooltip(self.fleet, place, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return alignment(column)
            case _ if role == AgentRole:
                return int(self.fleet.agent[place])
            case _ if role == RowRole:
                return place
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Vertical:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column_title(Column(section))
            case Qt.ItemDataRole.ToolTipRole:
                return column_tooltip(Column(section))
            case Qt.ItemDataRole.TextAlignmentRole:
                return alignment(COLUMNS[section])
            case Qt.ItemDataRole.InitialSortOrderRole:
                return Qt.SortOrder.DescendingOrder if Column(section) in _MOST_FIRST else Qt.SortOrder.AscendingOrder
        return None

    def _heading_data(self, heading: int, column: Column, role: int) -> object:
        group, count, ill = self._headings[heading]
        if role == HeadingRole:
            return group
        if role == RowRole:
            return -1
        if role == AgentRole:
            return 0
        if column == Column.AGENT and role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return heading_text(group, count, ill, folded=group in self.view.folded)
        return None

    def _arrange(self, fleet: FleetResult | None, view: View) -> None:
        if fleet is None:
            self.view = view
            return
        rows = matches(fleet, view.text, view.group, only_not_well=view.only_not_well, retired=view.retired)
        rows = ordered(fleet, rows, view.column, descending=view.descending)
        places, headings = self._with_headings(fleet, rows.tolist(), view)
        if self.fleet is None or len(places) != len(self._rows):
            self.beginResetModel()
            self._take(fleet, view, places, headings)
            self.endResetModel()
        elif self._keys(fleet, places, headings) == self._keys(self.fleet, self._rows, self._headings):
            self._take(fleet, view, places, headings)
            if places:
                self.dataChanged.emit(self.index(0, 0), self.index(len(places) - 1, len(Column) - 1))
        else:
            self._move(fleet, view, places, headings)

    def _move(self, fleet: FleetResult, view: View, places: list[int], headings: list[tuple[str, int, int]]) -> None:
        """As many rows as before in another order: selection and scroll follow them."""
        assert self.fleet is not None
        self.layoutAboutToBeChanged.emit()
        before = self._keys(self.fleet, self._rows, self._headings)
        self._take(fleet, view, places, headings)
        now = {key: row for row, key in enumerate(self._keys(fleet, places, headings))}
        old = self.persistentIndexList()
        new = [self.index(now.get(before[i.row()], -1), i.column()) for i in old]
        self.changePersistentIndexList(old, new)
        self.layoutChanged.emit()

    def _take(self, fleet: FleetResult, view: View, places: list[int], headings: list[tuple[str, int, int]]) -> None:
        self.fleet, self.view, self._rows, self._headings = fleet, view, places, headings

    @staticmethod
    def _keys(fleet: FleetResult, places: list[int], headings: list[tuple[str, int, int]]) -> list[int | str]:
        """What stays the same about a row while figures change: the agent's id, or the group's name."""
        agents = fleet.agent.tolist()
        return [agents[place] if place >= 0 else headings[-1 - place][0] for place in places]

    @staticmethod
    def _with_headings(fleet: FleetResult, rows: list[int], view: View) -> tuple[list[int], list[tuple[str, int, int]]]:
        """Rows group by group, each after its heading; groups stand in the order of their first row."""
        if not view.by_group:
            return rows, []
        ill = severity(fleet) >= 2
        groups: dict[str, list[int]] = {}
        for row in rows:
            groups.setdefault(fleet.group[row], []).append(row)
        places: list[int] = []
        headings: list[tuple[str, int, int]] = []
        for group, members in groups.items():
            headings.append((group, len(members), int(ill[members].sum())))
            places.append(-len(headings))
            if group not in view.folded:
                places.extend(members)
        return places, headings
