"""Presence once more, from history: on the clock of what is read, with the comings and goings of the link as they are stored."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from models.domain.batch import RecordBatch
from models.domain.clock import Instant
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import Gap, GapCause, PresenceChange
from mqtt.recorded_files import STEP_US

_THERE = (Presence.ONLINE, Presence.LATE)
_START_US = 1_000_000


class PastPresence(Protocol):
    """Adds to a batch what it changes in presence."""

    def follow(self, batch: RecordBatch, committed_us: int) -> None: ...

    def end(self, batch: RecordBatch, committed_us: int) -> None:
        """Nobody looked any more after this batch."""
        ...


class ImportedPresence:
    """Of an import of recorded traffic: the recording's clock counts, and begins anew where its time does."""

    def __init__(self, intervals: Mapping[int, int]) -> None:
        """`intervals`: those that agents declare later on."""
        self._keeper = PresenceKeeper()
        self._keeper.foretell(intervals)
        self._last_us = 0

    def follow(self, batch: RecordBatch, _committed_us: int) -> None:
        if not batch.messages:
            return
        if batch.messages[0].received_us < self._last_us - STEP_US:
            self._keeper = PresenceKeeper()
        self._last_us = batch.messages[-1].received_us
        end = Instant(self._last_us, self._last_us)
        batch.presence += self._keeper.observe(batch, end)
        batch.presence += self._keeper.tick(end)

    def end(self, _batch: RecordBatch, _committed_us: int) -> None:
        """How an import ended stands."""


class RecordedPresence:
    """Of what a recorder heard: silence speaks where it committed something."""

    def __init__(
        self, started_us: int, gaps: Iterable[Gap], there: Iterable[int], intervals: Mapping[int, int],
        gone: Mapping[int, tuple[Presence, Cause]], foretold: Mapping[int, int],
    ) -> None:  # fmt: skip
        """`gaps`: of the capture, as the recorder noticed them. `there`: who was present when the recording before ended;
        `intervals` and `gone` as for `PresenceKeeper.load`, `foretold` as for `PresenceKeeper.foretell`."""
        self._keeper = PresenceKeeper()
        self._keeper.load(intervals, gone)
        self._keeper.foretell(foretold)
        gaps = list(gaps)
        absent = [gap.since_us for gap in gaps if gap.cause is GapCause.NOT_RECORDING]
        self._begin = [
            PresenceChange(absent[0] if absent else started_us, agent, Presence.UNKNOWN, Condition.OK, Cause.NOT_RECORDING)
            for agent in there
        ]  # fmt: skip
        links = sorted((gap.since_us, gap.until_us) for gap in gaps if gap.cause is GapCause.NOT_CONNECTED)
        self._link: list[tuple[int, bool]] = [
            (at, up) for pair in links for at, up in zip(pair, (False, True), strict=True)
        ]
        if links and links[0][0] <= started_us + _START_US:
            del self._link[0]  # it was not up before
        else:
            self._link.insert(0, (started_us, True))
        self._offset_us = self._last_us = 0
        self._there: dict[int, PresenceChange] = {}

    def follow(self, batch: RecordBatch, committed_us: int) -> None:
        batch.presence += self._begin
        self._begin = []
        arrived_us = batch.messages[-1].received_us if batch.messages else committed_us
        while self._link and self._link[0][0] <= max(arrived_us, 0):
            at_us, up = self._link.pop(0)
            at = self._instant(at_us)
            batch.presence += self._keeper.link_up(at) if up else self._keeper.link_down(at)
        at = self._instant(committed_us)
        batch.presence += self._keeper.observe(batch, at)
        batch.presence += self._keeper.tick(at)
        self._there.update((change.agent, change) for change in batch.presence)

    def end(self, batch: RecordBatch, committed_us: int) -> None:
        batch.presence += [
            PresenceChange(committed_us, change.agent, Presence.UNKNOWN, Condition.OK, Cause.NOT_RECORDING)
            for change in self._there.values()
            if change.presence in _THERE
        ]

    def _instant(self, wall_us: int) -> Instant:
        """The monotonic clock goes on where the wall clock was set back."""
        if wall_us < self._last_us:
            self._offset_us += self._last_us - wall_us
        self._last_us = wall_us
        return Instant(wall_us, wall_us + self._offset_us)
