"""The list of all series of an agent, to tick those that shall be plotted besides the usual ones."""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from models.domain.queries import SeriesInfo
from widgets.agent.agent_plots import MOST_EXTRA
from widgets.common.buttons import plain_button
from widgets.common.plain import tooltip_text, visible

_ID = Qt.ItemDataRole.UserRole
_METRIC = Qt.ItemDataRole.UserRole + 1


class SeriesPicker(QDialog):
    """Emits `picked` with the ticked ids at every tick; no more than eight can be ticked."""

    picked = Signal(object)  # tuple[int, ...]
    why_wanted = Signal(str)
    """Somebody asks why the series of this metric is there."""

    def __init__(self, series: Sequence[SeriesInfo], ticked: Iterable[int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("More series"))
        self.resize(460, 480)
        self._filter = QLineEdit(clearButtonEnabled=True)
        self._filter.setPlaceholderText(self.tr("Filter by name"))
        self._filter.setAccessibleName(self.tr("Filter by name"))
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Series of this agent"))
        self._hint = QLabel()
        self._hint.setTextFormat(Qt.TextFormat.PlainText)
        self._hint.setProperty("tone", "muted")
        chosen = set(ticked)
        for info in sorted(series, key=lambda one: (one.key.metric, one.key.labels)):
            key = info.key
            unit = f" [{key.unit}]" if key.unit else ""
            item = QListWidgetItem(visible(f"{key.metric} {key.labels}".strip() + unit, 200))
            item.setToolTip(tooltip_text(visible(f"{key.metric} {key.labels}")))
            item.setData(_ID, info.id)
            item.setData(_METRIC, key.metric)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if info.id in chosen else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        self.why = plain_button(self.tr("&Why?"), self._ask_why)
        self.why.setToolTip(self.tr("Who reads the series at hand, and from which topics"))
        self.why.setEnabled(False)
        buttons.addButton(self.why, QDialogButtonBox.ButtonRole.ActionRole)
        self.list.currentItemChanged.connect(lambda item, _before: self.why.setEnabled(item is not None))
        column = QVBoxLayout(self)
        for widget in (self._filter, self.list, self._hint, buttons):
            column.addWidget(widget)
        self._filter.textChanged.connect(self._narrow)
        self.list.itemChanged.connect(self._ticked)
        self._tell()

    def ticked(self) -> tuple[int, ...]:
        """Ids of the ticked series, in the order of the list."""
        return tuple(int(item.data(_ID)) for item in self._items() if item.checkState() == Qt.CheckState.Checked)

    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(row) for row in range(self.list.count())]

    @Slot(QListWidgetItem)
    def _ticked(self, item: QListWidgetItem) -> None:
        if len(self.ticked()) > MOST_EXTRA:
            item.setCheckState(Qt.CheckState.Unchecked)  # comes here again, with one less
            return
        self._tell()
        self.picked.emit(self.ticked())

    def _tell(self) -> None:
        text = self.tr("{n} of at most {most} ticked")
        self._hint.setText(text.replace("{n}", str(len(self.ticked()))).replace("{most}", str(MOST_EXTRA)))

    @Slot()
    def _ask_why(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self.why_wanted.emit(item.data(_METRIC))

    @Slot(str)
    def _narrow(self, text: str) -> None:
        wanted = text.strip().casefold()
        for item in self._items():
            item.setHidden(wanted not in item.text().casefold())
