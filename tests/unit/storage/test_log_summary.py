"""The histogram and the facets beside a list tell of the very records that it lists."""

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.domain.messages import Kind
from models.domain.queries import CancelToken, LogLine, LogRequest, LogSummaryRequest, LogSummaryResult
from models.domain.records import Level, LogRow
from models.domain.search.parsing import parse
from models.domain.search.patterns import term_of
from models.domain.search.terms import All
from models.storage.history import log_summary
from models.storage.history.log_lists import answer_logs
from models.storage.history.log_summary import answer_log_summary
from models.storage.history.store_view import StoreView
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.history_builder import HistoryBuilder, raw
from tests.unit.storage.test_log_queries import query, views, workspaces

__all__ = ["views", "workspaces"]
MINUTE_US = 60_000_000
BEGIN_US = T0 // MINUTE_US * MINUTE_US
END_US = BEGIN_US + 30 * MINUTE_US
COUNTED = (
    "",
    "level:error",
    "level>=warn agent:planner-*",
    "NOT agent:crawler",
    "level:(info fatal) NOT agent:planner-1",
)


def lines(view: StoreView, request: LogRequest) -> list[LogLine]:
    rows: list[LogLine] = []
    while True:
        (page,) = answer_logs(view, request, CancelToken())
        rows += page.rows
        if page.reach.searched is None:
            return rows
        request = replace(request, before=page.reach.searched)


def summary(view: StoreView, request: LogSummaryRequest) -> LogSummaryResult:
    *partial, last = answer_log_summary(view, request, CancelToken())
    assert [one.complete for one in partial] == [False] * len(partial)
    assert last.complete
    return last


def test_the_histogram_counts_what_is_listed(views: list[StoreView]) -> None:
    chance = random.Random(3)
    terms = [parse(text, T0) for text in COUNTED] + [query(chance) for _ in range(25)]
    for term in terms:
        cell_us = chance.choice((MINUTE_US, 5 * MINUTE_US, 10_000_000))
        agent = chance.choice((0, 0, 1, 3))
        request = LogSummaryRequest(term, BEGIN_US, END_US, cell_us, agent)
        for view in views:
            wanted = np.zeros(((END_US - BEGIN_US) // cell_us, 1 + max(Level)), np.int64)
            for line in lines(view, LogRequest(agent, term, since_us=BEGIN_US, until_us=END_US)):
                wanted[(line.key.received_us - BEGIN_US) // cell_us, line.level] += 1
            found = summary(view, request)
            assert (found.counts == wanted).all(), (term, cell_us)
            assert found.counted_us == BEGIN_US
            assert found.sampled == wanted.sum()
            assert (summary(view, replace(request, facets=False)).counts == wanted).all()


def test_levels_and_agents_are_counted_without_the_records(
    views: list[StoreView], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_summary, "SAMPLED", 5)
    for text in COUNTED:
        request = LogSummaryRequest(parse(text, T0), BEGIN_US, END_US, MINUTE_US)
        for view in views:
            found = summary(view, request)
            assert found.counts.sum() == len(lines(view, LogRequest(0, request.query)))
            assert found.sampled == 5


def test_facets_tell_what_is_frequent(views: list[StoreView]) -> None:
    term = parse("level>=warn", T0)
    for view in views:
        records = lines(view, LogRequest(0, term))
        found = {one.field: one for one in summary(view, LogSummaryRequest(term, BEGIN_US, END_US, MINUTE_US)).facets}
        levels = Counter(line.level.name.lower() for line in records)
        assert dict(found["level"].values) == dict(levels)
        assert found["level"].records == len(records)
        assert found["agent"].records == sum(line.agent != 0 for line in records)
        assert {"code", "http.status", "latency", "attributes.level"} <= found.keys()
        for facet in found.values():  # what a click on a value makes of it finds as many
            for value, n in facet.values[:3]:
                clicked = term_of(facet.field, value)
                if value and not facet.field.startswith(("error", "http.status")):  # those may stand in others
                    assert len(lines(view, LogRequest(0, All((term, clicked))))) >= n, (facet.field, value)


def test_of_a_long_list_only_the_beginning_is_tallied(tmp_path: Path) -> None:
    builder = HistoryBuilder(Workspace.at(tmp_path / "w"))
    segment = builder.segment()
    batch = builder.messages([raw("logs/x", b"x", T0)], builder.agent("a"), Kind.LOG)
    batch.logs.append(LogRow(0, T0, 1, Level.INFO, None, "x", None, None, json.dumps({"ids": list(range(10_000))})))
    segment.write(batch)
    segment.close()
    builder.close()
    view = StoreView(builder.workspace)
    view.refresh()
    facets = summary(view, LogSummaryRequest(parse("", T0), BEGIN_US, END_US, MINUTE_US)).facets
    ids = next(facet for facet in facets if facet.field == "ids")
    assert len(ids.values) + ids.others == 50
    view.close()


def test_a_long_search_tells_how_far_it_is(views: list[StoreView], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_summary, "TELL_S", -1.0)
    request = LogSummaryRequest(parse("latency:*", T0), BEGIN_US, END_US, MINUTE_US)
    for view in views:
        pages = list(answer_log_summary(view, request, CancelToken()))
        assert len(pages) > 3
        reached = [one.counted_us for one in pages]
        assert reached == sorted(reached, reverse=True)
        totals = [int(one.counts.sum()) for one in pages]
        assert totals == sorted(totals)
        assert [one.complete for one in pages].count(True) == 1
