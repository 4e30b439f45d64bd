"""Presence of agents: life signs, words, silence, our own link."""

from collections.abc import Iterator, Sequence
from typing import NoReturn

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from models.domain.batch import RecordBatch
from models.domain.clock import Instant
from models.domain.messages import Origin, RawMessage
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import Declaration, PresenceChange, PresenceEvidence, Present
from tests.helpers.clock import FakeClock

S = 1_000_000
ONLINE, LATE, OFFLINE, STOPPED, UNKNOWN = (
    Presence.ONLINE, Presence.LATE, Presence.OFFLINE, Presence.STOPPED, Presence.UNKNOWN,
)  # fmt: skip


def message(at_us: int, origin: Origin = Origin.LIVE) -> RawMessage:
    return RawMessage(b"t", b"{}", 0, False, False, 0, None, at_us, origin, 1)


class Stage:
    """A keeper with a clock, and the last word about every agent."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.keeper = PresenceKeeper()
        self.now: dict[int, PresenceChange] = {}
        self.changes: list[PresenceChange] = []

    def take(self, changes: Sequence[PresenceChange]) -> list[tuple[Presence, Cause]]:
        for change in changes:
            self.now[change.agent] = change
        self.changes += changes
        return [(change.presence, change.cause) for change in changes]

    def hear(self, agent: int = 1, origin: Origin = Origin.LIVE) -> list[tuple[Presence, Cause]]:
        batch = RecordBatch([message(self.clock.wall_us(), origin)], [1], [agent])
        return self.take(self.keeper.observe(batch, Instant.now(self.clock)))

    def say(
        self,
        presence: Presence,
        cause: Cause = Cause.STATUS,
        rank: int = 2,
        origin: Origin = Origin.LIVE,
        condition: Condition = Condition.OK,
        agent: int = 1,
    ) -> list[tuple[Presence, Cause]]:
        batch = RecordBatch([message(self.clock.wall_us(), origin)], [1], [agent])
        batch.evidence = [PresenceEvidence(0, agent, presence, condition, cause, rank)]
        return self.take(self.keeper.observe(batch, Instant.now(self.clock)))

    def declare(self, interval_s: float, agent: int = 1) -> None:
        batch = RecordBatch([message(self.clock.wall_us())], [1], [agent])
        batch.declarations = [Declaration(0, agent, "contract", interval_us=round(interval_s * S))]
        self.take(self.keeper.observe(batch, Instant.now(self.clock)))

    def wait(self, seconds: float) -> list[tuple[Presence, Cause]]:
        self.clock.advance(round(seconds * S))
        return self.take(self.keeper.tick(Instant.now(self.clock)))

    def down(self) -> list[tuple[Presence, Cause]]:
        return self.take(self.keeper.link_down(Instant.now(self.clock)))

    def up(self) -> list[tuple[Presence, Cause]]:
        return self.take(self.keeper.link_up(Instant.now(self.clock)))


def test_a_live_message_makes_online_and_agent_zero_is_nobody() -> None:
    stage = Stage()
    assert stage.hear(0) == []
    assert stage.hear(1) == [(ONLINE, Cause.HEARD)]
    assert stage.hear(1) == []


def test_a_declared_interval_ends_in_late_then_offline_at_their_moments() -> None:
    stage = Stage()
    stage.declare(20)
    start = stage.clock.wall_us()
    assert stage.wait(29.9) == []
    assert stage.wait(0.2) == [(LATE, Cause.SILENCE)]
    assert stage.now[1].time_us == start + 30 * S
    assert stage.wait(29.8) == []
    assert stage.wait(5) == [(OFFLINE, Cause.SILENCE)]
    assert stage.now[1].time_us == start + 60 * S
    assert stage.wait(1e6) == []
    assert stage.hear() == [(ONLINE, Cause.HEARD)]


def test_offline_takes_thirty_seconds_at_least() -> None:
    stage = Stage()
    stage.declare(2)
    assert stage.wait(3.1) == [(LATE, Cause.SILENCE)]
    assert stage.wait(26.8) == []
    assert stage.wait(0.2) == [(OFFLINE, Cause.SILENCE)]


def test_a_late_agent_that_is_heard_is_online_again_and_the_clock_starts_anew() -> None:
    stage = Stage()
    stage.declare(20)
    stage.wait(31)
    assert stage.hear() == [(ONLINE, Cause.HEARD)]
    assert stage.wait(29) == []
    assert stage.wait(2) == [(LATE, Cause.SILENCE)]


def test_an_interval_is_learned_from_five_gaps_and_not_from_four() -> None:
    stage = Stage()
    for _ in range(5):  # four gaps
        stage.hear()
        stage.wait(4)
    assert stage.wait(10_000) == []
    stage = Stage()
    for _ in range(6):
        stage.hear()
        assert stage.wait(4) == []
    assert stage.wait(2.1) == [(LATE, Cause.SILENCE)]
    assert stage.wait(24) == [(OFFLINE, Cause.SILENCE)]


def test_bursts_are_one_beat_and_a_learned_interval_is_late_after_three_seconds_at_least() -> None:
    stage = Stage()
    for _ in range(8):
        for _ in range(20):
            stage.hear()
            stage.wait(0.01)
        stage.wait(0.85)
    assert stage.wait(2.1) == []  # 1.5 intervals have passed
    assert stage.wait(0.2) == [(LATE, Cause.SILENCE)]


def test_of_who_has_no_status_and_speaks_now_and_then_silence_says_nothing() -> None:
    stage = Stage()
    batch = RecordBatch([message(stage.clock.wall_us())], [1], [1])
    batch.declarations = [Declaration(0, 1, "murmurscope", "Murmurscope", irregular=True)]
    stage.take(stage.keeper.observe(batch, Instant.now(stage.clock)))
    for _ in range(12):
        stage.clock.advance(2 * S)
        stage.hear()
    stage.clock.advance(3_600 * S)
    assert stage.take(stage.keeper.tick(Instant.now(stage.clock))) == []
    assert stage.now[1].presence is ONLINE
    stage.declare(10)
    stage.clock.advance(60 * S)
    assert (OFFLINE, Cause.SILENCE) in stage.take(stage.keeper.tick(Instant.now(stage.clock)))


def test_an_absence_is_no_interval() -> None:
    stage = Stage()
    for _ in range(6):
        stage.hear()
        stage.wait(4)
    for _ in range(3):
        stage.say(OFFLINE, Cause.WILL)
        stage.wait(3600)
        stage.hear()
    for _ in range(3):
        stage.wait(4)
        stage.hear()
    assert stage.wait(7) == [(LATE, Cause.SILENCE)]


def test_silence_shows_late_only_where_availability_is_known_without_interval() -> None:
    stage = Stage()
    stage.say(ONLINE, rank=2)
    for _ in range(6):
        stage.hear()
        stage.wait(4)
    assert stage.wait(10_000) == [(LATE, Cause.SILENCE)]
    assert stage.say(OFFLINE, Cause.WILL) == [(OFFLINE, Cause.WILL)]


def test_silence_ends_an_agent_that_only_says_status_words() -> None:
    stage = Stage()
    stage.say(ONLINE, rank=1)
    for _ in range(6):
        stage.hear()
        stage.wait(4)
    assert stage.wait(10_000) == [(LATE, Cause.SILENCE), (OFFLINE, Cause.SILENCE)]


def test_a_live_message_revives_and_a_replay_does_not() -> None:
    stage = Stage()
    stage.say(ONLINE)
    assert stage.say(OFFLINE, Cause.WILL) == [(OFFLINE, Cause.WILL)]
    assert stage.hear(origin=Origin.REPLAY) == []
    assert stage.hear(origin=Origin.BACKLOG) == []
    assert stage.say(ONLINE, origin=Origin.REPLAY) == []
    assert stage.hear() == [(ONLINE, Cause.HEARD)]


def test_goodbye_is_stopped_and_silence_leaves_it_so() -> None:
    stage = Stage()
    stage.declare(5)
    assert stage.say(STOPPED, Cause.GOODBYE) == [(STOPPED, Cause.GOODBYE)]
    assert stage.wait(10_000) == []


def test_a_status_word_does_not_overrule_declared_availability() -> None:
    stage = Stage()
    stage.say(ONLINE, rank=2)
    assert stage.say(OFFLINE, Cause.STATUS, rank=1) == []
    assert stage.say(OFFLINE, Cause.WILL, rank=2) == [(OFFLINE, Cause.WILL)]
    assert stage.say(OFFLINE, Cause.STATUS, rank=3) == [(OFFLINE, Cause.STATUS)]


def test_conditions_stand_beside_presence() -> None:
    stage = Stage()
    stage.say(ONLINE)
    assert stage.say(ONLINE, condition=Condition.DEGRADED) == [(ONLINE, Cause.STATUS)]
    assert stage.now[1].condition is Condition.DEGRADED
    assert stage.hear() == []
    stage.say(OFFLINE, Cause.WILL)
    assert stage.now[1].condition is Condition.OK


def test_our_own_link_makes_everybody_unknown_until_heard() -> None:
    stage = Stage()
    stage.hear(1)
    stage.say(OFFLINE, Cause.WILL, agent=2)
    assert stage.down() == [(UNKNOWN, Cause.LINK_LOST)] * 2
    assert stage.wait(10_000) == []
    assert stage.hear(1) == []  # delivered before the link broke, read after
    assert stage.up() == [(UNKNOWN, Cause.NOT_HEARD)] * 2
    assert stage.hear(1) == [(ONLINE, Cause.HEARD)]
    replayed = stage.say(OFFLINE, Cause.STATUS, origin=Origin.REPLAY, agent=2)
    assert replayed == [(OFFLINE, Cause.WILL)], "the broker only repeats what we knew"


def test_a_replay_makes_an_agent_known_but_not_online() -> None:
    stage = Stage()
    stage.up()
    assert stage.say(ONLINE, origin=Origin.REPLAY) == [(UNKNOWN, Cause.NOT_HEARD)]
    assert stage.say(STOPPED, Cause.GOODBYE, origin=Origin.REPLAY, agent=2) == [(STOPPED, Cause.REPLAYED)]
    assert stage.hear(3, Origin.BACKLOG) == [(UNKNOWN, Cause.NOT_HEARD)]
    stage.hear(4)
    assert stage.say(OFFLINE, Cause.WILL, origin=Origin.REPLAY, agent=4) == []  # heard live: the replay is older


def test_a_broker_s_own_word_on_a_retained_message_holds_now() -> None:
    stage = Stage()
    assert stage.say(ONLINE, Cause.BROKER, origin=Origin.REPLAY, rank=3) == [(ONLINE, Cause.BROKER)]
    assert stage.say(OFFLINE, Cause.BROKER, origin=Origin.REPLAY, rank=3) == [(OFFLINE, Cause.BROKER)]
    stage.down()
    assert stage.say(ONLINE, Cause.BROKER, origin=Origin.REPLAY, rank=3, agent=2) == [(UNKNOWN, Cause.LINK_LOST)]


def test_the_backlog_may_take_back_what_it_said() -> None:
    stage = Stage()
    stage.up()
    assert stage.say(OFFLINE, Cause.WILL, origin=Origin.BACKLOG)[-1:] == [(OFFLINE, Cause.WILL)]
    assert stage.say(ONLINE, origin=Origin.BACKLOG) == [(UNKNOWN, Cause.NOT_HEARD)]


def test_after_a_reconnect_silence_over_a_known_interval_is_silence() -> None:
    stage = Stage()
    stage.declare(20, agent=1)
    stage.declare(20, agent=2)
    stage.say(STOPPED, Cause.GOODBYE, agent=2)
    stage.hear(3)  # no interval known
    stage.down()
    stage.wait(600)
    stage.up()
    assert stage.wait(59) == []
    assert sorted(stage.wait(2)) == [(STOPPED, Cause.GOODBYE), (OFFLINE, Cause.SILENCE)]
    assert stage.now[3].presence is UNKNOWN


def test_loaded_intervals_count_from_the_connection_on() -> None:
    stage = Stage()
    stage.keeper.load({7: 20 * S})
    stage.clock.advance(1000 * S)
    assert stage.up() == [(UNKNOWN, Cause.NOT_HEARD)]
    assert stage.wait(59) == []
    assert stage.wait(2) == [(OFFLINE, Cause.SILENCE)]


def test_a_backlog_that_comes_before_the_word_of_the_link_makes_nobody_silent() -> None:
    """A broker delivers what a resumed session missed before it answers our subscription."""
    stage = Stage()
    stage.keeper.load({7: 20 * S})
    stage.clock.advance(1000 * S)
    for _ in range(3):
        stage.say(ONLINE, origin=Origin.BACKLOG, agent=7)
        stage.wait(1)
    assert [change.presence for change in stage.changes] == [UNKNOWN]
    stage.up()
    assert stage.wait(59) == []
    assert stage.wait(2) == [(OFFLINE, Cause.SILENCE)]


def test_a_replay_of_what_was_known_keeps_its_cause() -> None:
    stage = Stage()
    stage.keeper.load({}, {7: (OFFLINE, Cause.WILL)})
    stage.up()
    stage.say(OFFLINE, Cause.STATUS, origin=Origin.REPLAY, agent=7)
    stage.say(OFFLINE, Cause.STATUS, origin=Origin.REPLAY, agent=8)
    assert (stage.now[7].presence, stage.now[7].cause) == (OFFLINE, Cause.WILL)
    assert (stage.now[8].presence, stage.now[8].cause) == (OFFLINE, Cause.REPLAYED)


def test_a_shorter_interval_takes_effect_at_once() -> None:
    stage = Stage()
    stage.declare(1000)
    stage.declare(10)
    assert stage.wait(15.1) == [(LATE, Cause.SILENCE)]


def test_a_step_of_the_wall_clock_is_no_silence() -> None:
    stage = Stage()
    stage.declare(20)
    stage.clock.step_wall(86_400 * S)
    assert stage.wait(1) == []
    assert stage.hear() == []
    stage.clock.step_wall(-2 * 86_400 * S)
    assert stage.hear() == []
    assert stage.wait(29) == []


def test_an_import_lives_on_the_clock_of_its_recording_whatever_the_batches() -> None:
    times = [0, 10, 20, 100, 110]
    messages = [message(1_600_000_000 * S + t * S, Origin.IMPORTED) for t in times]
    for size in (1, 2, 5):
        keeper, changes = PresenceKeeper(), []
        for i in range(0, 5, size):
            part = messages[i : i + size]
            batch = RecordBatch(part, [1] * len(part), [1] * len(part))
            if i == 0:
                batch.declarations = [Declaration(0, 1, "contract", interval_us=10 * S)]
            changes += keeper.observe(batch, Instant(1_800_000_000 * S + i, 5 * S + i))
        assert [((c.time_us // S) - 1_600_000_000, c.presence) for c in changes] == [
            (0, ONLINE), (35, LATE), (50, OFFLINE), (100, ONLINE),
        ]  # fmt: skip


def test_a_hundred_thousand_agents_cost_nothing_while_nothing_is_due() -> None:
    stage = Stage()
    n = 100_000
    batch = RecordBatch([message(stage.clock.wall_us())] * n, [1] * n, list(range(1, n + 1)))
    batch.declarations = [Declaration(0, agent, "contract", interval_us=30 * S) for agent in range(1, n + 1)]
    stage.keeper.observe(batch, Instant.now(stage.clock))
    stage.keeper._agents = Unscanned(stage.keeper._agents)
    for _ in range(10):
        stage.wait(0.1)
    assert len(stage.wait(45)) == n


class Unscanned(dict):  # type: ignore[type-arg]
    """Refuses to be walked through."""

    def __iter__(self) -> Iterator[int]:
        raise AssertionError("all agents were looked at")

    def values(self) -> NoReturn:
        raise AssertionError("all agents were looked at")

    items = values


class PresenceMachine(RuleBasedStateMachine):
    """Whatever happens in whatever order, the truth rules hold."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.linked = True
        self.live: set[int] = set()  # heard live since the link came up

    agents = st.integers(1, 3)

    @rule(agent=agents, origin=st.sampled_from([Origin.LIVE, Origin.BACKLOG, Origin.REPLAY]))
    def hear(self, agent: int, origin: Origin) -> None:
        self.stage.hear(agent, origin)
        if origin is Origin.LIVE and self.linked:
            self.live.add(agent)
            assert self.stage.now[agent].presence is ONLINE

    @rule(
        agent=agents, rank=st.integers(1, 3), presence=st.sampled_from([ONLINE, OFFLINE, STOPPED]),
        origin=st.sampled_from([Origin.LIVE, Origin.BACKLOG, Origin.REPLAY]),
    )  # fmt: skip
    def say(self, agent: int, rank: int, presence: Presence, origin: Origin) -> None:
        self.stage.say(presence, rank=rank, origin=origin, agent=agent)
        if origin is Origin.LIVE and self.linked:
            self.live.add(agent)
            if rank == 3:
                assert self.stage.now[agent].presence is presence

    @rule(agent=agents, interval_s=st.integers(1, 100))
    def declare(self, agent: int, interval_s: int) -> None:
        self.stage.declare(interval_s, agent)
        if self.linked:
            self.live.add(agent)

    @rule(seconds=st.floats(0, 400))
    def wait(self, seconds: float) -> None:
        for presence, cause in self.stage.wait(seconds):
            assert presence in (LATE, OFFLINE, STOPPED)
            assert presence is STOPPED or cause is Cause.SILENCE or presence is OFFLINE
            assert self.linked

    @rule()
    def down(self) -> None:
        self.stage.down()
        self.linked = False
        self.live.clear()

    @rule()
    def up(self) -> None:
        self.stage.up()
        self.linked = True

    @invariant()
    def nobody_is_online_unheard(self) -> None:
        for agent, change in self.stage.now.items():
            if change.presence in (ONLINE, LATE):
                assert agent in self.live
            if not self.linked:
                assert change.presence is UNKNOWN

    @invariant()
    def changes_are_changes_and_in_order(self) -> None:
        last: dict[int, PresenceChange] = {}
        for change in self.stage.changes:
            before = last.get(change.agent)
            if before is not None:
                assert change[2:] != before[2:]
                assert change.time_us >= before.time_us
            last[change.agent] = change


