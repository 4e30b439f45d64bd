"""What to export: dataset, time, agent, format. The file is asked for when the button is pressed."""

from datetime import UTC, datetime

from PySide6.QtCore import QDateTime, Signal, Slot
from PySide6.QtWidgets import QComboBox, QDateTimeEdit, QFormLayout, QPushButton, QWidget

from models.domain.time_range import span_text
from widgets.common.words import DATASETS, dataset_word
from widgets.data.jobs import ExportOrder
from widgets.frame.time_range import TimeRangeModel
from widgets.records.agent_names import AgentField, AgentNames

SHOWN, ALL, OWN = range(3)
FORMATS = ("csv", "jsonl")


class ExportForm(QWidget):
    """GUI thread."""

    wanted = Signal(object)
    """An `ExportOrder` whose `path` is a proposal: a name without a folder."""

    def __init__(self, names: AgentNames, time_range: TimeRangeModel) -> None:
        super().__init__()
        self._names, self._range = names, time_range
        self.dataset = QComboBox()
        for dataset in DATASETS:
            self.dataset.addItem(dataset_word(dataset), dataset)
        self.span = QComboBox()
        self.span.addItem("", SHOWN)
        self.span.addItem(self.tr("Everything"), ALL)
        self.span.addItem(self.tr("From … to …"), OWN)
        self.since, self.until = self._moment(self.tr("From")), self._moment(self.tr("To"))
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
        for text, field in (
            (self.tr("&What"), self.dataset), (self.tr("&Time"), self.span), (self.tr("F&rom"), self.since),
            (self.tr("To"), self.until), (self.tr("&Agent"), self.who), (self.tr("For&mat"), self.format),
        ):  # fmt: skip
            form.addRow(text, field)
            if isinstance(field, QComboBox) and field is not self.who:
                field.setAccessibleName(text.replace("&", ""))
        form.addRow("", self.start)
        self._form = form
        self.start.clicked.connect(self._start)
        self.span.currentIndexChanged.connect(self._fit)
        time_range.changed.connect(self._fit)
        self._fit()

    def prefill(self, dataset: str, agent: int = 0) -> None:
        """What somebody just looked at: this dataset, this agent (0: all), the time that is shown."""
        self.dataset.setCurrentIndex(DATASETS.index(dataset))
        self.who.choose(agent)
        self.span.setCurrentIndex(SHOWN)

    def order(self) -> ExportOrder:
        """What is asked for now."""
        since_us, until_us = self._times()
        dataset, form = str(self.dataset.currentData()), str(self.format.currentData())
        agent = self._names.id_of(self.who.agent)
        day = datetime.now(UTC).astimezone().date().isoformat()
        proposal = "-".join(filter(None, (dataset, _file_part(agent), day)))
        return ExportOrder(dataset, form, f"{proposal}.{form}", agent, since_us, until_us)

    def _moment(self, name: str) -> QDateTimeEdit:
        edit = QDateTimeEdit()
        edit.setDisplayFormat("yyyy-MM-dd HH:mm:ss")
        edit.setCalendarPopup(True)
        edit.setAccessibleName(name)
        return edit

    def _times(self) -> tuple[int, int]:
        kind = self.span.currentData()
        if kind == SHOWN:
            now = self._range.current()
            return now.since_us, now.until_us
        if kind == ALL:
            return 0, 0
        ends = [edit.dateTime().toMSecsSinceEpoch() * 1_000 for edit in (self.since, self.until)]
        return min(ends), max(ends)

    @Slot()
    def _fit(self) -> None:
        now = self._range.current()
        shown = (
            self.tr("The last {span}").replace("{span}", span_text(now.span_us)) if now.live else self.tr("As shown")
        )
        self.span.setItemText(SHOWN, shown)
        own = self.span.currentData() == OWN
        if not own:  # the fields begin with what is shown
            for edit, at_us in ((self.since, now.since_us), (self.until, now.until_us)):
                edit.setDateTime(QDateTime.fromMSecsSinceEpoch(at_us // 1_000))
        for edit in (self.since, self.until):
            self._form.setRowVisible(edit, own)

    @Slot()
    def _start(self) -> None:
        self.wanted.emit(self.order())


def _file_part(text: str) -> str:
    """An agent's id as part of a file name."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in text)[:60]
