"""Rows of a tree as high as those of a table."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from widgets.common.tables import ROW_HEIGHT


class TallRows(QStyledItemDelegate):
    """For a QTreeView with uniform row heights, which would put its rows close together."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        size = super().sizeHint(option, index)
        return size.expandedTo(QSize(0, max(ROW_HEIGHT - 2, option.fontMetrics.height() + 7)))
