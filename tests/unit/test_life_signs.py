"""Batches are taken as columns where nothing is news: what comes of it is what comes of looking at each message."""

import random
from collections.abc import Iterable

import pytest

from models.domain.batch import RecordBatch
from models.domain.clock import Instant
from models.domain.messages import Origin, RawMessage
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import Declaration, PresenceChange, PresenceEvidence
from tests.helpers.clock import FakeClock

S = 1_000_000
AGENTS = 60
WORDS = (Presence.ONLINE, Presence.ONLINE, Presence.STOPPED, Presence.OFFLINE)


class OneByOne(PresenceKeeper):
    """Looks at every message."""

    def _sorted_out(self, batch: RecordBatch, *_: object) -> tuple[Iterable[int], None]:
        return range(len(batch.messages)), None


class Counting(PresenceKeeper):
    """Counts the messages that were not looked at."""

    passed_over = 0

    def _sorted_out(self, batch: RecordBatch, *others: object) -> tuple[Iterable[int], object]:
        rows, calm = super()._sorted_out(batch, *others)
        self.passed_over += len(batch.messages) - len(list(rows))
        return rows, calm


def state(keeper: PresenceKeeper) -> list[tuple[object, ...]]:
    return [
        (one.id, one.presence, one.condition, one.cause, one.since_us, one.heard_us, one.beat_us, one.learned_us, one.due_us)
        for _, one in sorted(keeper._agents.items())
    ]  # fmt: skip


class Story:
    """A fleet that comes, goes, declares, falls silent, and now and then a clock that is set."""

    def __init__(self, seed: int) -> None:
        self.random, self.clock = random.Random(seed), FakeClock()
        self.silent: set[int] = set()

    def batch(self) -> tuple[RecordBatch, Instant]:
        some = self.random
        n, span_us = some.choice((5, 200, 300)), some.choice((20_000, 400_000, 2 * S))
        start_us = self.clock.wall_us()
        times = sorted(start_us + some.randrange(span_us) for _ in range(n))
        if some.random() < 0.05:
            some.shuffle(times)
        self.silent = {id_ for id_ in range(1, AGENTS) if some.random() < 0.2} if some.random() < 0.1 else self.silent
        agents = [id_ if (id_ := some.randrange(AGENTS)) not in self.silent else 0 for _ in range(n)]
        batch = RecordBatch([self._message(at) for at in times], [1] * n, agents)
        for row in range(n):
            if some.random() < 0.01:
                rank, word = some.choice((1, 2)), some.choice(WORDS)
                cause = Cause.WILL if word is Presence.OFFLINE else Cause.STATUS
                agent = agents[row] if some.random() < 0.9 else some.randrange(1, AGENTS)
                batch.evidence.append(PresenceEvidence(row, agent, word, Condition.OK, cause, rank))
            if some.random() < 0.002 and agents[row]:
                interval_us = some.choice((S // 2, 3 * S, 20 * S))
                batch.declarations.append(Declaration(row, agents[row], "contract", interval_us=interval_us))
        self.clock.advance(span_us + some.randrange(5_000))
        if some.random() < 0.03:
            self.clock.step_wall(some.choice((-3, 3)) * S)
        return batch, Instant.now(self.clock)

    def _message(self, at_us: int) -> RawMessage:
        origin = Origin.LIVE if self.random.random() < 0.9995 else Origin.BACKLOG
        return RawMessage(b"t", b"", 0, False, False, 0, None, at_us, origin, 1)

    def pause(self) -> Instant:
        self.clock.advance(self.random.choice((0, 1, 5, 40)) * S)
        return Instant.now(self.clock)


@pytest.mark.parametrize("seed", range(12))
def test_columns_or_one_by_one(seed: int) -> None:
    story, keepers, seen = Story(seed), (Counting(), OneByOne()), 0
    for _ in range(150):
        batch, at = story.batch()
        pause = story.pause() if story.random.random() < 0.1 else None
        drops = story.random.random() < 0.02
        told: list[list[PresenceChange]] = []
        for keeper in keepers:
            changes = keeper.observe(batch, at) + keeper.tick(at)
            if pause is not None:
                changes += keeper.tick(pause)
            if drops:
                changes += keeper.link_down(pause or at) + keeper.link_up(pause or at)
            told.append(changes)
        assert told[0] == told[1]
        assert state(keepers[0]) == state(keepers[1])
        seen += len(told[0])
    assert seen > 200
    assert keepers[0].passed_over > 1_000
