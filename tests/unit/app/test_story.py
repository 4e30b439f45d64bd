"""The story of the demo, told by a clock of the test and read as a recorder reads it."""

import json
from collections import Counter

import pytest

from app.simulation.fleet import SimulatedFleet
from app.simulation.story import LEAST_AGENTS, Story
from app.simulation.story_script import DEATH_S, LOOP_S, RETURN_S, SCRIPT, Dies, Lives
from models.domain.clock import Instant
from models.domain.messages import Origin, RawMessage
from models.domain.names import Names
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import Level, Outcome, TaskState
from mqtt.bulk_publisher import Outgoing
from mqtt.reading.reader import Reader
from tests.helpers.clock import FakeClock

AGENTS = 40


class Recorded:
    """What a recorder makes of a story: one batch a second."""

    def __init__(self, seconds: int, agents: int = AGENTS, rate: int = 60) -> None:
        self.fleet = SimulatedFleet(agents, seed=2, illness=0.0)
        self.story = Story(self.fleet)
        self.names, self.clock = Names(), FakeClock()
        reader, keeper = Reader(self.names, "agents", self.clock), PresenceKeeper()
        keeper.link_up(Instant.now(self.clock))
        self.presence, self.tasks, self.logs, self.attempts, self.interactions = [], [], [], [], []
        self.samples: dict[tuple[str, str], list[tuple[int, float]]] = {}
        self.unreadable = self.duplicates = 0
        self.cast = []
        said = self.fleet.statuses(self.wall_s)
        for second in range(seconds):
            for event in self.story.advance(second, self.wall_s):
                match event:
                    case Dies(agent):
                        said.append(self.fleet.will(agent))
                    case Outgoing():
                        said.append(event)
                    case Lives(agent):
                        self.cast.append(self.fleet.ids[agent])
            said += self.fleet.next(rate, self.wall_s)
            batch = reader.read([
                RawMessage(one.topic, one.payload, 1, False, False, 0, None, self.clock.wall_us(), Origin.LIVE, 1)
                for one in said
            ])  # fmt: skip
            self._take(second, batch, keeper)
            said = []
            self.clock.advance(1_000_000)

    @property
    def wall_s(self) -> float:
        return self.clock.wall_us() / 1e6

    def _take(self, second, batch, keeper) -> None:
        self.presence += [(second, one) for one in keeper.observe(batch, Instant.now(self.clock))]
        self.presence += [(second, one) for one in keeper.tick(Instant.now(self.clock))]
        for name in ("tasks", "logs", "attempts", "interactions"):
            getattr(self, name).extend((second, one) for one in getattr(batch, name))
        self.unreadable += len(batch.unreadable)
        self.duplicates += sum(batch.duplicate)
        for series, value in zip(batch.sample_series, batch.sample_value, strict=True):
            key = self.names.series[series]
            self.samples.setdefault((self.names.agents[key.agent], key.metric), []).append((second, value))

    def agent(self, one) -> str:
        return self.names.agents[one.agent]

    def of(self, rows, agent):
        return [(second, one) for second, one in rows if self.agent(one) == agent]

    def mean(self, agent, metric, since, until):
        values = [value for second, value in self.samples[agent, metric] if since <= second < until]
        return sum(values) / len(values)


@pytest.fixture(scope="module")
def told() -> Recorded:
    return Recorded(int(LOOP_S) + 60)


def test_everything_that_is_said_can_be_read(told):
    assert (told.unreadable, told.duplicates) == (0, 0)


def test_it_slows_and_fails_before_it_dies(told):
    ill = told.cast[0]
    usual = told.mean(ill, "agent.request.duration", 0, 10)
    assert told.mean(ill, "agent.request.duration", 25, 30) > 3 * usual, "within half a minute somebody sees it"
    assert told.mean(ill, "agent.request.duration", 60, 100) > 8 * usual
    assert told.mean(ill, "process.cpu.utilization", 80, 100) > 0.9
    warned = [second for second, one in told.of(told.logs, ill) if one.level is Level.WARN]
    errors = [one for _, one in told.of(told.logs, ill) if one.level >= Level.ERROR]
    assert min(warned) < 30
    assert sum(one.stack is not None for one in errors) >= 3
    assert Counter(one.outcome for second, one in told.of(told.attempts, ill) if second < DEATH_S) == {
        Outcome.TIMEOUT: 2, Outcome.ERROR: 3, Outcome.REFUSED: 1,
    }  # fmt: skip
    well = told.mean("crawler-1", "agent.request.duration", 0, 300)
    assert well < 0.2, "nobody else is ill"


