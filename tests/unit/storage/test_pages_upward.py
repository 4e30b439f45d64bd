"""From any row or moment on a list goes on in both directions, over the same rows."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from models.domain.queries import CancelToken, LogRequest, MessageRequest, RowKey
from models.storage.history import row_pages
from models.storage.history.log_lists import answer_logs
from models.storage.history.message_lists import answer_messages
from models.storage.history.store_view import StoreView
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.history_builder import HistoryBuilder, raw
from tests.unit.storage.test_log_queries import query
from tests.unit.storage.test_sealed_lists import views

__all__ = ["views"]


@pytest.fixture(params=[-1.0, 3_600.0], ids=["a page a step", "whole pages"], autouse=True)
def patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_pages, "PAGE_S", request.param)
    monkeypatch.setattr(row_pages, "FIRST_STEP", 70)
    monkeypatch.setattr(row_pages, "MET_AT_ONCE", 9)


def keys(view: StoreView, request: Any) -> list[RowKey]:
    found: list[RowKey] = []
    answer = answer_logs if isinstance(request, LogRequest) else answer_messages
    while True:
        (page,) = answer(view, request, CancelToken())
        found += [row.key for row in page.rows]
        if page.reach.searched is None:
            return found
        request = replace(request, **{"after" if request.oldest_first else "before": page.reach.searched})


def requests() -> Iterator[LogRequest | MessageRequest]:
    chance = random.Random(8)
    for _ in range(12):
        yield LogRequest(query=query(chance), agent=chance.choice((0, 2)), limit=chance.choice((7, 5_000)))
        text = chance.choice(("", "refused", "nowhere"))
        yield MessageRequest(text=text, agent=chance.choice((0, 2)), topic=chance.choice((b"", b"a/x")), limit=50)


def test_upward_are_the_same_rows_as_downward(views: tuple[StoreView, StoreView]) -> None:
    chance = random.Random(1)
    for request in requests():
        for view in views:
            down = keys(view, request)
            up = keys(view, replace(request, oldest_first=True))
            assert up == down[::-1], request
            if len(down) > 5:
                key = chance.choice(down)
                place = down.index(key)
                assert keys(view, replace(request, before=key)) == down[place + 1 :]
                assert keys(view, replace(request, after=key, oldest_first=True)) == down[:place][::-1]
            moment = RowKey(T0 + chance.randrange(5_000_000_000), 0, 0)
            assert keys(view, replace(request, after=moment, oldest_first=True)) == [one for one in up if one > moment]


def test_rows_of_captures_that_overlap_are_merged_upward_too(tmp_path: Any) -> None:
    builder = HistoryBuilder(Workspace.at(tmp_path))
    one = builder.agent("one")
    for offset in (0, 3, 5):
        segment = builder.segment()
        segment.write(builder.messages([raw("t", b"x", T0 + 10 * n + offset * (n % 3)) for n in range(30)], one))
        segment.close()
    builder.close()
    view = StoreView(builder.workspace)
    view.refresh()
    down = keys(view, MessageRequest(limit=4))
    assert len(down) == 90
    assert down == sorted(down, reverse=True)
    assert keys(view, MessageRequest(limit=4, oldest_first=True)) == down[::-1]
    for place in (0, 17, 44, 89):
        assert keys(view, MessageRequest(limit=4, after=down[place], oldest_first=True)) == down[:place][::-1]
    view.close()
