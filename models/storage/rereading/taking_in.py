"""What a capture that was read again tells the shadow catalogue: as a recorder or an import tells the real one."""

from collections.abc import Sequence

from models.storage.names_table import storable
from models.storage.rereading.names_anew import NamesAnew
from models.storage.rereading.segment_anew import PartAnew
from models.storage.rereading.shadow import Shadow
from models.storage.segments.schema import SEALED_LAYOUT
from models.storage.transaction import transaction
from models.storage.writing.batch_rows import series_row
from models.storage.writing.headlines import Headlines
from models.storage.writing.import_intake import joined, newer
from models.storage.writing.intake import Intake
from models.storage.writing.remembered import put_remembered
from models.storage.writing.segment_rows import insert_segment
from models.storage.writing.take_in import Rows, put_gaps, put_heard, put_names, put_present
from models.storage.writing.topic_totals import add_topics

_FINISHED = """UPDATE segment SET state = 'closed', first_us = ?, last_us = ?, messages = ?, samples = ?, logs = ?, tasks = ?,
    duplicates = ?, dropped = ?, unreadable = ?, taken_batch = ?, bytes = ?, unsealed_bytes = ? WHERE id = ?"""


class TakingIn:
    """One thread. Raises the engine's errors."""

    def __init__(self, shadow: Shadow, names: NamesAnew) -> None:
        self._shadow, self._names = shadow, names
        self._headlines = Headlines()  # what stands for each agent

    def capture(self, id_: int, parts: Sequence[PartAnew], own: Headlines, since_us: int, *, imported: bool) -> None:
        """All segments of a capture, or as many as are read again. `own`: what stands for its agents; `since_us`: when it was
        made, for agents that are only named in it."""
        catalogue, names, found = self._shadow.connection, self._names, _joined(parts)
        agents = sorted({agent for part in parts for agent in part.names.agents})
        series = sorted({one for part in parts for one in part.names.series})
        rows = Rows(
            [], [(one, storable(names.agents[one])) for one in agents], [series_row(names, one) for one in series]
        )
        self._headlines.saw_agents(agents)
        changed = {self._headlines.consider(one, names.series[one], imported=imported) for one in series} - {0}
        present = newer(catalogue, own, found, 0) if found is not None and imported else found
        with transaction(catalogue):
            for part in parts:
                insert_segment(self._shadow.database, part.id, id_, SEALED_LAYOUT, since_us)
                totals = part.totals
                catalogue.execute(
                    _FINISHED,
                    (totals.first_us, totals.last_us, totals.messages, totals.samples, totals.logs, totals.tasks,
                     totals.duplicates, totals.dropped, totals.unreadable, totals.last_batch, part.bytes,
                     part.unsealed_bytes, part.id),
                )  # fmt: skip
                put_gaps(catalogue, part.id, part.gaps)
            if found is None or present is None:
                return
            put_names(
                catalogue,
                self._headlines,
                rows,
                changed,
                found.first_us if imported else since_us,
                imported=imported,
            )
            put_heard(catalogue, found)
            put_present(catalogue, own, present, imported=imported)
            put_remembered(catalogue, found.remembered, imported=imported)
            add_topics(catalogue, found.topics)


def _joined(parts: Sequence[PartAnew]) -> Intake | None:
    found: Intake | None = None
    for part in parts:
        if part.intake is not None:
            found = part.intake if found is None else joined(found, part.intake)
    return found
