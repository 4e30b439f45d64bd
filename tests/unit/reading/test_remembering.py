"""Which declarations are kept for the next start: bounded, and told."""

import pytest

from models.domain.crowd import Crowd
from mqtt.reading import remembering
from mqtt.reading.remembering import Remembering


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
