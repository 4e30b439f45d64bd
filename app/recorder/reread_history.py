"""Reads stored messages again, as a recorder or an import that has the present rules would have: in a process of its own, or
in that of the command where no recorder runs. What comes of it stands in the shadow; nothing is published, nobody is told."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence

from app.recorder.reread_presence import ImportedPresence, PastPresence, RecordedPresence
from models.domain.clock import Clock
from models.domain.messages import RawMessage
from models.domain.names import Names
from models.domain.recorded import RereadProgress
from models.domain.records import Gap
from models.domain.rules import Rules
from models.storage.keeping.pins import pinned
from models.storage.rereading.captures import Capture, present, wanted
from models.storage.rereading.segment_anew import PartAnew, SegmentAnew, refuse_without_room
from models.storage.rereading.shadow import Shadow
from models.storage.rereading.stored import StoredBatch, StoredSegment
from models.storage.rereading.taking_in import TakingIn
from models.storage.segments.open_segment import DAMAGE_ALONE
from models.storage.store_errors import problems_of
from models.storage.workspace import Workspace
from models.storage.writing.headlines import Headlines
from models.storage.writing.known_before import declared_intervals, gone
from models.storage.writing.pulses import Pulses
from models.storage.writing.remembered import read_remembered
from mqtt.reading.foretelling import Foretelling
from mqtt.reading.reader import Reader

_LOG = logging.getLogger(__name__)
OnProgress = Callable[[RereadProgress], None]


class RereadHistory:
    """One use, one thread."""

    def __init__(
        self, workspace: Workspace, segments: Sequence[int], prefix: str, rules: Rules, clock: Clock, on_progress: OnProgress
    ) -> None:  # fmt: skip
        """`segments`: closed ones. What `on_progress` raises ends the work."""
        self._workspace, self._segments = workspace, segments
        self._prefix, self._rules, self._clock = prefix, rules, clock
        self._on_progress = on_progress
        self._done = self._total = 0
        self.left: list[int] = []
        """Segments that cannot be read whole, and stay as they are."""

    def run(self) -> None:
        """Make the shadow. Raises `EnvironmentProblem` store.*, sealing.damaged, reread.no-room; then there is none that counts."""
        with problems_of(self._workspace.rereading):
            self._shadow, self._names = Shadow.make(self._workspace, self._clock)
            try:
                with pinned(self._workspace, lambda: self._segments):
                    self._read()
                self._shadow.settle()
            finally:
                self._shadow.close()

    def _read(self) -> None:
        found = wanted(self._workspace, self._segments)
        self._total = found.messages
        taking_in, before = TakingIn(self._shadow, self._names), found.remembered
        for place, capture in enumerate(found.captures):
            for id_ in capture.earlier:
                before += self._remembered_in(id_)
            if capture.segments:
                self._read_capture(capture, taking_in, before, found.captures[place + 1 :])

    def _read_capture(
        self, capture: Capture, taking_in: TakingIn, before: Sequence[RawMessage], following: Sequence[Capture]
    ) -> None:
        reader = self._reader(self._names)
        recalled = {message.topic: message for message in (*before, *read_remembered(self._shadow.connection))}
        known = {topic: one for topic, one in recalled.items() if one.payload}
        reader.recall(sorted(known.values(), key=lambda one: one.received_us))
        intervals = reader.foretell(self._foretold(capture, following).told(known))
        headlines, pulses, presence = Headlines(), Pulses(), self._presence_of(capture, intervals)
        parts = [self._read_segment(id_, reader, presence, headlines, pulses) for id_ in capture.segments]
        whole = [part for part in parts if part is not None]
        taking_in.capture(capture.id, whole, headlines, capture.started_us, imported=capture.imported)

    def _foretold(self, capture: Capture, following: Sequence[Capture]) -> Foretelling:
        """What is declared later on: in the capture itself, and where it was recorded, also in those that followed."""
        foretelling = Foretelling(self._reader(Names()))
        same = (
            () if capture.imported else (one for one in following if one.broker == capture.broker and not one.imported)
        )
        for one in (capture, *same):
            for id_ in (*(one.earlier if one is not capture else ()), *one.segments, *one.later):
                with contextlib.suppress(*DAMAGE_ALONE), StoredSegment.opened(self._workspace, id_) as stored:
                    for message in stored.on_topics(foretelling.speaks_on):
                        foretelling.hear(message)
        return foretelling

    def _reader(self, names: Names) -> Reader:
        return Reader(names, self._prefix, self._clock, self._rules)

    def _remembered_in(self, id_: int) -> list[RawMessage]:
        try:
            with StoredSegment.opened(self._workspace, id_) as stored:
                return stored.remembered()
        except DAMAGE_ALONE:
            return []

    def _presence_of(self, capture: Capture, foretold: Mapping[int, int]) -> PastPresence:
        """`foretold`: intervals."""
        if capture.traffic:
            return ImportedPresence(foretold)
        gaps: list[Gap] = []
        for id_ in capture.segments:
            try:
                with StoredSegment.opened(self._workspace, id_) as stored:
                    gaps += [gap for some in stored.gaps().values() for gap in some]
            except DAMAGE_ALONE:
                continue  # told when it is read
        if capture.imported:
            return RecordedPresence(0, gaps, (), {}, {}, foretold)
        catalogue = self._shadow.connection
        known = (declared_intervals(catalogue), gone(catalogue), foretold)
        return RecordedPresence(capture.started_us, gaps, present(self._shadow), *known)

    def _read_segment(
        self, id_: int, reader: Reader, presence: PastPresence, headlines: Headlines, pulses: Pulses
    ) -> PartAnew | None:
        """None where it cannot be read whole."""
        before = self._done
        try:
            with StoredSegment.opened(self._workspace, id_) as stored:
                meta = stored.meta()
                refuse_without_room(self._workspace, id_, meta)
                anew = SegmentAnew(id_, self._shadow.workspace, meta, self._names, headlines, pulses)
                try:
                    for one, is_last in _with_last(stored.batches()):
                        batch = reader.read(one.messages)
                        batch.duplicates, batch.dropped = one.duplicates, one.dropped
                        batch.gaps = [*(self._named(gap, stored) for gap in one.gaps), *batch.gaps]
                        presence.follow(batch, one.committed_us)
                        if is_last and "parted" in meta:
                            presence.end(batch, one.committed_us)
                        anew.write(one, batch)
                        self._done += len(one.messages)
                        self._on_progress(RereadProgress(self._done, self._total))
                    part = anew.end()
                except BaseException:
                    anew.discard()
                    raise
                self._shadow.add_heard(stored.heard())
                return part
        except DAMAGE_ALONE as error:
            _LOG.warning("segment %d cannot be read whole, and stays as it is: %s", id_, error)
            self.left.append(id_)
            self._done = before
            return None

    def _named(self, gap: Gap, stored: StoredSegment) -> Gap:
        return gap._replace(agent=self._names.agent(stored.agent(gap.agent))) if gap.agent else gap


def _with_last(batches: Iterator[StoredBatch]) -> Iterator[tuple[StoredBatch, bool]]:
    """Each with whether it is the last."""
    before: StoredBatch | None = None
    for batch in batches:
        if before is not None:
            yield before, False
        before = batch
    if before is not None:
        yield before, True
