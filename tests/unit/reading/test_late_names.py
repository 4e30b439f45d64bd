"""The reader notices that what it read by a guess has a name now, and since when."""

import pytest

from mqtt.reading.reader import Reader
from tests.helpers.clock import FakeClock
from tests.helpers.reading import Reading
from tests.unit.app.test_foretelling import CASES, HOME_ASSISTANT


@pytest.mark.parametrize("case", CASES)
def test_what_was_guessed_in_an_earlier_batch_is_noticed_once(case: str) -> None:
    values, announced = CASES[case]
    reading = Reading()
    assert reading.send("somebody/else/load", 5).late == []
    for topic, said in values[:5]:
        assert reading.send(topic, said).late == []
    found = {reading.names.topics[id_] for topic, said in announced for id_ in reading.send(topic, said).late}
    assert found == {topic.encode() for topic, _ in values[:5]}
    for _ in range(2):
        for topic, said in (*values[:5], *announced):
            assert reading.send(topic, said).late == []


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_late_where_the_announcement_comes_first(case: str) -> None:
    values, announced = CASES[case]
    for together in (False, True):
        reading = Reading()
        messages = [reading.message(topic, said) for topic, said in announced]
        found = [reading.read(*messages)] if together else [reading.read(one) for one in messages]
        found += [reading.send(topic, said) for topic, said in values[:5]]
        found += [reading.send(topic, said) for topic, said in announced]
        assert not any(one.late for one in found)
    reading = Reading()
    lines = (*values[:5], *announced)
    assert not reading.read(*(reading.message(*line) for line in lines)).late, "of one batch all is heard first"


def test_what_an_earlier_run_read_is_noticed_unless_it_was_declared_then() -> None:
    topic, config = HOME_ASSISTANT
    for declared in (False, True):
        before = Reading()
        if declared:
            before.send(topic, config)
        before.send("odd/7/a", '{"x":5}')
        reading = Reading()
        reading.names = before.names
        reading.reader = Reader(before.names, "agents", FakeClock())
        if declared:
            reading.reader.recall([reading.message(topic, config)])
        found = [reading.names.topics[id_] for id_ in reading.send(topic, config).late]
        assert found == ([] if declared else [b"odd/7/a"])
        assert reading.send(topic, {**config, "name": "Other"}).late == []


def test_what_lies_beside_a_device_is_its_own_when_it_is_announced() -> None:
    """Of topics that nobody declares, but in the home of who is announced; others stay as they are."""
    config = {"name": "Load", "stat_t": "site/press/load", "dev": {"ids": "press", "name": "Press"}}
    for topic, before, late in (("site/press/left/heat", "press/left", True), ("site/box7/motor/heat", "box7", False)):
        reading = Reading()
        reading.send(topic, "5")
        assert reading.agents() == {before}
        assert reading.send("homeassistant/sensor/y/config", config).late == ([1] if late else [])
        reading.send(topic, "5")
        assert reading.points[-1].agent == ("press" if late else before)


@pytest.mark.parametrize("described", [("$unit", "°C"), ("$datatype", "enum")])
def test_what_homie_describes_after_its_values_is_noticed(described: tuple[str, str]) -> None:
    reading, topic = Reading(), "homie/pump/motor/heat"
    reading.send("homie/pump/$homie", "4.0.0")
    for _ in range(12):
        assert reading.send(topic, "21").late == []
    assert len(reading.points) == 12, "without a description, it goes on without a unit"
    assert reading.send(f"{topic}/{described[0]}", described[1]).late == []
    assert [reading.names.topics[id_] for id_ in reading.send(topic, "21").late] == [topic.encode()]
    assert reading.send(topic, "21").late == []


def test_to_guess_is_right_where_a_declaration_was_taken_back() -> None:
    reading = Reading()
    topic, config = HOME_ASSISTANT
    for said in (config, ""):
        assert not reading.send(topic, said).late
    reading.send("odd/7/a", '{"x":5}')
    assert not reading.send(topic, config).late


def test_somebody_new_elsewhere_is_nothing_to_whoever_is_known() -> None:
    reading = Reading()
    for n in range(20):
        reading.send(f"site/host-{n}/metrics", {"cpu": 1})
    reading.send("agents/press/status", {"state": "online", "interval_s": 5})
    assert not reading.send(*HOME_ASSISTANT).late
    assert not reading.send("zigbee2mqtt/bridge/info", {"version": "2.0", "coordinator": {}}).late
