"""The index of all series: in the order in which people read them, whatever came when, and never at the cost of the window."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from models.domain.names import SeriesKind
from models.domain.series_names import SeriesNamesRequest, SeriesNamesResult, SeriesWords
from tests.widgets.conftest import Desk
from widgets.explore.explore_screen import ExploreScreen
from widgets.plots.series_index import SeriesIndex


def words(metric: str) -> SeriesWords:
    return SeriesWords(metric, "", "1", SeriesKind.GAUGE, "x")


def result_of(series: list[tuple[int, int, str]], *, ordered: bool) -> SeriesNamesResult:
    """Of (id, agent, metric); `ordered` as the store answers."""
    metrics = sorted({metric for _, _, metric in series}) if ordered else list({one[2]: 0 for one in series})
    if ordered:
        series = sorted(series, key=lambda one: (one[1], one[2], one[0]))
    columns = [np.array(column, np.int64) for column in zip(*((id_, agent, metrics.index(m)) for id_, agent, m in series), strict=True)]  # fmt: skip
    return SeriesNamesResult(SeriesNamesRequest(), *columns, tuple(map(words, metrics)), {}, {})


@given(
    st.lists(st.tuples(st.integers(1, 5), st.sampled_from("abcdefgh")), min_size=1, max_size=60),
    st.lists(st.integers(1, 60), max_size=3),
    st.permutations([1, 2, 3, 4, 5]),
    st.booleans(),
)
def test_rows_stand_by_agent_and_name_whatever_came_when(
    series: list[tuple[int, str]], cuts: list[int], agents: list[int], ordered: bool
) -> None:
    every = [(id_, agent, metric) for id_, (agent, metric) in enumerate(series, 1)]
    index = SeriesIndex()
    ends = sorted({0, *(cut for cut in cuts if cut < len(every)), len(every)})
    for place, (begin, end) in enumerate(itertools.pairwise(ends)):
        if place == 1:  # names may come before, after or between
            index.name_agents(agents, list(map(str, agents)), list(map(str, agents)), list(map(str, agents)))
        index.take(result_of(every[begin:end], ordered=ordered))
    index.name_agents(agents, list(map(str, agents)), list(map(str, agents)), list(map(str, agents)))
    wanted = sorted(every, key=lambda one: (agents.index(one[1]), one[2], one[0]))
    assert index.series.tolist() == [id_ for id_, _, _ in wanted]
    assert [index.words[told].metric for told in index.told] == [metric for _, _, metric in wanted]
    each = [sum(one[1] == agent for one in every) for agent in agents]
    assert np.diff(index.starts).tolist() == each


def test_very_many_names_are_learnt_while_the_window_goes_on(explore: ExploreScreen, desk: Desk, qtbot: QtBot) -> None:
    before = len(explore.known.index)
    many = [(10_000 + number, 7, f"m.{number:05}") for number in range(5_000)]
    desk.source.more[SeriesNamesRequest] = lambda _request: result_of(many, ordered=True)
    explore.known.refresh()
    desk.source.answer_all()
    assert len(explore.known.index) == before, "nothing is drawn of half an answer"
    qtbot.waitUntil(lambda: len(explore.known.index) == before + 5_000)
    explore.tree.search.setText("m.04999")
    explore.tree.search_now()
    assert explore.tree.model.rowCount() == 1


def test_what_is_asked_meanwhile_is_asked_after_that(explore: ExploreScreen, desk: Desk, qtbot: QtBot) -> None:
    many = [(10_000 + number, 7, f"m.{number:05}") for number in range(5_000)]
    desk.source.more[SeriesNamesRequest] = lambda _request: result_of(many, ordered=True)
    explore.known.refresh()
    desk.source.answer_all()
    asked = desk.source.count(SeriesNamesRequest)
    explore.known.refresh()
    assert desk.source.count(SeriesNamesRequest) == asked
    qtbot.waitUntil(lambda: desk.source.count(SeriesNamesRequest) == asked + 1)
    assert desk.source.asked[-1].after == 14_999
