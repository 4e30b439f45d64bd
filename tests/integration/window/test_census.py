from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QObject

from app.window.census import CENSUS, Census
from models.domain.control import Link, RecorderState
from models.domain.presence_words import Presence
from models.domain.queries import (
    FleetRequest,
    FleetResult,
    RowKey,
    UnreadableRequest,
    UnreadableResult,
    UnreadableTopic,
)

STATE = RecorderState(7, "0.1.0", 1, "window", 0, Link.CONNECTED, 5, "mqtt://h:1883")
TOPIC = UnreadableTopic(b"t", 3, "text", RowKey(1, 1, 1), b"?")


class Source:
    def __init__(self) -> None:
        self.asked: list[object] = []
        self.conventions: list[str] = []
        self.topics: tuple[UnreadableTopic, ...] = ()

    def ask(self, request: object, deliver: Callable[[object], object]) -> SimpleNamespace:
        self.asked.append(request)
        if isinstance(request, FleetRequest):
            result = FleetResult.__new__(FleetResult)
            object.__setattr__(result, "convention", self.conventions)
            object.__setattr__(result, "presence", np.full(len(self.conventions), int(Presence.ONLINE), np.uint8))
            deliver(result)
        else:
            assert isinstance(request, UnreadableRequest)
            deliver(UnreadableResult(request, self.topics))
        return SimpleNamespace(cancel=lambda: None)


@pytest.fixture
def bench(qapp: QObject) -> SimpleNamespace:
    shown: list[object] = []
    told: dict[str, object] = {}
    notices = SimpleNamespace(show_notice=lambda notice: told.update({notice.key: notice}))
    source = Source()
    census = Census(notices, source, lambda: shown.append("missing"), qapp)
    census._settled.setInterval(0)
    return SimpleNamespace(census=census, source=source, told=told, shown=shown)


def test_who_is_there_and_what_cannot_be_read(bench, qtbot) -> None:
    bench.source.conventions = ["", "", "home-assistant", "a2a", "", "home-assistant"]
    bench.source.topics = (TOPIC, TOPIC)
    bench.census.recorder_told(STATE)
    qtbot.waitUntil(lambda: CENSUS in bench.told)
    notice = bench.told[CENSUS]
    assert notice.sentence == "6 agents: 3 home-made, 2 Home Assistant, 1 A2A."
    assert (notice.remedy, notice.action) == ("2 topics cannot be read.", "Show them")
    notice.on_action()
    assert bench.shown == ["missing"]


def test_where_all_is_read_there_is_nothing_to_show(bench, qtbot) -> None:
    bench.source.conventions = ["sparkplug"]
    bench.census.recorder_told(STATE)
    qtbot.waitUntil(lambda: CENSUS in bench.told)
    assert (bench.told[CENSUS].sentence, bench.told[CENSUS].action) == ("One agent: Sparkplug B.", "")


def test_once_a_connection_and_not_of_our_own_broker(bench, qtbot) -> None:
    bench.source.conventions = ["a2a"]
    bench.census.recorder_told(replace(STATE, embedded=True))
    bench.census.recorder_told(STATE)
    bench.census.recorder_told(replace(STATE, link=Link.CONNECTING))
    bench.census.recorder_told(STATE)
    bench.census.recorder_told(STATE)
    qtbot.waitUntil(lambda: CENSUS in bench.told)
    assert len(bench.source.asked) == 2
