"""What a log record tells beside its text, as a table of names and values: its times, who wrote it, its attributes."""

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from models.domain.log_json import attributes_of, flat
from models.domain.quantity import format_time
from models.domain.queries import LogLine
from widgets.common.pairs_item_model import PairsModel
from widgets.common.theme import ThemeHolder
from widgets.common.words import level_word

_VALUE_LIMIT = 2_000
_MOST = 2_000
"""Values of one record that are listed; the JSON has all."""

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class RecordFields(PairsModel):
    def __init__(self, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        titles = (translate("RecordFields", "Field"), translate("RecordFields", "Value"))
        super().__init__(theme, titles, parent, _VALUE_LIMIT)

    def show_record(self, line: LogLine, agent: str) -> None:
        """List this record's. `agent`: how the window calls who wrote it."""
        ours = [
            (translate("RecordFields", "Time"), format_time(line.time_us, digits=6)),
            (translate("RecordFields", "Received"), format_time(line.key.received_us, digits=6)),
            (translate("RecordFields", "Level"), level_word(line.level)),
            (translate("RecordFields", "Agent"), agent),
            (translate("RecordFields", "Logger"), line.logger),
            (translate("RecordFields", "Error"), line.error),
        ]
        attributes = flat(attributes_of(line)) if line.attributes else []
        self.show_pairs(ours, attributes[:_MOST])
