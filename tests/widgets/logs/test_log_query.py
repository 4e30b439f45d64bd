"""Text and pills say the same."""

import pytest

from models.domain.records import Level
from models.domain.search.terms import All, Anywhere, Comparison, FieldIs, LevelIs, Not
from tests.helpers.clock import FakeClock
from widgets.logs.log_query import LogQuery

ERROR, RETRY = LevelIs(Comparison.IS, Level.ERROR), Anywhere("retry")
PLANNER = FieldIs("agent", ("planner",))


@pytest.fixture
def query(qapp: object) -> LogQuery:
    one = LogQuery(FakeClock())
    one.changes = []
    one.changed.connect(lambda: one.changes.append(one.text))
    return one


def test_what_is_typed_becomes_pills(query: LogQuery) -> None:
    query.write("level:error  NOT retry")
    assert [(pill.text, pill.negated) for pill in query.pills] == [("level:error", False), ("NOT retry", True)]
    assert query.term() == All((ERROR, Not(RETRY)))
    query.write("level:error  NOT retry ")
    assert query.changes == ["level:error  NOT retry"]


def test_a_pill_is_switched_off_turned_round_and_taken_away(query: LogQuery) -> None:
    query.write("level:error retry")
    query.toggle(0)
    assert (query.text, query.term()) == ("retry", RETRY)
    query.toggle(0)
    assert query.text == "level:error retry"
    query.invert(1)
    assert query.text == "level:error NOT retry"
    query.invert(1)
    assert query.text == "level:error retry"
    query.remove(0)
    assert (query.text, query.term()) == ("retry", RETRY)
    query.clear()
    assert (query.text, query.pills, query.narrows) == ("", (), False)


def test_what_is_switched_off_survives_typing(query: LogQuery) -> None:
    query.write("level:error retry")
    query.toggle(0)
    query.write("retry x")
    assert [(pill.text, pill.enabled) for pill in query.pills] == [("retry", True), ("x", True), ("level:error", False)]
    query.write("retry level:error")  # said again it counts again
    assert [(pill.text, pill.enabled) for pill in query.pills] == [("retry", True), ("level:error", True)]


def test_a_condition_is_added_once_and_replaces_its_opposite(query: LogQuery) -> None:
    query.write("retry")
    query.add(PLANNER)
    query.add(PLANNER)
    assert query.text == "retry agent:planner"
    query.add(Not(PLANNER))
    assert query.text == "retry NOT agent:planner"
    query.toggle(1)
    query.add(Not(PLANNER))
    assert query.text == "retry NOT agent:planner"


def test_alternatives_stay_together(query: LogQuery) -> None:
    query.write("level:error OR retry")
    query.add(PLANNER)
    assert query.term() == All((query.pills[0].term, PLANNER))
    assert query.text == "(level:error OR retry) agent:planner"
    query.remove(1)
    assert query.text == "level:error OR retry"


def test_what_makes_no_sense_is_told_and_changes_nothing(query: LogQuery) -> None:
    query.write("retry")
    query.write("retry level:eror")
    assert query.problem is not None
    assert (query.problem.params["begin"], query.problem.params["end"]) == (12, 16)
    assert (query.term(), query.changes) == (RETRY, ["retry"])
    query.add(ERROR)  # a click goes on from what made sense
    assert (query.problem, query.text) == (None, "retry level:error")


def test_times_ago_count_from_when_it_is_asked(qapp: object) -> None:
    clock = FakeClock()
    query = LogQuery(clock)
    query.write("after:10m")
    before = query.term()
    clock.advance(60_000_000)
    assert query.term().moment_us == before.moment_us + 60_000_000
