"""Whether agents are there: life signs, what they and the broker say, and silence. Pure: no clock, no thread of its own."""

import heapq
from array import array
from collections.abc import Iterable, Mapping
from statistics import median_low

import numpy as np
import numpy.typing as npt

from models.domain.batch import RecordBatch
from models.domain.clock import Instant
from models.domain.life_signs import NEVER_US, LifeSigns
from models.domain.messages import Origin
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import PresenceChange, PresenceEvidence, Present

SECOND_US = 1_000_000
BEAT_US = SECOND_US
"""Messages closer together than this are one beat."""
GAPS_NEEDED, GAPS_KEPT = 5, 9
LATE_FLOOR_US = 3 * SECOND_US
"""Least silence that counts as late where the interval was learned, not declared."""
OFFLINE_FLOOR_US = 30 * SECOND_US
AVAILABILITY_RANK = 2
"""From this rank on a source would tell us if the agent left: a will, a birth, a declared availability."""
LONG_AGO_US = NEVER_US
"""An import of an old recording begins far before the monotonic clock's origin."""

Ints = npt.NDArray[np.int64]
_GONE = (Presence.OFFLINE, Presence.STOPPED)
_NO_GAPS = array("q")
_FEW = 32
"""Messages of a batch that are looked at one by one rather than as columns."""


class _Agent:
    __slots__ = (
        "availability", "availability_rank", "before", "before_cause", "cause", "condition", "declared_us", "due_us",
        "gaps", "id", "irregular", "learned_us", "presence", "signs", "since_us", "told",
    )  # fmt: skip

    def __init__(self, id_: int, now_us: int, signs: LifeSigns) -> None:
        self.id = id_
        self.signs = signs
        signs.reach(id_)
        self.presence, self.condition, self.cause = Presence.UNKNOWN, Condition.OK, Cause.NOT_HEARD
        self.since_us = 0  # wall time of the last change
        self.told = False  # a change was given out, so that the next one must differ
        self.before, self.before_cause = Presence.UNKNOWN, Cause.NOT_HEARD  # while unknown: what it was
        self.declared_us = self.learned_us = 0
        self.irregular = False  # what is learned of it means nothing
        self.heard_us = now_us  # last life sign; while unknown: since when we listen
        self.beat_us: int | None = None  # start of the last beat; None: the next gap would span an absence
        self.gaps = _NO_GAPS
        self.due_us: int | None = None  # its entry in the heap of deadlines
        self.availability: Presence | None = None  # last word of the weightiest source
        self.availability_rank = 0

    @property
    def heard_us(self) -> int:
        return self.signs.heard[self.id]

    @heard_us.setter
    def heard_us(self, us: int) -> None:
        self.signs.heard[self.id] = us

    @property
    def beat_us(self) -> int | None:
        us = self.signs.beat[self.id]
        return None if us == NEVER_US else us

    @beat_us.setter
    def beat_us(self, us: int | None) -> None:
        self.signs.beat[self.id] = NEVER_US if us is None else us

    @property
    def interval_us(self) -> int:
        return self.declared_us or (0 if self.irregular else self.learned_us)

    @property
    def ends_by_silence(self) -> bool:
        return self.declared_us > 0 or self.availability_rank < AVAILABILITY_RANK

    def deadline_us(self) -> int | None:
        """When silence changes something next, on the monotonic clock."""
        interval = self.interval_us
        if not interval or self.presence in _GONE or self.cause is Cause.LINK_LOST:
            return None
        if self.heard_us == LONG_AGO_US:
            return None  # nobody listens yet: a resumed session delivers its backlog before we know that it is up
        if self.presence is Presence.ONLINE:
            late = interval * 3 // 2
            return self.heard_us + (late if self.declared_us else max(late, LATE_FLOOR_US))
        if not self.ends_by_silence and self.before not in _GONE:
            return None
        return self.heard_us + max(3 * interval, OFFLINE_FLOOR_US)


