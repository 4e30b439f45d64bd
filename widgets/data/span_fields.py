"""Of which time something is wanted: what is shown, everything, or from … to …."""

from PySide6.QtCore import QCoreApplication, QDateTime, QObject, Slot
from PySide6.QtWidgets import QComboBox, QDateTimeEdit, QFormLayout

from models.domain.time_range import span_text
from widgets.frame.time_range import TimeRangeModel

SHOWN, ALL, OWN = range(3)

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class SpanFields(QObject):
    """A choice, and two moments that are seen while they count. GUI thread."""

    def __init__(self, form: QFormLayout, time_range: TimeRangeModel, parent: QObject) -> None:
        """Adds three rows to `form`."""
        super().__init__(parent)
        self._form, self._range = form, time_range
        self.choice = QComboBox()
        self.choice.setAccessibleName(translate("SpanFields", "Time"))
        self.choice.addItem("", SHOWN)
        self.choice.addItem(translate("SpanFields", "Everything"), ALL)
        self.choice.addItem(translate("SpanFields", "From … to …"), OWN)
        self.since = _moment(translate("SpanFields", "From"))
        self.until = _moment(translate("SpanFields", "To"))
        form.addRow(translate("SpanFields", "&Time"), self.choice)
        form.addRow(translate("SpanFields", "F&rom"), self.since)
        form.addRow(translate("SpanFields", "To"), self.until)
        self.choice.currentIndexChanged.connect(self._fit)
        time_range.changed.connect(self._fit)
        self._fit()

    def times(self) -> tuple[int, int]:
        """Begin and end, µs UTC; 0: open."""
        kind = self.choice.currentData()
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
        last = translate("SpanFields", "The last {span}").replace("{span}", span_text(now.span_us))
        self.choice.setItemText(SHOWN, last if now.live else translate("SpanFields", "As shown"))
        own = self.choice.currentData() == OWN
        if not own:  # the fields begin with what is shown
            for edit, at_us in ((self.since, now.since_us), (self.until, now.until_us)):
                edit.setDateTime(QDateTime.fromMSecsSinceEpoch(at_us // 1_000))
        for edit in (self.since, self.until):
            self._form.setRowVisible(edit, own)


def _moment(name: str) -> QDateTimeEdit:
    edit = QDateTimeEdit()
    edit.setDisplayFormat("yyyy-MM-dd HH:mm:ss")
    edit.setCalendarPopup(True)
    edit.setAccessibleName(name)
    return edit
