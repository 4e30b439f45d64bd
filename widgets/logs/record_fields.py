"""What a log record tells beside its text, as a table of names and values: its times, who wrote it, its attributes."""

import re
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from models.domain.log_json import attributes_of, flat
from models.domain.quantity import format_time
from models.domain.queries import LogLine
from models.domain.search.patterns import beginning
from models.domain.search.terms import Comparison, FieldIs, LevelIs, Place, Term, attribute
from widgets.common.pairs_item_model import PairsModel
from widgets.common.theme import ThemeHolder
from widgets.common.words import level_word

_PLACE = re.compile(r"\[\d+\]")
_VALUE_LIMIT = 2_000
_MOST = 2_000
"""Values of one record that are listed; the JSON has all."""

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class RecordFields(PairsModel):
    """`terms`: by row, the condition that all records meet with the same there; None: there is none to look for."""

    terms: Sequence[Term | None] = ()

    def __init__(self, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        titles = (translate("RecordFields", "Field"), translate("RecordFields", "Value"))
        super().__init__(theme, titles, parent, _VALUE_LIMIT)

    def show_record(self, line: LogLine, agent: str, agent_id: str) -> None:
        """List this record's. `agent`: how the window calls who wrote it, `agent_id` how exports do."""
        level = LevelIs(Comparison.IS, line.level)
        ours: list[tuple[str, str, Term | None]] = [
            (translate("RecordFields", "Time"), format_time(line.time_us, digits=6), None),
            (translate("RecordFields", "Received"), format_time(line.key.received_us, digits=6), None),
            (translate("RecordFields", "Level"), level_word(line.level), level),
            (translate("RecordFields", "Agent"), agent, FieldIs(Place.AGENT, (agent_id,))),
            (translate("RecordFields", "Logger"), line.logger, FieldIs(Place.LOGGER, beginning(line.logger))),
            (translate("RecordFields", "Error"), line.error, FieldIs(Place.ERROR, beginning(line.error))),
        ]
        attributes = flat(attributes_of(line))[:_MOST] if line.attributes else []
        self.terms = [term for _, value, term in ours if value]
        self.terms += [
            FieldIs(_field_of(path), beginning(value)) if path and value else None for path, value in attributes
        ]
        self.show_pairs([(name, value) for name, value, _ in ours], attributes)


def _field_of(path: str) -> str:
    """How a query names what stands there; a list is asked for as a whole."""
    return attribute(_PLACE.sub("", path))
