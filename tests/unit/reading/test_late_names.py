"""The reader notices that what it read by a guess has a name now, and since when."""

import pytest

from tests.helpers.reading import ARRIVAL_US, Reading
from tests.unit.app.test_foretelling import CASES, CONFIG, HOME_ASSISTANT

LATER_US = 10_000_000


@pytest.mark.parametrize("case", CASES)
def test_what_was_guessed_in_an_earlier_batch_is_noticed_once(case: str) -> None:
    values, announced = CASES[case]
    reading = Reading()
    assert reading.send("somebody/else/load", 5).late_since_us == 0
    for topic, said in values[:5]:
        reading.now_us += 1
        assert reading.send(topic, said).late_since_us == 0
    reading.now_us += LATER_US
    found = [reading.send(topic, said).late_since_us for topic, said in announced]
    assert [one for one in found if one] == [ARRIVAL_US + 1]
    for _ in range(2):
        for topic, said in (*values[:5], *announced):
            reading.now_us += 1
            assert reading.send(topic, said).late_since_us == 0


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_late_where_the_announcement_comes_first(case: str) -> None:
    values, announced = CASES[case]
    for together in (False, True):
        reading = Reading()
        messages = [reading.message(topic, said) for topic, said in announced]
        found = [reading.read(*messages)] if together else [reading.read(one) for one in messages]
        found += [reading.send(topic, said) for topic, said in values[:5]]
        found += [reading.send(topic, said) for topic, said in announced]
        assert not any(one.late_since_us for one in found)
    reading = Reading()
    lines = (*values[:5], *announced)
    assert not reading.read(*(reading.message(*line) for line in lines)).late_since_us, (
        "of one batch all is heard first"
    )


def test_of_several_the_first_arrival_counts() -> None:
    reading = Reading()
    for number in range(3):
        reading.now_us += 1_000
        reading.send(f"odd/{number}/a", '{"x":5}')
    configs = [{**CONFIG, "stat_t": f"odd/{n}/a", "avty_t": f"odd/{n}/b", "dev": {"ids": f"box-{n}"}} for n in (2, 1)]
    messages = [reading.message(f"homeassistant/sensor/x{n}/config", one) for n, one in enumerate(configs)]
    assert reading.read(*messages).late_since_us == ARRIVAL_US + 2_000


def test_what_lies_beside_a_device_is_its_own_when_it_is_announced() -> None:
    """Of topics that nobody declares, but in the home of who is announced; others stay as they are."""
    config = {"name": "Load", "stat_t": "site/press/load", "dev": {"ids": "press", "name": "Press"}}
    for topic, before, late in (("site/press/left/heat", "press/left", True), ("site/box7/motor/heat", "box7", False)):
        reading = Reading()
        reading.send(topic, "5")
        assert reading.agents() == {before}
        assert reading.send("homeassistant/sensor/y/config", config).late_since_us == (ARRIVAL_US if late else 0)
        reading.send(topic, "5")
        assert reading.points[-1].agent == ("press" if late else before)


def test_to_guess_is_right_where_a_declaration_was_taken_back() -> None:
    reading = Reading()
    topic, config = HOME_ASSISTANT
    for said in (config, ""):
        assert not reading.send(topic, said).late_since_us
    reading.send("odd/7/a", '{"x":5}')
    assert not reading.send(topic, config).late_since_us


def test_somebody_new_elsewhere_is_nothing_to_whoever_is_known() -> None:
    reading = Reading()
    for n in range(20):
        reading.send(f"site/host-{n}/metrics", {"cpu": 1})
    reading.send("agents/press/status", {"state": "online", "interval_s": 5})
    assert not reading.send(*HOME_ASSISTANT).late_since_us
    assert not reading.send("zigbee2mqtt/bridge/info", {"version": "2.0", "coordinator": {}}).late_since_us
