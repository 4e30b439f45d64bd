"""Which declarations are kept for the next start: bounded, and told."""

import pytest

from models.domain.crowd import Crowd
from mqtt.reading import remembering
from mqtt.reading.remembering import Remembering
from tests.helpers.reading import Reading


def test_no_more_topics_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "MOST_REMEMBERED", 2)
    crowd = Crowd()
    kept = Remembering(crowd)
    assert [kept.takes(topic, 5) for topic in (1, 2, 3, 2)] == [True, True, False, True]
    assert crowd.remembered == 1
    assert kept.takes(1, 0)  # forgotten
    assert kept.takes(9, 0)  # never known
    assert kept.takes(3, 5)
    assert not kept.takes(1, 5)


def test_no_more_bytes_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "MOST_REMEMBERED_BYTES", 100)
    crowd = Crowd()
    kept = Remembering(crowd)
    assert [kept.takes(*one) for one in ((1, 60), (2, 40), (1, 61), (1, 50), (3, 10), (4, 1))] == [
        True, True, False, True, True, False,
    ]  # fmt: skip
    assert crowd.remembered == 2
    assert not kept.takes(1, 51), "and what was known of it is forgotten"
    assert kept.takes(4, 50)


def test_what_there_is_no_room_for_forgets_what_was_said_before(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"dev": {"ids": ["q-1"]}, "stat_t": "ha/q-1/heat", "name": "Heat"}
    monkeypatch.setattr(remembering, "MOST_REMEMBERED_BYTES", 200)
    reading, topic = Reading(), "homeassistant/sensor/n/config"
    assert reading.send(topic, config).remembered == [0]
    batch = reading.send(topic, {**config, "name": "x" * 200})
    assert (batch.remembered, batch.forgotten) == ([], [0])
    assert reading.names.crowd.remembered == 1
