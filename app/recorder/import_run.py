"""Recorded traffic into a workspace: files are read by one thread, stored by the one that writes. Live traffic goes on."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from app.recorder.ports import Importing, ImportStore
from models.domain.batch import RecordBatch
from models.domain.clock import Clock, Instant
from models.domain.masking import Masking
from models.domain.messages import RawMessage
from models.domain.names import Names
from models.domain.presence import PresenceKeeper
from models.domain.problems import EnvironmentProblem, trouble
from models.domain.recorded import ImportedFile, ImportProgress, ImportResult, OnProgress
from models.domain.rules import Rules
from mqtt.reading.foretelling import Foretelling
from mqtt.reading.reader import RECALLED_AT_ONCE, Reader
from mqtt.recorded_files import RecordedTraffic, Slice, survey

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)


class HandOver(Protocol):
    """Has something done by the thread that writes, and waits for it; calls `meanwhile` several times a second."""

    def __call__(self, job: Callable[[], _T], meanwhile: Callable[[], None], /) -> _T: ...


class Importer:
    """Reads files in the thread of the caller. Any thread, several at a time: the store admits one."""

    def __init__(
        self, store: ImportStore, hand_over: HandOver, clock: Clock, masking: Masking, rules: Callable[[], Rules]
    ) -> None:  # fmt: skip
        """`masking`: what is hidden of the messages before they are stored. `rules`: the user's, at present."""
        self._store = store
        self._hand_over = hand_over
        self._clock = clock
        self._masking, self._rules = masking, rules

    def run(
        self,
        paths: Sequence[Path],
        prefix: str,
        on_progress: OnProgress,
        *,
        again: bool = False,
        make_room: bool = False,
    ) -> ImportResult:
        """Import all of the files as one capture, or nothing: what `on_progress` raises takes everything back. It is called
        after each slice. `prefix` is where our own contract's topics begin; `again`: also what is held already; `make_room`: older
        imports may go for it.

        Raises `EnvironmentProblem` import.*, file.unusable, store.*.
        """
        files = survey(paths)
        told = [file.told for file in files]
        traffic = RecordedTraffic(files)
        messages = 0

        def tell() -> None:
            on_progress(ImportProgress(traffic.bytes_done, traffic.bytes_total, messages, traffic.skipped))

        rules = self._rules()
        foretelling = Foretelling(Reader(Names(), prefix, self._clock, rules))

        def begin() -> ImportRun:
            remembered = self._store.remembered()
            foretold = foretelling.told({one.topic for one in remembered})
            writer = self._store.begin_import(told, again=again, make_room=make_room)
            return ImportRun(writer, self._store.names, prefix, self._clock, self._masking, rules, remembered, foretold)

        for some in RecordedTraffic(files).picked(foretelling.speaks_on):
            for one in self._masking.applied(some).messages:
                foretelling.hear(one)
            tell()
        run = self._hand_over(begin, nobody)  # else nobody could cancel what begins once we gave up
        _LOG.info("importing %s", ", ".join(one.path for one in told))
        try:
            while run.to_recall or run.to_foretell:
                self._hand_over(run.recall, tell)
            for slice_ in traffic.slices():
                for step in (partial(run.read, slice_), run.store, run.sum_up) if slice_.messages else ():
                    self._hand_over(step, tell)
                messages += len(slice_.messages)
                tell()
            result = self._hand_over(partial(run.finish, told), nobody)
        except BaseException as error:
            try:
                self._hand_over(run.cancel, nobody)
            except EnvironmentProblem as left:
                _LOG.warning("the next start of the program removes what was imported so far: %s", left)
            _LOG.info("the import was taken back after %d messages", messages)
            if isinstance(error, EnvironmentProblem) and error.problem.code == "store.full":
                raise trouble("import.disk-full", **error.problem.params) from error
            raise
        _LOG.info("imported %d messages", messages)
        return replace(result, skipped=traffic.skipped, first_skipped=traffic.first_skipped)


class ImportRun:
    """One import on the thread that writes. Reading and presence are its own, so that nothing mixes with what is live: the
    clock of presence is the recording's, and stands still where that ends."""

    def __init__(
        self, writer: Importing, names: Names, prefix: str, clock: Clock, masking: Masking, rules: Rules,
        remembered: Sequence[RawMessage] = (), foretold: Sequence[RawMessage] = (),
    ) -> None:  # fmt: skip
        """`remembered`: what was declared in recordings before, of which this one may be the continuation. `foretold`: what
        this one declares, perhaps after the values that it speaks of."""
        self.to_recall, self.to_foretell = remembered, foretold
        self._writer = writer
        self._names = names
        self._reader = Reader(names, prefix, clock, rules)
        self._masking = masking
        self._keeper = PresenceKeeper()
        self._batch = RecordBatch()
        self._agents: set[int] = set()
        self._messages = self._samples = self._logs = self._tasks = 0
        self._unreadable: Counter[str] = Counter()
        self._since_us, self._until_us = 1 << 62, 0

    def recall(self) -> None:
        """As often as something is left `to_recall` or `to_foretell`, before the first slice."""
        if self.to_recall:
            some, self.to_recall = self.to_recall[:RECALLED_AT_ONCE], self.to_recall[RECALLED_AT_ONCE:]
            self._reader.recall(some)
        else:
            some, self.to_foretell = self.to_foretell[:RECALLED_AT_ONCE], self.to_foretell[RECALLED_AT_ONCE:]
            self._keeper.foretell(self._reader.foretell(some))

    def read(self, slice_: Slice) -> None:
        """The first of three steps, each some tens of milliseconds, so that live traffic need not wait for long."""
        if slice_.steps_back:
            self._writer.end_segment()
            self._keeper = PresenceKeeper()
        self._batch = self._reader.read(self._masking.applied(slice_.messages).messages)

    def store(self) -> None:
        """The second step. Raises what the store raises."""
        batch, messages = self._batch, self._batch.messages
        end = Instant(messages[-1].received_us, messages[-1].received_us)
        batch.presence += self._keeper.observe(batch, end)
        batch.presence += self._keeper.tick(end)
        self._writer.commit(batch)
        self._count(batch, messages)

    def sum_up(self) -> None:
        """The third step."""
        self._writer.sum_up()

    def finish(self, files: Sequence[ImportedFile]) -> ImportResult:
        """Let everybody see it."""
        self._writer.finish(files)
        return ImportResult(
            messages=self._messages,
            agents=len(self._agents - {0}),
            samples=self._samples,
            logs=self._logs,
            tasks=self._tasks,
            unreadable=dict(self._unreadable),
            since_us=min(self._since_us, self._until_us),
            until_us=self._until_us,
        )

    def cancel(self) -> None:
        """Take everything back."""
        self._writer.cancel()

    def _count(self, batch: RecordBatch, messages: Sequence[RawMessage]) -> None:
        self._messages += len(messages)
        self._samples += len(batch.sample_series)
        self._logs += len(batch.logs)
        self._tasks += len(batch.tasks)
        self._agents.update(batch.agent)
        self._unreadable.update(one.reason for one in batch.unreadable)
        self._since_us = min(self._since_us, messages[0].received_us)
        self._until_us = max(self._until_us, messages[-1].received_us)


def at_once(job: Callable[[], _T], meanwhile: Callable[[], None]) -> _T:
    """`HandOver` where the thread that reads is the one that writes."""
    meanwhile()
    return job()


def nobody() -> None:
    """Nobody is told, so nobody can stop it: a step that is short and has to be done whole."""
