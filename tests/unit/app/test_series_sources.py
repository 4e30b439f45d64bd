import json

from app.series_sources import series_sources
from models.domain.messages import Origin, RawMessage
from models.domain.rules import Rules, rule_of
from tests.helpers.clock import FakeClock
from tests.helpers.reading import ARRIVAL_US


def message(topic: bytes, payload: object) -> RawMessage:
    return RawMessage(topic, json.dumps(payload).encode(), 0, False, False, 0, None, ARRIVAL_US, Origin.LIVE, 1)


def test_topics_and_rules_of_each_series() -> None:
    rules = Rules((
        rule_of({"topic": "noise/#", "means": "ignore"}),
        rule_of({"topic": "plant/{agent}/+", "means": "number", "path": "v", "metric": "speed"}),
    ))  # fmt: skip
    newest = [message(b"plant/a-1/out", {"v": 1, "w": 2}), message(b"plant/a-1/out", {"v": 1}),
              message(b"plant/a-1/in", {"v": 1}), message(b"plant/b-1/in", {"v": 1}), message(b"noise/a-1", {"v": 1})]  # fmt: skip
    found = series_sources("a-1", newest, (), rules, "agents", FakeClock())
    assert {name: (one.topics, one.rules) for name, one in found.items()} == {
        "speed": ([b"plant/a-1/out", b"plant/a-1/in"], [2]),
        "w": ([b"plant/a-1/out"], []),
    }


def test_what_was_declared_before_is_known() -> None:
    config = {"name": "Load", "stat_t": "x/y", "unit_of_meas": "%", "uniq_id": "u1", "dev": {"ids": "box-7"}}
    declared = [message(b"homeassistant/sensor/u1/config", config)]
    found = series_sources("box-7", [message(b"x/y", 5)], declared, Rules(), "agents", FakeClock())
    assert [one.topics for one in found.values()] == [[b"x/y"]]
