"""The one thread that stores: takes messages, reads them, commits, acknowledges. Everything that writes passes here."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import NamedTuple, TypeVar

from app.recorder.batch_reading import BatchReading
from app.recorder.broker_watch import BrokerWatch
from app.recorder.crowd_watch import CrowdWatch
from app.recorder.gaps import DropWatch, worth_storing
from app.recorder.jobs import Jobs
from app.recorder.link_history import LinkHistory
from app.recorder.log_file import Faults
from app.recorder.ports import Committed, Feed, Keeper, Store
from app.recorder.redelivery import Redelivery
from app.recorder.store_troubles import StoreTroubles
from app.recorder.tally import Tally
from models.domain.arrivals import Arrival, Source
from models.domain.batch import RecordBatch
from models.domain.clock import Clock, Instant
from models.domain.control import BrokerFigures, Counters
from models.domain.messages import RawMessage
from models.domain.problems import EnvironmentProblem, Problem, trouble
from models.domain.rules import Rules
from models.storage.keeping.retention import StoreLimits
from mqtt.left_over import portions
from mqtt.reading.reader import RECALLED_AT_ONCE

HOUSEKEEP_US, BRIEFLY_US = 250_000, 50_000
IDLE_S = 0.05
LOOK_S = 0.1
DISK_LIMIT_US = 30_000_000
"""A disk may take that long for one write without anything being stuck."""
FIGURES_US = 1_000_000
_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)


class _Event(NamedTuple):
    """Something that happened elsewhere and is worked off in order here."""

    carry_out: Callable[[], None]
    changes_feed: bool = False


class Ingest:
    """Start `thread`; after `finish()` it stores what has arrived, closes the store and ends."""

    def __init__(self, store: Store, keeper: Keeper, clock: Clock, faults: Faults, beat: Callable[[], None]) -> None:
        self._store = store
        self.on_stored: Callable[[RecordBatch], None] = _nobody_asks  # after each commit, on this thread
        self._clock = clock
        self._faults = faults
        self._beat = beat
        self._feed: Feed | None = None
        self._events: deque[_Event] = deque()
        self._limits: deque[StoreLimits] = deque(maxlen=1)  # to be kept from now on
        self._jobs = Jobs(clock)
        self._awake = threading.Event()  # there is a job, while no feed could be poked
        self._received_before = 0  # the turn before
        self._finishing = threading.Event()
        self._has_capture = False
        now = Instant.now(clock)
        self._redelivery = Redelivery(store.before.unacknowledged)
        self._link = LinkHistory(keeper, now, faults)
        self._drops = DropWatch(now.wall_us)
        self._reading = BatchReading(store.names, faults)
        self._crowd = CrowdWatch(store.names.crowd, clock)
        self._tally = Tally(clock)
        self._figures_us = self._housekept_us = now.monotonic_us
        self._troubles = StoreTroubles(clock)
        self.store_bytes = store.store_bytes
        self.disk_days: float | None = None
        self._given_up = False  # something could not be stored before we had to end
        self._rules = Rules()
        self._rule_problems: tuple[Problem, ...] = ()
        self.closed = False  # everything is stored and the store is closed
        self.thread = threading.Thread(target=self._run, name="ingest", daemon=True)

    # ------------------------------------------------------------ any thread

    def use(self, feed: Feed) -> None:
        """Connect to another broker and store what comes from it, as a capture of its own. What the feed before still
        holds is stored first."""
        self._events.append(_Event(lambda: self._begin(feed), changes_feed=True))

    def leave(self) -> None:
        """No broker any more: store what is there, end the session."""
        self._events.append(_Event(self._leave, changes_feed=True))

    def link_up(self, at: Instant, *, session_lost: bool) -> None:
        """The session connected. `session_lost`: the broker had forgotten it, with what it kept for us."""
        self._events.append(_Event(lambda: self._linked(at, session_lost=session_lost)))

    def link_down(self, at: Instant) -> None:
        """The session is not connected any more."""
        self._events.append(_Event(lambda: self._link.down(at)))

    def keep_within(self, limits: StoreLimits) -> None:
        """How much the store keeps from now on. The last word counts."""
        self._limits.append(limits)

    def use_rules(self, rules: Rules, problems: Sequence[Problem]) -> None:
        """What the user says of messages, from now on; `problems`: what makes no sense of it."""
        self._rule_problems = tuple(problems)
        self._events.append(_Event(lambda: self._take_rules(rules)))

    def submit(self, commands: list[dict[str, object]], limit_s: float) -> None:
        """Returns when the commands are stored. Raises what the store raises, `TimeoutError` after `limit_s`."""
        self.ask(lambda: self._store.submit(commands)).result(limit_s)

    def carry_out(self, job: Callable[[], _T], meanwhile: Callable[[], None]) -> _T:
        """Have something done on this thread, between two batches, and wait for it. `meanwhile` is called several times a
        second; what it raises ends the wait, not the job. Raises what `job` raises, and recorder.died where the thread ended."""
        done = self.ask(job)
        while not wait([done], LOOK_S).done:
            if not self.thread.is_alive() and not done.done():
                raise trouble("recorder.died", detail="it ended meanwhile")
            meanwhile()
        return done.result()

    def ask(self, job: Callable[[], _T]) -> Future[_T]:
        """Have something done on this thread, between two batches. What it raises, the future raises."""
        done = self._jobs.ask(job)
        self._wake()
        return done

    def finish(self) -> None:
        """Store what has arrived, acknowledge it, close the store, end."""
        self._finishing.set()
        self._wake()

    @property
    def problem(self) -> Problem | None:
        """Why nothing can be stored at present."""
        return self._troubles.problem

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What the store mended by itself, what is too much for it, and what keeps it from its upkeep at present."""
        journal = self._store.journal.problem
        return (
            *self._troubles.warnings(),
            *self._rule_problems,
            *self._crowd.problems(),
            *([journal] if journal is not None else ()),
        )

    @property
    def waits_for_disk(self) -> bool:
        """Does the network thread write to the journal, for no longer than a slow disk may take?"""
        since_us = self._store.journal.busy_since_us
        return since_us is not None and self._clock.monotonic_us() - since_us < DISK_LIMIT_US

    def counters(self) -> Counters:
        """As of the last commit."""
        feed = self._feed
        return self._tally.counters(feed.inbox.counters().lag_us if feed is not None else 0)

    @property
    def broker(self) -> BrokerFigures:
        """As the broker that we are at tells of itself."""
        return self._reading.broker.figures

    def _wake(self) -> None:
        self._awake.set()
        feed = self._feed
        if feed is not None:
            feed.inbox.poke()

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        try:
            while not self._finishing.is_set():
                self._turn()
            self._end()
        finally:
            try:
                self._store.close()
            except EnvironmentProblem as error:  # the next start makes up for it
                _LOG.warning("the store could not be closed well: %s", error)
            self._troubles.note_mended(self._store.problems)
        self.closed = self.problem is None and not self._given_up

    def _turn(self) -> None:
        self._beat()
        self._carry_out_a_job()
        self._carry_out_events()
        if self._feed is None:
            self._take_in([])
            self._awake.wait(IDLE_S)
        else:
            messages = self._feed.inbox.take()
            self._carry_out_events(of_link_only=True)  # what the session told before it gave us these
            self._take_in(messages, self._feed.inbox.taken_to)
        self._housekeep_when_due()

    def _carry_out_events(self, *, of_link_only: bool = False) -> None:
        while self._events and not (of_link_only and self._events[0].changes_feed):
            self._events.popleft().carry_out()

    def _carry_out_a_job(self) -> None:
        self._awake.clear()
        lively = self._tally.received != self._received_before
        self._received_before = self._tally.received
        if self._jobs.carry_out_one(waited_for=lively and self._narrow):
            self._wake()

    def _begin(self, feed: Feed) -> None:
        if self._feed is not None:
            elsewhere = self._feed.broker != feed.broker
            self._drain(self._feed, end_session=elsewhere)
            if elsewhere:
                self._redelivery = Redelivery()
        self._feed = feed
        feed.reader.use_rules(self._rules)
        self._drops, self._reading.broker = DropWatch(self._clock.wall_us()), BrokerWatch()
        if self._bring_back(feed):
            feed.session.start()  # not before: two sessions with one client id throw each other out
        else:
            self._feed = None  # we end

    def _bring_back(self, feed: Feed) -> bool:
        """Begin a capture, and store first what an earlier run acknowledged and did not come to store: where it came from
        another broker, in a capture of its own. False: we had to end before."""
        remembered = self._insist(self._store.remembered)
        if remembered is None:
            return False
        for at in range(0, len(remembered), RECALLED_AT_ONCE):
            self._beat()
            feed.reader.recall(remembered[at : at + RECALLED_AT_ONCE])
        left = self._store.journal.left_over()
        heard_us = left[-1][1][-1].received_us if left else 0
        present = (feed.broker, feed.client_id)
        if not left or left[-1][0][:2] != present:
            left.append((Source(*present, version_5=False), []))
        before = left[0][0].broker
        for source, arrivals in left:
            if source.broker != before:
                before, self._redelivery = source.broker, Redelivery()
            begin = partial(self._store.begin_capture, source.broker, source.client_id, heard_us)
            if self._insist(begin) is None:
                return False
            self._has_capture = True
            for messages, number in portions(source, arrivals, self._note_malformed):
                self._beat()
                self._take_in(messages, number)
                if self._store.journal.stored_to < number:
                    return False
        return True

    def _take_rules(self, rules: Rules) -> None:
        self._rules = rules
        if self._feed is not None:
            self._feed.reader.use_rules(rules)

    def _note_malformed(self, arrival: Arrival) -> None:
        self._faults.note(f"of {len(arrival.packets)} bytes in the journal only what can be read is stored")

    def _leave(self) -> None:
        if self._feed is not None:
            self._drain(self._feed, end_session=True)
            self._feed = None

    def _drain(self, feed: Feed, *, end_session: bool = False) -> None:
        """Hang up and store what is still there. What nobody hears us acknowledge comes again, and then we know it."""
        feed.session.stop()
        feed.inbox.close()
        while messages := feed.inbox.take():
            self._take_in(messages, feed.inbox.taken_to)
        if end_session:  # takes long where the broker is gone
            threading.Thread(target=feed.session.end_session, name="end-session", daemon=True).start()

    def _linked(self, at: Instant, *, session_lost: bool) -> None:
        if session_lost:
            self._drops.forget_broker()
        self._link.up(at, session_lost=session_lost)

    def _take_in(self, messages: Sequence[RawMessage], arrived_to: int = 0) -> None:
        """Store and acknowledge. While the store cannot take them, this waits, and they stay unacknowledged. With them all
        arrivals up to `arrived_to` are stored."""
        feed = self._feed
        if not self._has_capture or (messages and self._given_up):
            return  # there was no broker yet; or what came before these is not stored, and they would say that it is
        self._tally.received += len(messages)
        fresh, again = self._redelivery.split(messages)
        if not self._name_topics(fresh):
            self._given_up = True
            return  # as below
        batch = self._reading.read(feed, self._drops, fresh)
        at = Instant.now(self._clock)
        batch.duplicates += again
        batch.arrived_to = arrived_to if messages else 0
        self._link.add_to(batch, at)
        if feed is not None:
            batch.dropped, gaps = self._drops.ours(feed.inbox.counters().dropped, at.wall_us)
            batch.gaps += gaps
        if worth_storing(batch):
            stored = self._commit(batch)
            if stored is None:
                self._given_up = self._given_up or bool(messages)
                return  # the next start has it from the journal, or from the broker, as it is not acknowledged
            self._count(*stored)
            self._tell(stored[0])
            self._redelivery.stored(stored[0])
        if feed is not None and messages and messages[0].epoch:  # else an earlier run did
            feed.session.acknowledge(messages)

    def _tell(self, batch: RecordBatch) -> None:
        try:
            self.on_stored(batch)
        except Exception:  # noqa: BLE001 - it is stored, and whoever listens finds it there; logged and counted
            self._faults.note("what was stored could not be told to the orchestrator")

    def _name_topics(self, messages: Sequence[RawMessage]) -> bool:
        """False: it failed until we had to end."""
        try:
            return self._reading.name_topics(messages)
        except EnvironmentProblem:
            return bool(self._insist(lambda: self._reading.name_topics(messages)))

    def _commit(self, batch: RecordBatch) -> tuple[RecordBatch, Committed] | None:
        """What was stored, and how. None: it could not be before we had to end."""
        try:
            committed = self._insist(lambda: self._store.commit(batch))
        except Exception:  # noqa: BLE001 - as in reading: raw messages first
            self._faults.note("storing a batch failed; it is tried without what was read from it")
            raw = self._reading.raw(batch.messages)
            raw.duplicates, raw.dropped = batch.duplicates, batch.dropped
            raw.gaps, raw.presence, raw.arrived_to = batch.gaps, batch.presence, batch.arrived_to
            batch = raw
            committed = self._insist(lambda: self._store.commit(raw))
        return None if committed is None else (batch, committed)

    def _insist(self, action: Callable[[], _T]) -> _T | None:
        """Do it as soon as the store can; None where we had to end before."""
        return self._troubles.insist(action, self._finishing, self._while_it_cannot)

    def _while_it_cannot(self) -> None:
        self._beat()
        self._jobs.carry_out_all()
        self._troubles.upkeep(self._use_limits)  # the disk may be full

    def _count(self, batch: RecordBatch, committed: Committed) -> None:
        self._tally.add(batch, committed.duration_us)
        if self._feed is not None:
            self._feed.inbox.commit_took(committed.duration_us)

    @property
    def _narrow(self) -> bool:
        """Does the broker wait for our commits all the time, with the rest of its queue running full?"""
        return self._feed is not None and self._feed.inbox.narrow

    def _housekeep_when_due(self) -> None:
        now_us = self._clock.monotonic_us()
        if now_us - self._housekept_us < (BRIEFLY_US if self._narrow and self._store.behind else HOUSEKEEP_US):
            return
        self._housekept_us = now_us
        self._troubles.note_mended(self._store.problems)
        self._troubles.upkeep(self._housekeep)

    def _housekeep(self) -> None:
        self._use_limits()
        self._store.housekeep(brief=self._narrow)
        now_us = self._clock.monotonic_us()
        if now_us - self._figures_us >= FIGURES_US:
            self._figures_us = now_us
            self._crowd.look()
            self._tally.rank()
            self.store_bytes, self.disk_days = self._store.store_bytes, self._store.disk_days()

    def _use_limits(self) -> None:
        while self._limits:
            self._store.use_limits(self._limits.popleft())

    def _end(self) -> None:
        self._jobs.carry_out_all()
        self._carry_out_events()
        if self._feed is not None:
            self._take_in(self._feed.inbox.take(), self._feed.inbox.taken_to)
            self._drain(self._feed)
        self._link.close(Instant.now(self._clock))
        self._take_in([])
        self._housekeep_when_due()


def _nobody_asks(_batch: RecordBatch) -> None:
    pass
