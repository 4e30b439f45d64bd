"""What history misses, as the recorder itself notices it: our own link, our own limit, the broker's counter."""

from collections.abc import Sequence

from models.domain.batch import RecordBatch
from models.domain.clock import Instant
from models.domain.messages import Origin
from models.domain.records import Gap, GapCause

DROPPED_TOPIC = b"$SYS/broker/publish/messages/dropped"
MOST_DROPPED = 1 << 48
"""More than any broker ever counted: whoever tells more does not count, and the store takes no number of any size."""
_NEVER_CAME = frozenset({GapCause.SEQUENCE, GapCause.BROKER_DROPPED})
START_GRACE_US = 1_000_000
"""Connecting within this time of the start is no gap worth a mark."""


class LinkGaps:
    """Turns comings and goings of the link into gaps. Ingest thread only."""

    def __init__(self, started: Instant) -> None:
        self._down_since: Instant | None = started
        self._was_connected = False

    def up(self, at: Instant, *, session_lost: bool) -> list[Gap]:
        """Connected. With the session, what the broker kept for us meanwhile is lost."""
        gaps = self.closing(at)
        if session_lost and self._down_since is not None:
            gaps.append(Gap(self._down_since.wall_us, _end_us(self._down_since, at), 0, GapCause.SESSION_LOST, 0))
        self._down_since, self._was_connected = None, True
        return gaps

    def down(self, at: Instant) -> None:
        """No longer connected."""
        if self._down_since is None:
            self._down_since = at

    def closing(self, at: Instant) -> list[Gap]:
        """The gap that is open at this moment, as if it ended now."""
        since = self._down_since
        if since is None or (not self._was_connected and at.monotonic_us - since.monotonic_us < START_GRACE_US):
            return []
        return [Gap(since.wall_us, _end_us(since, at), 0, GapCause.NOT_CONNECTED, 0)]


class DropWatch:
    """Follows two counters of lost messages: our inbox's and the broker's own. Ingest thread only."""

    def __init__(self, started_us: int) -> None:
        self._ours = 0
        self._ours_us = started_us
        self._brokers: int | None = None
        self._brokers_us = started_us

    def ours(self, dropped: int, now_us: int) -> tuple[int, list[Gap]]:
        """`dropped`: all that the inbox dropped since it was made. Answers what is new, and the gap it makes."""
        new, since_us = dropped - self._ours, self._ours_us
        self._ours, self._ours_us = dropped, now_us
        return new, [Gap(min(since_us, now_us), now_us, 0, GapCause.DROPPED, new)] if new > 0 else []

    def forget_broker(self) -> None:
        """It had forgotten our session, so it may be another one: compare from its next figure on. A broker that kept our
        session also counted what it threw away while we were gone."""
        self._brokers = None

    def brokers(self, batch: RecordBatch, dropped_topic: int) -> list[Gap]:
        """`dropped_topic`: id of `DROPPED_TOPIC`. A broker tells how many messages it dropped, over all its clients, and only
        where that changed. What it kept for us may be older than what we know, so there only a higher count is news."""
        if dropped_topic not in batch.topic:
            return []
        gaps: list[Gap] = []
        for topic, message in zip(batch.topic, batch.messages, strict=True):
            if topic != dropped_topic:
                continue
            try:
                count = int(message.payload)
            except ValueError:
                continue  # stored as it is; no figure to compare
            if not 0 <= count < MOST_DROPPED:
                continue
            before = count if self._brokers is None else self._brokers
            if message.origin is Origin.BACKLOG and count < before:
                continue
            new = count - before if count >= before else count  # it started anew, and counts from nothing
            if new:
                since_us = min(self._brokers_us, message.received_us)
                gaps.append(Gap(since_us, message.received_us, 0, GapCause.BROKER_DROPPED, new))
            self._brokers, self._brokers_us = count, message.received_us
        return gaps


class MissingCount:
    """How many messages never reached us, as far as anybody counted them, and how often our session was lost with others."""

    def __init__(self) -> None:
        self.messages = self.sessions = 0

    def add(self, gaps: Sequence[Gap]) -> None:
        """These were stored."""
        for gap in gaps:
            if gap.cause in _NEVER_CAME:
                self.messages += gap.missing
            self.sessions += gap.cause is GapCause.SESSION_LOST


def _end_us(since: Instant, at: Instant) -> int:
    """Wall time of the end; the wall clock may have been set back meanwhile."""
    return max(at.wall_us, since.wall_us)


def worth_storing(batch: RecordBatch) -> bool:
    """Does the batch hold anything at all?"""
    lists: Sequence[Sequence[object]] = (batch.messages, batch.presence, batch.gaps)
    return any(lists) or bool(batch.duplicates or batch.dropped)
