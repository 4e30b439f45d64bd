"""What to export: dataset, time, agent, format. The file is asked for when the button is pressed."""

from datetime import UTC, datetime

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QFormLayout, QPushButton, QWidget

from widgets.common.words import DATASETS, dataset_word
from widgets.data.jobs import ExportOrder
from widgets.data.span_fields import SHOWN, SpanFields
from widgets.frame.time_range import TimeRangeModel
from widgets.records.agent_names import AgentField, AgentNames

FORMATS = ("csv", "jsonl")


class ExportForm(QWidget):
    """GUI thread."""

    wanted = Signal(object)
    """An `ExportOrder` whose `path` is a proposal: a name without a folder."""

    def __init__(self, names: AgentNames, time_range: TimeRangeModel) -> None:
        super().__init__()
        self._names = names
        self.dataset = QComboBox()
        for dataset in DATASETS:
            self.dataset.addItem(dataset_word(dataset), dataset)
        self.who = AgentField(names)
        self.format = QComboBox()
        self.format.addItem(self.tr("CSV"), "csv")
        self.format.addItem(self.tr("JSON lines"), "jsonl")
        self.start = QPushButton(self.tr("E&xport…"))
        self.start.setProperty("role", "primary")
        self.start.setAutoDefault(False)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(6)
        form.addRow(self.tr("&What"), self.dataset)
        self.dataset.setAccessibleName(self.tr("What"))
        self._span = SpanFields(form, time_range, self)
        self.span, self.since, self.until = self._span.choice, self._span.since, self._span.until
        form.addRow(self.tr("&Agent"), self.who)
        form.addRow(self.tr("For&mat"), self.format)
        self.format.setAccessibleName(self.tr("Format"))
        form.addRow("", self.start)
        self.start.clicked.connect(self._start)

    def prefill(self, dataset: str, agent: int = 0) -> None:
        """What somebody just looked at: this dataset, this agent (0: all), the time that is shown."""
        self.dataset.setCurrentIndex(DATASETS.index(dataset))
        self.who.choose(agent)
        self.span.setCurrentIndex(SHOWN)

    def order(self) -> ExportOrder:
        """What is asked for now."""
        since_us, until_us = self._span.times()
        dataset, form = str(self.dataset.currentData()), str(self.format.currentData())
        agent = self._names.id_of(self.who.agent)
        day = datetime.now(UTC).astimezone().date().isoformat()
        proposal = "-".join(filter(None, (dataset, _file_part(agent), day)))
        return ExportOrder(dataset, form, f"{proposal}.{form}", agent, since_us, until_us)

    @Slot()
    def _start(self) -> None:
        self.wanted.emit(self.order())


def _file_part(text: str) -> str:
    """An agent's id as part of a file name."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in text)[:60]
