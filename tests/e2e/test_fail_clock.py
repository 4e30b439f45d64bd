"""Somebody sets this computer's clock by a day while it records: intervals stay right, the step is told, nothing is lost."""

import json
from datetime import datetime, timedelta

import pytest

from models.domain.control import Link
from tests.helpers.poll import until
from tests.helpers.sessions import Publisher
from tests.helpers.troubled_recorder import Troubled

pytestmark = pytest.mark.services


@pytest.fixture
def make(tmp_path):
    made = []

    def one(trouble):
        made.append(Troubled(tmp_path / "workspace", trouble))
        return made[-1]

    yield one
    for each in made:
        each.close()


def moment(row, name):
    return datetime.fromisoformat(row[name])


def gaps(recording, cause):
    return [row for row in recording.export("gaps") if row["cause"] == cause]


def on_topic(recording, topic):
    return [row for row in recording.export("messages") if row["topic"] == topic]


def segments(recording):
    return sorted(int(file.stem) for file in recording.workspace.segments.glob("*.db"))


@pytest.mark.parametrize(("trouble", "days"), [("clock-forward", 1), ("clock-back", -1)])
def test_a_step_of_a_day_closes_the_segment_and_ends_no_interval(make_broker, make, trouble, days):
    broker = make_broker(persistence=True)
    recording = make(trouble).start("--broker", broker.url)
    with Publisher(broker.port) as say:
        say("agents/a/status", json.dumps({"state": "online", "interval_s": 10}))
        say("t", "before")
        recording.stored(2)
        assert segments(recording) == [1]
        recording.strike()
        until(lambda: say("tick", "x") or gaps(recording, "clock-step"), "the step is told")
        say("t", "after")
        until(lambda: len(on_topic(recording, "t")) == 2, "it is stored")
        state = recording.state
        assert state.link is Link.CONNECTED
        assert state.counters.lag_us < 10_000_000, "measured by the clock that nobody sets"
    until(lambda: segments(recording) == [1, 2], "another segment began")
    broker.stop()
    recording.when(lambda one: one.link is Link.WAITING, "the end of the link is noticed")
    broker.start()
    recording.connected()  # whatever waits for the next attempt waits by that clock, too
    before, after = on_topic(recording, "t")[::days]
    assert (before["payload"], after["payload"]) == ("before", "after")
    apart = moment(after, "time") - moment(before, "time")
    assert abs(apart - timedelta(days=days)) < timedelta(minutes=2)
    (step,) = gaps(recording, "clock-step")
    assert abs(moment(step, "until") - moment(step, "since") - timedelta(days=1)) < timedelta(minutes=2)
    (away,) = until(lambda: gaps(recording, "not-connected"), "the gap is told")
    assert timedelta() <= moment(away, "until") - moment(away, "since") < timedelta(minutes=2)
    words = [(row["presence"], row["cause"]) for row in recording.export("presence") if row["agent"] == "a"]
    assert ("offline", "silence") not in words, "no interval of ten seconds passed"
    assert "online" in [word for word, _ in words]
    assert recording.stop() == 0
