"""Shows two records beside each other, what differs marked by sign and colour."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QCoreApplication, QModelIndex, QObject, QPersistentModelIndex, Qt, Slot
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from models.domain.log_json import attributes_of, flat
from models.domain.quantity import format_time
from models.domain.queries import LogLine, MessageLine
from widgets.common.numbers import count_text
from widgets.common.plain import PlainLabel, tooltip_text, visible
from widgets.common.tables import TableView, column_title
from widgets.common.theme import ThemeHolder
from widgets.common.words import level_word
from widgets.records.comparison import Compared, Difference, Pairs, compare, payload_pairs
from widgets.records.record_dialog import message_fields

Index = QModelIndex | QPersistentModelIndex
_CELL = 2_000
_SIGN, _NAME, _BEFORE, _AFTER = range(4)

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class ComparisonModel(QAbstractTableModel):
    def __init__(self, theme: ThemeHolder, titles: tuple[str, str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._titles = ("", translate("Comparison", "Field"), *titles)
        self.rows: Sequence[Compared] = ()

    def show_rows(self, rows: Sequence[Compared]) -> None:
        """List these."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        return column_title(self._titles, section, orientation, role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], index.column()
        text = (str(row.difference), row.name, row.before, row.after)[column]
        if role == Qt.ItemDataRole.DisplayRole:
            return visible(text, _CELL) if column != _SIGN or row.difference is not Difference.SAME else ""
        if role == Qt.ItemDataRole.ToolTipRole and column > _SIGN:
            return tooltip_text(visible(text))
        if role == Qt.ItemDataRole.ForegroundRole:
            theme = self._theme.theme
            colours = {Difference.OTHER: theme.warning, Difference.CAME: theme.good, Difference.WENT: theme.error}
            if row.difference in colours and column != _NAME:
                return QColor(colours[row.difference])
            return QColor(theme.muted) if column == _NAME else None
        return None


class ComparisonDialog(QDialog):
    """`before` and `after` are of two records, `titles` say which (translated)."""

    def __init__(
        self, theme: ThemeHolder, titles: tuple[str, str], before: Pairs, after: Pairs, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Compare"))
        self.resize(900, 560)
        self._rows = compare(before, after)
        differ = sum(row.difference is not Difference.SAME for row in self._rows)
        told = self.tr("{n} of {all} differ") if differ else self.tr("All {all} are the same")
        self.told = PlainLabel(told.replace("{n}", count_text(differ)).replace("{all}", count_text(len(self._rows))))
        self.only = QCheckBox(self.tr("&Only what differs"))
        self.only.setChecked(0 < differ < len(self._rows))
        self.only.setEnabled(bool(differ))
        self.only.toggled.connect(self._fill)
        self.model = ComparisonModel(theme, titles, self)
        self.table = TableView(self.tr("Differences"))
        self.table.start_with(self.model, (30, 150, 345))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton(self.tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self._copy)
        for button in buttons.buttons():
            if isinstance(button, QPushButton):
                button.setAutoDefault(False)
        buttons.rejected.connect(self.reject)
        head = QHBoxLayout()
        head.addWidget(self.told, 1)
        head.addWidget(self.only)
        column = QVBoxLayout(self)
        column.addLayout(head)
        column.addWidget(self.table, 1)
        column.addWidget(buttons)
        self._fill()

    @Slot()
    def _fill(self) -> None:
        only = self.only.isChecked()
        self.model.show_rows([row for row in self._rows if not only or row.difference is not Difference.SAME])

    @Slot()
    def _copy(self) -> None:
        lines = [
            "\t".join(one.replace("\n", "⏎") for one in map(str, row[:3])) + f"\t{row.difference}"
            for row in self.model.rows
        ]
        QGuiApplication.clipboard().setText("\n".join(lines))


def log_comparison(
    theme: ThemeHolder, before: tuple[LogLine, str], after: tuple[LogLine, str], parent: QWidget
) -> ComparisonDialog:
    """Of two log records, each with what its agent is called."""
    titles = (format_time(before[0].time_us, digits=3), format_time(after[0].time_us, digits=3))
    return ComparisonDialog(theme, titles, _log_pairs(*before), _log_pairs(*after), parent)


def _log_pairs(line: LogLine, agent: str) -> Pairs:
    pairs = [
        (translate("Comparison", "Level"), level_word(line.level)),
        (translate("Comparison", "Agent"), agent),
        (translate("Comparison", "Logger"), line.logger),
        (translate("Comparison", "Text"), line.text),
        (translate("Comparison", "Error"), line.error),
    ]
    attributes = flat(attributes_of(line)) if line.attributes else []
    return [
        *((name, value) for name, value in pairs if value),
        *attributes,
        *(("", one) for one in line.stack.splitlines()),
    ]


def message_comparison(
    theme: ThemeHolder, before: MessageLine, after: MessageLine, parent: QWidget
) -> ComparisonDialog:
    """Of two messages: their payloads, then what else they tell."""
    titles = (format_time(before.key.received_us, digits=3), format_time(after.key.received_us, digits=3))
    return ComparisonDialog(theme, titles, _message_pairs(before), _message_pairs(after), parent)


def _message_pairs(line: MessageLine) -> Pairs:
    fields = [(name, value) for name, value in message_fields(line)[1:] if value]
    return [*payload_pairs(line.payload), *fields]
