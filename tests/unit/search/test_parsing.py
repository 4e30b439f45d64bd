"""Queries: what they say, and where they go wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.problems import EnvironmentProblem
from models.domain.records import Level
from models.domain.search.parsing import parse, parse_parts
from models.domain.search.terms import (
    EVERYTHING,
    All,
    Anywhere,
    Arrived,
    Comparison,
    Either,
    FieldCompares,
    FieldIs,
    LevelIs,
    Not,
)
from models.domain.search.writing import written

NOW_US = 1_700_000_000_000_000
MINUTE_US = 60_000_000
RETRY, ERROR = Anywhere("retry"), LevelIs(Comparison.IS, Level.ERROR)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("", EVERYTHING),
        ("  ", EVERYTHING),
        ("timeout", Anywhere("timeout")),
        ('"timed out"', Anywhere("timed out")),
        (r'"say \"no\" \\ now"', Anywhere(r'say "no" \ now')),
        ("level:error", ERROR),
        ("LEVEL:Warning", LevelIs(Comparison.IS, Level.WARN)),
        ("level>=warn", LevelIs(Comparison.AT_LEAST, Level.WARN)),
        ("level!=info", Not(LevelIs(Comparison.IS, Level.INFO))),
        ("agent:planner-*", FieldIs("agent", ("planner-", ""))),
        ("Agent:planner", FieldIs("agent", ("planner",))),
        ('agent:"a*b c"', FieldIs("agent", ("a*b c",))),
        (r"agent:a\*b", FieldIs("agent", ("a*b",))),
        ('text:"timed out"*', FieldIs("text", ("timed out", ""))),
        ('text:task*" failed"', FieldIs("text", ("task", " failed"))),
        ('text:a"b c"d', FieldIs("text", ("ab cd",))),
        ("http.Status:500", FieldIs("http.Status", ("500",))),
        ("code:*", FieldIs("code", ("", ""))),
        ('"user id":5', FieldIs("user id", ("5",))),
        ('"user id">5', FieldCompares("user id", Comparison.MORE, 5)),
        ('"user id" :5', All((Anywhere("user id"), Anywhere(":5")))),
        ("code!=E*", Not(FieldIs("code", ("E", "")))),
        ("latency>200", FieldCompares("latency", Comparison.MORE, 200)),
        ("latency >= 0.5", FieldCompares("latency", Comparison.AT_LEAST, 0.5)),
        ("latency = 5", FieldIs("latency", ("5",))),
        ("latency<-1e3", FieldCompares("latency", Comparison.LESS, -1000)),
        ("after:10m", Arrived(Comparison.AT_LEAST, NOW_US - 10 * MINUTE_US)),
        ("before:2023-11-14T22:13:20Z", Arrived(Comparison.LESS, NOW_US)),
        ("NOT retry", Not(RETRY)),
        ("-retry", Not(RETRY)),
        ("-level:error", Not(ERROR)),
        ("NOT NOT retry", Not(Not(RETRY))),
        ("level:error retry", All((ERROR, RETRY))),
        ("level:error AND retry", All((ERROR, RETRY))),
        ("level:error OR retry", Either((ERROR, RETRY))),
        ("a b OR c", Either((All((Anywhere("a"), Anywhere("b"))), Anywhere("c")))),
        ("a (b OR c)", All((Anywhere("a"), Either((Anywhere("b"), Anywhere("c")))))),
        ("level:(warn error)", Either((LevelIs(Comparison.IS, Level.WARN), ERROR))),
        ("code:(a OR b*)", Either((FieldIs("code", ("a",)), FieldIs("code", ("b", ""))))),
        ("code!=(a b)", Not(Either((FieldIs("code", ("a",)), FieldIs("code", ("b",)))))),
        ("http://host:80/x", Anywhere("http://host:80/x")),
        ("14:03", Anywhere("14:03")),
        ("a-b", Anywhere("a-b")),
        ("- b", All((Anywhere("-"), Anywhere("b")))),
        ("or", Anywhere("or")),
        ("ORDER", Anywhere("ORDER")),
        ("größe:5", FieldIs("größe", ("5",))),
    ],
)
def test_a_query_says(text: str, term: object) -> None:
    assert parse(text, NOW_US) == term


def test_the_example_of_the_guide() -> None:
    found = parse_parts('level:error agent:planner-* "timeout" NOT retry latency>200 after:10m', NOW_US)
    assert [part.span for part in found] == [(0, 11), (12, 27), (28, 37), (38, 47), (48, 59), (60, 69)]


@pytest.mark.parametrize(
    ("text", "code", "begin", "end"),
    [
        ('level:error "timed', "query.quote", 12, 13),
        ("a (b", "query.bracket", 2, 3),
        ("a (", "query.bracket", 2, 3),
        ("a ()", "query.unexpected", 3, 4),
        ("a )", "query.unexpected", 2, 3),
        ("OR b", "query.unexpected", 0, 2),
        ("AND b", "query.unexpected", 0, 3),
        ("a OR", "query.end", 3, 4),
        ("a AND", "query.end", 4, 5),
        ("a AND OR b", "query.unexpected", 6, 8),
        ("a NOT", "query.end", 4, 5),
        ("NOT )", "query.unexpected", 4, 5),
        ("level:", "query.no-value", 0, 5),
        ("a code: ", "query.no-value", 2, 6),
        ("code:()", "query.no-value", 0, 4),
        ("code:(a", "query.bracket", 5, 6),
        ("level:loud", "query.level", 6, 10),
        ("level:(warn loud)", "query.level", 12, 16),
        ("latency>fast", "query.number", 8, 12),
        ("latency>nan", "query.number", 8, 11),
        ("latency>1_000", "query.number", 8, 13),
        ("latency<-inf", "query.number", 8, 12),
        ("after:tomorrow!", "query.time", 6, 15),
        ("x " + "(" * 60, "query.deep", 52, 53),
        ("a\\", "query.unexpected", 1, 2),
        ("x" * 4_001, "query.long", 4_000, 4_001),
    ],
)
def test_an_error_points_at_its_characters(text: str, code: str, begin: int, end: int) -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        parse(text, NOW_US)
    problem = caught.value.problem
    assert (problem.code, problem.params["begin"], problem.params["end"]) == (code, begin, end)


@given(st.text(alphabet='ab:>=<!*-\\"() ORNTD.0é', max_size=60))
def test_whatever_is_typed_is_read_or_told(text: str) -> None:
    try:
        found = parse(text, NOW_US)
    except EnvironmentProblem as error:
        assert error.problem.code.startswith("query.")  # noqa: PT017 - either is right
        begin, end = int(error.problem.params["begin"]), int(error.problem.params["end"])
        assert 0 <= begin < end <= len(text)
    else:
        assert parse(written(found), NOW_US) == found


_TEXT = st.text(alphabet='ab*:>\\"() ORé-', min_size=1, max_size=8)
_SINGLE = st.one_of(
    st.builds(Anywhere, _TEXT),
    st.builds(
        LevelIs, st.sampled_from([one for one in Comparison if one is not Comparison.NOT]), st.sampled_from(Level)
    ),
    st.builds(
        FieldIs,
        st.sampled_from(["agent", "code", "http.status"]),
        st.lists(_TEXT, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(
        FieldCompares, st.just("latency"), st.sampled_from([Comparison.MORE, Comparison.AT_MOST]), st.floats(-1e9, 1e9)
    ),
    st.builds(Arrived, st.just(Comparison.LESS), st.integers(0, 4_000_000_000_000_000)),
)
_TERM = st.recursive(
    _SINGLE,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=2, max_size=3).map(lambda some: All(tuple(some))),
        st.lists(inner, min_size=2, max_size=3).map(lambda some: Either(tuple(some))),
    ),
    max_leaves=8,
)


@given(_TERM)
def test_what_is_written_reads_the_same(term: object) -> None:
    assert parse(written(term), NOW_US) == term
