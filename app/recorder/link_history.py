"""What our own link, and silence, do to presence and to what history covers: kept for the next commit."""

from app.recorder.gaps import LinkGaps
from app.recorder.log_file import Faults
from app.recorder.ports import Keeper
from models.domain.batch import RecordBatch
from models.domain.clock import Instant
from models.domain.records import Gap, PresenceChange


class LinkHistory:
    """Ingest thread only."""

    def __init__(self, keeper: Keeper, started: Instant, faults: Faults) -> None:
        self._keeper, self._faults = keeper, faults
        self._link_gaps = LinkGaps(started)
        self._presence: list[PresenceChange] = []
        self._gaps: list[Gap] = []

    def up(self, at: Instant, *, session_lost: bool) -> None:
        """Connected."""
        self._presence += self._keeper.link_up(at)
        self._gaps += self._link_gaps.up(at, session_lost=session_lost)

    def down(self, at: Instant) -> None:
        """No longer connected."""
        self._presence += self._keeper.link_down(at)
        self._link_gaps.down(at)

    def close(self, at: Instant) -> None:
        """We end: a gap that is open is one up to now."""
        self._gaps += self._link_gaps.closing(at)

    def add_to(self, batch: RecordBatch, at: Instant) -> None:
        """All since the last commit, and what the batch itself says of presence."""
        batch.presence += self._presence
        try:
            batch.presence += self._keeper.observe(batch, at)
            batch.presence += self._keeper.tick(at)
        except Exception:  # noqa: BLE001 - what cannot be stored would come again with every start; it is logged and counted
            self._faults.note("presence could not be followed; the messages are stored all the same")
        batch.gaps += self._gaps
        self._presence, self._gaps = [], []
