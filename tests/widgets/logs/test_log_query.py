"""Text and pills say the same."""

import pytest

from models.domain.records import Level
from models.domain.search.terms import All, Anywhere, Comparison, Either, FieldIs, LevelIs, Not
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


def test_an_alternative_stays_one_condition_wherever_it_stands(query: LogQuery) -> None:
    either = Either((Anywhere("a"), Anywhere("b")))
    query.write("a OR b")
    query.toggle(0)
    query.write("retry")
    query.toggle(1)
    assert (query.text, query.term()) == ("retry (a OR b)", All((RETRY, either)))
    query.write("level:error NOT (a OR b)")
    query.invert(1)
    assert (query.text, query.term()) == ("level:error (a OR b)", All((ERROR, either)))
    for text in ("(a OR b) retry", "level:(error OR warn) retry"):  # no brackets are added to those that stand there
        query.write(text)
        query.toggle(1)
        query.toggle(1)
        assert query.text == text


def test_what_would_be_too_long_is_told_and_the_query_stays(query: LogQuery) -> None:
    query.write("retry")
    query.add(Anywhere("x" * 5_000))
    assert query.problem.code == "query.long"
    assert (query.text, query.term()) == ("retry", RETRY)
    query.add(PLANNER)
    assert query.problem is None


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
