"""A JSON document as a tree for Qt: names and typed values, built where somebody opens it."""

import json
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from models.domain.json_path import NOTHING, Path, number_in
from widgets.common.numbers import count_text
from widgets.common.plain import tooltip_text, visible
from widgets.common.tables import column_title
from widgets.common.theme import ThemeHolder

Index = QModelIndex | QPersistentModelIndex
PAGE = 1_000
"""Children of a container that are listed at once; a row at their end brings more."""
_CELL_LIMIT = 400


@dataclass(slots=True, eq=False)
class Value:
    """A row. `key` None: the row that stands for what is not listed yet, or the document where it is one plain value."""

    id: int
    key: str | int | None
    value: Any
    above: "Value | None"
    row: int
    rows: "list[Value] | None" = None
    rest: bool = False

    @property
    def path(self) -> Path:
        keys: list[str | int] = []
        one: Value | None = self
        while one is not None:
            if one.key is not None:
                keys.append(one.key)
            one = one.above
        return tuple(reversed(keys))

    @property
    def size(self) -> int:
        """How many children it has."""
        return len(self.value) if isinstance(self.value, dict | list) and not self.rest else 0


class JsonModel(QAbstractItemModel):
    """Name, value. Shows the children of the document, or the document itself where it is one plain value. GUI thread."""

    NAME, VALUE = range(2)

    def __init__(self, theme: ThemeHolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._titles = (self.tr("Name"), self.tr("Value"))
        self._show(NOTHING)

    def show_document(self, document: Any) -> None:
        """Show this (`NOTHING`: none) instead."""
        self.beginResetModel()
        self._show(document)
        self.endResetModel()

    def _show(self, document: Any) -> None:
        self._values: list[Value] = []
        self._root = self._new(None, document, None, 0)
        if self._root.size:
            self._list_more(self._root)
        elif document is not NOTHING:
            self._root.rows = [self._new(None, document, None, 0)]

    def value(self, index: Index) -> Value:
        """What a valid index stands for."""
        return self._values[index.internalId()]

    def show_more(self, index: Index) -> None:
        """For the row that stands for what is not listed yet."""
        rest = self.value(index)
        above = rest.above or self._root
        assert above.rows is not None
        start, parent = len(above.rows) - 1, index.parent()
        self.beginRemoveRows(parent, start, start)
        above.rows.pop()
        self.endRemoveRows()
        more = min(PAGE, above.size - start)
        left = above.size - start - more
        self.beginInsertRows(parent, start, start + more - (0 if left else 1))
        self._list_more(above)
        self.endInsertRows()

    def index_of(self, path: Path) -> QModelIndex:
        """The row of a path, opening what is above it; invalid where it is not listed."""
        value, index = self._root, QModelIndex()
        for key in path:
            if index.isValid() and self.canFetchMore(index):
                self.fetchMore(index)
            found = next((row for row in value.rows or () if row.key == key and type(row.key) is type(key)), None)
            if found is None:
                return QModelIndex()
            value, index = found, self.createIndex(found.row, 0, found.id)
        return index

    # ------------------------------------------------------------ Qt

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008 - Qt's signature
        rows = (self.value(parent) if parent.isValid() else self._root).rows or []
        if not 0 <= row < len(rows) or not 0 <= column < len(self._titles):
            return QModelIndex()
        return self.createIndex(row, column, rows[row].id)

    def parent(self, index: Index = QModelIndex()) -> QModelIndex:  # type: ignore[override] # noqa: B008 - Qt's
        above = self.value(index).above if index.isValid() else None
        return QModelIndex() if above is None or above is self._root else self.createIndex(above.row, 0, above.id)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        if parent.column() > 0:
            return 0
        return len((self.value(parent) if parent.isValid() else self._root).rows or [])

    def columnCount(self, _parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return len(self._titles)

    def hasChildren(self, parent: Index = QModelIndex()) -> bool:  # noqa: B008 - Qt's signature
        if not parent.isValid():
            return bool(self._root.rows)
        return parent.column() == 0 and self.value(parent).size > 0

    def canFetchMore(self, parent: Index) -> bool:
        return parent.isValid() and self.value(parent).rows is None and self.value(parent).size > 0

    def fetchMore(self, parent: Index) -> None:
        if not self.canFetchMore(parent):
            return
        value = self.value(parent)
        self.beginInsertRows(self.createIndex(value.row, 0, value.id), 0, min(value.size, PAGE + 1) - 1)
        self._list_more(value)
        self.endInsertRows()

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        return column_title(self._titles, section, orientation, role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        value, column = self.value(index), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._name(value) if column == self.NAME else self._text(value)
        if role == Qt.ItemDataRole.ToolTipRole and column == self.VALUE and isinstance(value.value, str):
            return tooltip_text(visible(value.value))
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(value, column)
        return None

    # ------------------------------------------------------------ inner

    def _new(self, key: str | int | None, value: Any, above: Value | None, row: int) -> Value:
        made = Value(len(self._values), key, value, above, row)
        self._values.append(made)
        return made

    def _list_more(self, above: Value) -> None:
        rows = above.rows = above.rows or []
        start, end = len(rows), len(rows) + PAGE
        if isinstance(above.value, dict):
            items = list(above.value.items())[start:end]
        else:
            items = list(enumerate(above.value[start:end], start))
        rows += [self._new(key, value, above, start + place) for place, (key, value) in enumerate(items)]
        if len(rows) < above.size:
            rest = self._new(None, None, above, len(rows))
            rest.rest = True
            rows.append(rest)

    def _name(self, value: Value) -> str:
        if value.rest:
            left = value.above.size - value.row if value.above is not None else 0
            return self.tr("{n} more…").replace("{n}", count_text(left))
        if value.key is None:
            return ""
        return f"[{value.key}]" if isinstance(value.key, int) else visible(value.key, _CELL_LIMIT)

    def _text(self, value: Value) -> str:
        content = value.value
        if value.rest:
            return ""
        if isinstance(content, dict):
            text = self.tr("{n} fields") if len(content) != 1 else self.tr("1 field")
            return text.replace("{n}", count_text(len(content)))
        if isinstance(content, list):
            text = self.tr("{n} items") if len(content) != 1 else self.tr("1 item")
            return text.replace("{n}", count_text(len(content)))
        return visible(content, _CELL_LIMIT) if isinstance(content, str) else plain_text(content)

    def _colour(self, value: Value, column: int) -> QColor | None:
        theme, content = self._theme.theme, value.value
        if value.rest or (isinstance(content, dict | list) and column == self.VALUE):
            return QColor(theme.muted)
        if column == self.NAME or isinstance(content, str):
            return None
        return QColor(theme.accent if number_in(content) is not None else theme.degraded)


def plain_text(value: Any) -> str:
    """A value as it may be pasted elsewhere: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