def test_the_broker_tells_of_its_end_and_it_returns(told):
    ill = told.cast[0]
    seen = [
        (second, one.presence, one.condition, one.cause)
        for second, one in told.of(told.presence, ill)
        if one.presence is not Presence.ONLINE or one.condition is not Condition.OK
    ]
    assert (DEATH_S, Presence.OFFLINE, Condition.OK, Cause.WILL) in seen
    assert any(condition is Condition.DEGRADED and second < DEATH_S for second, _, condition, _ in seen)
    assert any(condition is Condition.STARTING and second == RETURN_S for second, _, condition, _ in seen)
    last = told.of(told.presence, ill)[-1][1]
    assert (last.presence, last.condition) == (Presence.ONLINE, Condition.OK)
    assert not [second for second, _ in told.samples[ill, "process.memory.usage"] if DEATH_S < second < RETURN_S]
    assert told.mean(ill, "process.memory.usage", RETURN_S + 5, LOOP_S) < 2e8, "a process that began anew"
    assert {told.agent(one) for _, one in told.presence if one.presence is Presence.OFFLINE} == {ill}


def test_its_tasks_go_to_others_and_are_done_there(told):
    ill = told.cast[0]
    states = {}
    for second, one in told.tasks:
        if second < LOOP_S and one.task.startswith("fetch-"):
            states.setdefault((told.agent(one), one.task), []).append((one.state, one.attempt))
    own = {task: found[-1] for (agent, task), found in states.items() if agent == ill}
    assert [own[f"fetch-{n}"] for n in range(1_001, 1_006)] == [
        (TaskState.FAILED, 1), (TaskState.CANCELED, 1), (TaskState.CANCELED, 1), (TaskState.CANCELED, 1),
        (TaskState.COMPLETED, 1),
    ]  # fmt: skip
    others = {key: found for key, found in states.items() if key[0] != ill}
    assert len(others) == 3
    assert len({agent for agent, _ in others}) == 3
    for found in others.values():
        assert found == [(TaskState.SUBMITTED, None), (TaskState.WORKING, 2), (TaskState.COMPLETED, 2)]


def test_what_it_is_asked_while_it_fails_stays_without_an_answer(told):
    ill = told.cast[0]
    asked = [
        (second, one.outcome)
        for second, one in told.interactions
        if one.kind == "ask" and told.names.agents[one.sender] == "planner-1" and told.names.agents[one.receiver] == ill
    ]
    assert (31, Outcome.OK) in asked
    assert Outcome.TIMEOUT in [outcome for _, outcome in asked]
    assert (169, Outcome.OK) in asked


def test_then_it_is_anothers_turn(told):
    assert told.cast == ["crawler-2", "crawler-2", "crawler-3"]


def test_the_same_seed_tells_the_same_and_steps_do_not_matter():
    def tell(seconds):
        story, events = Story(SimulatedFleet(8, seed=1)), []
        for second in seconds:
            events += story.advance(second, 5.0)
        return [json.loads(one.payload) if isinstance(one, Outgoing) else one for one in events]

    assert tell([LOOP_S * 2 - 1]) == tell([n / 2 for n in range(int(LOOP_S * 4) - 1)])


def test_the_smallest_fleet_tells_it_too():
    told = Recorded(int(LOOP_S), agents=LEAST_AGENTS, rate=8)
    assert set(told.cast) == {"crawler-1"}
    with pytest.raises(ValueError, match="4 agents"):
        Story(SimulatedFleet(LEAST_AGENTS - 1, seed=1))


def test_the_script_stands_in_order_and_within_its_loop():
    seconds = [beat.second for beat in SCRIPT]
    assert seconds == sorted(seconds)
    assert seconds[0] == 0
    assert seconds[-1] < LOOP_S
