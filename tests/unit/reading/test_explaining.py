import json

from models.domain.messages import Origin, RawMessage
from models.domain.rules import Rules, rule_of
from mqtt.reading.explaining import message_why, series_sources
from mqtt.reading.home_made_talk import HomeMadeTalk
from mqtt.reading.registry import recognisers, word_of
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


def test_every_convention_has_its_word() -> None:
    unnamed = [type(one).__name__ for one in recognisers("agents", HomeMadeTalk(["agents"])) if not word_of(one)]
    assert unnamed == ["OtherRecogniser"], "of which nothing is read"


def test_what_a_message_is_read_as_and_by_whom() -> None:
    rules = Rules((
        rule_of({"topic": "plant/{agent}/out", "means": "number", "path": "v", "metric": "speed"}),
        rule_of({"topic": "plant/{agent}/says", "means": "log"}),
        rule_of({"topic": "noise/#", "means": "ignore"}),
    ))  # fmt: skip

    def told(topic: bytes, payload: object) -> tuple[str, list[int], bool, list[tuple[str, str, list[int]]]]:
        why = message_why(message(topic, payload), (), rules, "agents", FakeClock())
        return why.source, why.rules, why.ignored, [(row.what, row.source, row.rules) for row in why.rows]

    assert told(b"plant/a-1/out", {"v": 1, "w": 2}) == (
        "generic",
        [1],
        False,
        [("speed", "rule", [1]), ("w", "generic", [])],
    )
    assert told(b"plant/a-1/says", "hot") == ("generic", [2], False, [("log", "rule", [2])])
    assert told(b"agents/a-1/log", {"message": "x"}) == ("murmurscope", [], False, [("log", "murmurscope", [])])
    assert told(b"noise/a-1", {"v": 1}) == ("generic", [3], True, [])
    assert told(b"cmnd/plug/POWER", "ON")[3] == []