class PresenceKeeper:
    """Keeps every agent's presence up to date from batches, ticks and our own link. One thread.

    Costs grow with beats, changes and deadlines that pass, little with messages, and never with the number of agents per call
    (the link's own changes excepted). For an import, give `at` on the recording's clock and do not tick beyond its end.
    """

    def __init__(self) -> None:
        self._agents: dict[int, _Agent] = {}
        self._signs = LifeSigns()
        self._shortest_us = LATE_FLOOR_US  # silence of an agent that may be news
        self._due: list[tuple[int, int]] = []  # (deadline, agent); stale where the agent's due_us differs
        self._linked = True
        self._now_us = LONG_AGO_US  # latest moment seen, so that time never runs backwards here
        self._changes: list[PresenceChange] = []
        self._foretold: dict[int, int] = {}

    def load(self, intervals: Mapping[int, int], gone: Mapping[int, tuple[Presence, Cause]] | None = None) -> None:
        """Agents known from earlier runs with their declared intervals (microseconds): unknown until heard. `gone` are those
        that were offline or stopped then, and why."""
        for id_, interval_us in intervals.items():
            self._agent(id_).declared_us = interval_us
            self._shortest_us = min(self._shortest_us, interval_us)
        for id_, (presence, cause) in (gone or {}).items():
            agent = self._agent(id_)
            agent.before, agent.before_cause = presence, cause

    def foretell(self, intervals: Mapping[int, int]) -> None:
        """What agents will declare that are not heard yet (microseconds): it counts for them from their first message on."""
        self._foretold.update(intervals)
        self._shortest_us = min(self._shortest_us, *intervals.values(), LATE_FLOOR_US)

    def forget(self, agents: Iterable[int]) -> None:
        """These are no more; whoever speaks again is new."""
        for id_ in agents:
            if self._agents.pop(id_, None) is not None:
                self._signs.online[id_] = False

    def take_over(self, gone: Iterable[int], there: Iterable[Present], at: Instant) -> None:
        """History was read again: `gone` are no more, and those who are `there` are watched from now on, as if they had been
        all the time."""
        self.forget(gone)
        for one in there:
            agent = self._agent(one.agent)
            if agent.presence is not Presence.UNKNOWN:
                continue
            agent.presence, agent.condition, agent.cause, agent.told = one.presence, one.condition, one.cause, True
            agent.since_us, agent.declared_us = one.since_us, one.interval_us or agent.declared_us
            agent.beat_us = agent.heard_us = min(one.heard_us - at.wall_us + at.monotonic_us, at.monotonic_us)
            if one.cause is Cause.STATUS:
                agent.availability, agent.availability_rank = Presence.ONLINE, AVAILABILITY_RANK
            self._signs.online[one.agent] = one.presence is Presence.ONLINE
            if self._linked:
                self._schedule(agent)
            else:
                agent.before, agent.before_cause = one.presence, one.cause
                self._set(agent, at.wall_us, Presence.UNKNOWN, agent.condition, Cause.LINK_LOST)

    def observe(self, batch: RecordBatch, at: Instant) -> list[PresenceChange]:
        """Take what a batch tells; `at` is when it is handed over. Changes in the order they happened."""
        offset_us = at.monotonic_us - at.wall_us
        if batch.declarations:
            self._declare(batch, offset_us)
        said: dict[int, list[PresenceEvidence]] = {}
        for evidence in batch.evidence:
            said.setdefault(evidence.row, []).append(evidence)
        rows, calm = self._sorted_out(batch, said, at, offset_us)
        self._weigh(rows, batch, said, at, offset_us)
        if calm is not None:
            self._signs.hear(*calm)
            self._now_us = max(self._now_us, batch.messages[-1].received_us + offset_us)
        return self._taken()

    def _weigh(
        self, rows: Iterable[int], batch: RecordBatch, said: dict[int, list[PresenceEvidence]], at: Instant, offset_us: int
    ) -> None:  # fmt: skip
        agents, due = self._agents, self._due
        for row in rows:
            id_, message = batch.agent[row], batch.messages[row]
            if not id_ and row not in said:
                continue
            now_us = message.received_us + offset_us
            if now_us > at.monotonic_us and message.origin is not Origin.IMPORTED:
                now_us = at.monotonic_us  # the wall clock was set back
            self._now_us = now_us = max(now_us, self._now_us)
            if due and due[0][0] <= now_us:
                self._expire(now_us, message.received_us)
            if row in said and self._take_all(said[row], id_, message.origin, message.received_us, now_us):
                continue  # somebody says that it is gone: no life sign
            if id_:
                self._hear(agents.get(id_) or self._agent(id_), message.origin, message.received_us, now_us)

    def _sorted_out(
        self, batch: RecordBatch, said: dict[int, list[PresenceEvidence]], at: Instant, offset_us: int
    ) -> tuple[Iterable[int], tuple[Ints, Ints] | None]:
        """The rows that may be news, and agent and moment of all that are a mere life sign; these may be given to the agents
        once the others were weighed. That changes nothing as long as no silence can begin and end within the batch."""
        n = len(batch.messages)
        if n < _FEW or not self._linked or any(batch.columns.origin):  # all are live
            return range(n), None
        now_us = np.fromiter(batch.columns.received_us, np.int64, n) + offset_us
        start_us, end_us = int(now_us[0]), int(now_us[-1])
        if start_us < self._now_us or end_us > at.monotonic_us or end_us - start_us >= self._shortest_us:
            return range(n), None
        if (now_us[1:] < now_us[:-1]).any():  # a clock was set
            return range(n), None
        ids = np.fromiter(batch.agent, np.int64, n)
        self._signs.reach(int(ids.max()))
        due = self._due_until(end_us)
        watched = {evidence.agent for some in said.values() for evidence in some}
        watched.update(batch.agent[row] for row in said)
        watched.update(id_ for _, id_ in due)
        news = ~self._signs.calm(ids, now_us, BEAT_US)
        own = self._signs.among(ids, watched)
        news |= own
        news[list(said)] = True
        if due:  # each is looked at with the first message after it
            tells = np.flatnonzero(news | (ids > 0))
            after = np.searchsorted(now_us[tells], np.fromiter((us for us, _ in due), np.int64, len(due)))
            news[tells[after[after < len(tells)]]] = True
        heard = ~own & (ids > 0)
        return np.flatnonzero(news).tolist(), (ids[heard], now_us[heard])

    def _due_until(self, now_us: int) -> list[tuple[int, int]]:
        """The deadlines up to then, and whose they are."""
        due, found = self._due, []
        while due and due[0][0] <= now_us:
            found.append(heapq.heappop(due))
        for one in found:
            heapq.heappush(due, one)
        return found

    def _declare(self, batch: RecordBatch, offset_us: int) -> None:
        for declared in batch.declarations:
            if declared.irregular:
                self._agent(declared.agent).irregular = True
            if declared.interval_us is not None:
                agent = self._agent(declared.agent)
                agent.declared_us = declared.interval_us
                self._shortest_us = min(self._shortest_us, declared.interval_us)
                if not agent.told:
                    agent.heard_us = max(batch.messages[declared.row].received_us + offset_us, self._now_us)
                self._schedule(agent)

    def tick(self, at: Instant) -> list[PresenceChange]:
        """Let silence speak. Give messages that wait to `observe` first."""
        self._now_us = max(self._now_us, at.monotonic_us)
        self._expire(at.monotonic_us, at.wall_us)
        return self._taken()

    def link_down(self, at: Instant) -> list[PresenceChange]:
        """Our own connection is gone: nothing is known of anybody."""
        self._linked = False
        self._due.clear()
        for agent in self._agents.values():
            agent.due_us = None
            agent.beat_us = None
            if agent.presence is not Presence.UNKNOWN:
                agent.before, agent.before_cause = agent.presence, agent.cause
            self._set(agent, at.wall_us, Presence.UNKNOWN, agent.condition, Cause.LINK_LOST)
        return self._taken()

    def link_up(self, at: Instant) -> list[PresenceChange]:
        """Connected: whoever is unknown stays so until heard, or until its silence has lasted long enough."""
        self._linked = True
        self._now_us = max(self._now_us, at.monotonic_us)
        for agent in self._agents.values():
            if agent.presence is Presence.UNKNOWN:
                agent.heard_us = at.monotonic_us
                self._set(agent, at.wall_us, Presence.UNKNOWN, agent.condition, Cause.NOT_HEARD)
                self._schedule(agent)
        return self._taken()

    def _agent(self, id_: int) -> _Agent:
        found = self._agents.get(id_)
        if found is None:
            found = self._agents[id_] = _Agent(id_, self._now_us, self._signs)
            found.declared_us = self._foretold.get(id_, 0)
            if not self._linked:
                found.cause = Cause.LINK_LOST
        return found

    def _taken(self) -> list[PresenceChange]:
        changes, self._changes = self._changes, []
        return changes

    def _set(self, agent: _Agent, time_us: int, presence: Presence, condition: Condition, cause: Cause) -> None:
        """Record a change. An agent that stays online keeps the cause it came with."""
        same = presence is agent.presence and condition is agent.condition
        if same and agent.told and (cause is agent.cause or presence is Presence.ONLINE):
            return
        agent.presence, agent.condition, agent.cause, agent.told = presence, condition, cause, True
        self._signs.online[agent.id] = presence is Presence.ONLINE
        agent.since_us = time_us
        if presence is Presence.ONLINE:
            agent.before = Presence.UNKNOWN
        self._changes.append(PresenceChange(time_us, agent.id, presence, condition, cause))

    def _hear(self, agent: _Agent, origin: Origin, time_us: int, now_us: int) -> None:
        """A message of the agent arrived: a life sign if it speaks for the present."""
        if not (origin is Origin.IMPORTED or (origin is Origin.LIVE and self._linked)):
            self._set(agent, time_us, agent.presence, agent.condition, agent.cause)  # known from now on
            return
        agent.heard_us = now_us
        if agent.beat_us is None or now_us - agent.beat_us >= BEAT_US:
            self._beat(agent, now_us)
        if agent.presence is not Presence.ONLINE:
            self._set(agent, time_us, Presence.ONLINE, agent.condition, Cause.HEARD)
            self._schedule(agent)

    def _beat(self, agent: _Agent, now_us: int) -> None:
        if agent.beat_us is not None:
            agent.gaps = agent.gaps[1 - GAPS_KEPT :] + array("q", (now_us - agent.beat_us,))
            if len(agent.gaps) >= GAPS_NEEDED:
                agent.learned_us = median_low(agent.gaps)
        agent.beat_us = now_us
        self._schedule(agent)

    def _schedule(self, agent: _Agent) -> None:
        deadline_us = agent.deadline_us() if self._linked else None
        if deadline_us is not None and (agent.due_us is None or deadline_us < agent.due_us):
            agent.due_us = deadline_us
            heapq.heappush(self._due, (deadline_us, agent.id))

    def _expire(self, now_us: int, wall_us: int) -> None:
        """Work off deadlines up to `now_us`; `wall_us` is the same moment on the wall clock."""
        while self._due and self._due[0][0] <= now_us:
            due_us, id_ = heapq.heappop(self._due)
            agent = self._agents.get(id_)
            if agent is None or agent.due_us != due_us:
                continue  # it is forgotten, or an earlier deadline took its place
            agent.due_us = None
            deadline_us = agent.deadline_us()
            if deadline_us is not None and deadline_us <= now_us:
                # an interval declared shorter meanwhile does not date its silence before what came in between
                self._fall_silent(agent, max(wall_us - (now_us - deadline_us), min(agent.since_us, wall_us)))
            self._schedule(agent)

    def _fall_silent(self, agent: _Agent, time_us: int) -> None:
        if agent.presence is Presence.ONLINE:
            self._set(agent, time_us, Presence.LATE, agent.condition, Cause.SILENCE)
        elif agent.presence is Presence.UNKNOWN and agent.before in _GONE:
            self._set(agent, time_us, agent.before, Condition.OK, agent.before_cause)  # still gone, as before our break
        else:
            agent.beat_us = None
            self._set(agent, time_us, Presence.OFFLINE, Condition.OK, Cause.SILENCE)

    def _take_all(self, said: list[PresenceEvidence], of: int, origin: Origin, time_us: int, now_us: int) -> bool:
        """Weigh what a message says; True where it says that its own agent is gone."""
        own_gone = False
        for evidence in said:
            agent = self._agent(evidence.agent)
            if evidence.cause is Cause.HEARD:  # one of several whose message it is
                self._hear(agent, origin, time_us, now_us)
                continue
            gone = evidence.presence in _GONE
            if gone and evidence.rank < agent.availability_rank and agent.availability is Presence.ONLINE:
                continue  # a weightier source says that it is there, and would tell us
            own_gone = own_gone or (gone and evidence.agent == of)
            of_now = origin is Origin.LIVE or (origin is Origin.REPLAY and evidence.cause is Cause.BROKER)
            if origin is Origin.IMPORTED or (
                of_now and self._linked
            ):  # what a broker adds to a retained message holds now
                self._take_live(agent, evidence, gone, time_us, now_us)
            elif self._linked:
                self._take_past(agent, evidence, origin, time_us)
        return own_gone

    def _take_live(self, agent: _Agent, evidence: PresenceEvidence, gone: bool, time_us: int, now_us: int) -> None:
        if evidence.rank >= max(agent.availability_rank, AVAILABILITY_RANK):
            agent.availability, agent.availability_rank = evidence.presence, evidence.rank
        if gone:
            agent.beat_us = None
        else:
            agent.heard_us = now_us
        self._set(agent, time_us, evidence.presence, evidence.condition, evidence.cause)
        self._schedule(agent)

    def _take_past(self, agent: _Agent, evidence: PresenceEvidence, origin: Origin, time_us: int) -> None:
        """A retained replay or the backlog: may say that somebody left, never that somebody is there."""
        agent.availability_rank = max(agent.availability_rank, evidence.rank)
        presence, cause = agent.presence, agent.cause
        if presence is Presence.UNKNOWN and evidence.presence in _GONE:
            presence, cause = evidence.presence, Cause.REPLAYED if origin is Origin.REPLAY else evidence.cause
            if presence is agent.before:
                cause = agent.before_cause  # the broker only repeats what we knew
        elif presence in _GONE and evidence.presence not in _GONE and origin is Origin.BACKLOG:
            presence, cause = Presence.UNKNOWN, Cause.NOT_HEARD  # it came back while we were away; is it still there?
            agent.before, agent.before_cause = presence, cause
        self._set(agent, time_us, presence, agent.condition, cause)
        self._schedule(agent)