TestPresenceMachine = PresenceMachine.TestCase
TestPresenceMachine.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


def taken_over(stage: Stage, presence: Presence = ONLINE, interval_us: int = 0) -> None:
    heard_us = stage.clock.wall_us() - 5 * S
    there = Present(1, presence, Condition.OK, Cause.STATUS, heard_us - 60 * S, heard_us, interval_us)
    stage.keeper.take_over([], [there], Instant.now(stage.clock))


def test_who_is_there_as_history_tells_is_watched_as_if_it_had_been_all_the_time() -> None:
    stage = Stage()
    stage.keeper.link_up(Instant.now(stage.clock))
    taken_over(stage, interval_us=10 * S)
    assert stage.hear() == stage.say(ONLINE) == [], "that is no news"
    taken_over(stage, presence=LATE)
    assert stage.hear() == [], "what is known here is newer"
    stage.clock.advance(16 * S)
    assert stage.take(stage.keeper.tick(Instant.now(stage.clock))) == [(LATE, Cause.SILENCE)]
    assert stage.say(OFFLINE, Cause.WILL) == [(OFFLINE, Cause.WILL)]


def test_silence_counts_from_when_it_was_heard_last() -> None:
    stage = Stage()
    stage.keeper.link_up(Instant.now(stage.clock))
    taken_over(stage, interval_us=4 * S)
    stage.clock.advance(S)
    assert stage.take(stage.keeper.tick(Instant.now(stage.clock))) == [(LATE, Cause.SILENCE)]


def test_without_a_link_whoever_was_there_is_unknown() -> None:
    stage = Stage()
    stage.keeper.link_up(Instant.now(stage.clock))
    stage.keeper.link_down(Instant.now(stage.clock))
    taken_over(stage)
    assert stage.take(stage.keeper.tick(Instant.now(stage.clock))) == [(UNKNOWN, Cause.LINK_LOST)]


def test_what_is_declared_later_counts_from_the_first_message_on() -> None:
    stage = Stage()
    stage.keeper.foretell({1: 10 * S})
    assert stage.hear() == [(ONLINE, Cause.HEARD)]
    stage.clock.advance(16 * S)
    assert stage.take(stage.keeper.tick(Instant.now(stage.clock))) == [(LATE, Cause.SILENCE)]
    assert stage.hear(agent=2) == [(ONLINE, Cause.HEARD)]
    stage.clock.advance(16 * S)
    assert not any(change.agent == 2 for change in stage.keeper.tick(Instant.now(stage.clock)))
