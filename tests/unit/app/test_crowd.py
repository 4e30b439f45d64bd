"""Too many agents, too many series: told, bounded, and every message is in the batch all the same."""

import pytest

from app.recorder.crowd_watch import TOLD_US, CrowdWatch
from models.domain.crowd import LONGEST_AGENT, MOST_SERIES_OF_AGENT, Crowd
from mqtt.reading import exchange, plan
from tests.helpers.clock import FakeClock
from tests.helpers.reading import Reading


def test_one_agent_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MOST_AGENTS", 2)
    reading = Reading()
    batch = reading.read(*(reading.message(f"agents/a-{n}/metrics", {"x": n}) for n in range(4)))
    assert reading.agents() == {"a-0", "a-1"}
    assert [(one.row, one.reason) for one in batch.unreadable] == [(2, "too-many-agents"), (3, "too-many-agents")]
    assert [len(batch.messages), batch.agent, 0 in batch.topic] == [4, [1, 2, 0, 0], False]
    assert reading.names.crowd.agents == 2
    assert [one.value for one in reading.points] == [0.0, 1.0]


def test_one_series_too_many_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MOST_SERIES", 3)
    reading = Reading()
    for n in (1, 2):
        reading.send(f"agents/a-{n}/metrics", {"metrics": {"x": 1, "y": 2}})
    reading.send("shelf-3/temp", "5")
    assert [(one.agent, one.metric) for one in reading.points] == [("a-1", "x"), ("a-1", "y"), ("a-2", "x")]
    assert reading.names.crowd.series == 2
    assert reading.names.crowd.refused == 2


def test_a_counter_in_a_name() -> None:
    reading = Reading()
    for n in range(0, MOST_SERIES_OF_AGENT + 400, 400):
        batch = reading.send("agents/mad/metrics", {"metrics": {f"x.{n + i}": i for i in range(400)}})
    reading.send("agents/calm/metrics", {"metrics": {"x": 1}})
    assert [one.reason for one in batch.unreadable] == ["too-many-series"]
    assert len(reading.names.series) == 1 + MOST_SERIES_OF_AGENT + 1
    crowd = reading.names.crowd
    assert (crowd.series, crowd.series_of_agent, crowd.largest_agent) == (0, 1, "mad")


def test_a_name_without_end_is_no_agent() -> None:
    reading = Reading()
    batch = reading.send(f"agents/{'x' * (LONGEST_AGENT + 1)}/metrics", {"x": 1})
    assert [one.reason for one in batch.unreadable] == ["shape"]
    assert not reading.agents()


def test_long_ids_do_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MOST_BYTES", 1_000)
    reading = Reading()
    ask = [reading.send("agents/b/inbox/a", {"id": str(n) * 400, "type": "ask"}) for n in range(4)]
    assert [len(batch.interactions) for batch in ask] == [0, 0, 1, 1]
    assert reading.send("agents/a/inbox/b", {"reply_to": "3" * 400}).interactions


def test_it_is_told_for_ten_minutes() -> None:
    crowd, clock = Crowd(), FakeClock()
    watch = CrowdWatch(crowd, clock)
    watch.look()
    assert watch.problems() == ()
    crowd.series_of_agent, crowd.largest_agent = 1, "mad"
    watch.look()
    assert [one.sentence() for one in watch.problems()] == [
        (
            "mad sends more than 2,000 series: its further figures are stored with their messages only. "
            "A counter may stand in a name: mend who sends it."
        )
    ]
    clock.advance(TOLD_US - 1)
    crowd.agents += 1
    watch.look()
    assert [one.code for one in watch.problems()] == ["crowd.agents", "crowd.agent-series"]
    clock.advance(2)
    watch.look()
    assert [one.code for one in watch.problems()] == ["crowd.agents"]
