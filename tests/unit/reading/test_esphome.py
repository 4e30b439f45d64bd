"""Log lines of ESPHome nodes, in colour or without."""

import pytest

from models.domain.messages import Origin
from models.domain.records import Level
from tests.helpers.reading import Reading, recorded


@pytest.mark.parametrize(
    ("line", "level", "logger", "text"),
    [
        (
            "\x1b[0;36m[D][sensor:093]: 'Uptime': Sending state 12.3\x1b[0m",
            Level.DEBUG,
            "sensor",
            "'Uptime': Sending state 12.3",
        ),
        ("[I][app:102]: ESPHome version 2026.9", Level.INFO, "app", "ESPHome version 2026.9"),
        ("[C][wifi:416]: WiFi:\n  SSID: x", Level.INFO, "wifi", "WiFi:\n  SSID: x"),
        ("[08:00:01][W][dht:60]: Invalid readings", Level.WARN, "dht", "Invalid readings"),
        ("[08:00:01.123][E][component:119][loop]: took too long", Level.ERROR, "component", "took too long"),
        ("[V][json:1]: y", Level.DEBUG, "json", "y"),
        ("[VV][scheduler:100]: x", Level.TRACE, "scheduler", "x"),
    ],
)
def test_lines(line: str, level: Level, logger: str, text: str) -> None:
    reading = Reading()
    batch = reading.send("kitchen-node/debug", line)
    assert [(one.level, one.logger, one.text) for one in batch.logs] == [(level, logger, text)]
    assert [one.convention for one in batch.declarations] == ["esphome"]
    assert reading.agents() == {"kitchen-node"}
    assert not reading.send("kitchen-node/debug", line, Origin.REPLAY).logs
    assert [one.text for one in reading.send("kitchen-node/debug", "odd").logs] == ["odd"]


@pytest.mark.parametrize("line", ["[1,2]", "[]", '["D"]', "[X][a:1]: b", "[D] x", "\x1b[0m", "plain", "[D][a b:1]: c"])
def test_other_lines_are_not_claimed(line: str) -> None:
    reading = Reading()
    assert not reading.send("kitchen-node/debug", line).declarations


def test_of_an_announced_node_they_are_the_same_agents() -> None:
    reading = Reading()
    messages = recorded("synthetic-esphome")
    conventions = [one.convention for message in messages for one in reading.read(message).declarations]
    assert (reading.agents(), conventions) == ({"kitchen-node"}, ["home-assistant"])


def test_what_a_node_answers_tells_of_it_and_measures_nothing() -> None:
    reading = Reading()
    answer = {"ip": "10.0.0.9", "port": 6053, "name": "porch", "friendly_name": "Porch", "version": "2026.9.1"}
    reading.send("esphome/discover", "")
    assert not reading.send("esphome/discover/porch", answer, Origin.REPLAY).declarations
    reading.send("porch/status", "online")
    batch = reading.send("esphome/discover/porch", answer)
    assert [(one.name, one.version) for one in batch.declarations] == [("Porch", "2026.9.1")]
    assert (reading.agents(), reading.points, batch.unreadable) == ({"porch"}, [], [])
