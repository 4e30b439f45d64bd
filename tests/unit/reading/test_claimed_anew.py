"""Topics are claimed anew where something else is known of them, and only those."""

import pytest

from mqtt.reading.generic_recogniser import GenericRecogniser
from tests.helpers.reading import Reading


@pytest.fixture
def claimed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Topics that the generic recogniser was asked for."""
    found: list[str] = []
    claim = GenericRecogniser.claim

    def noted(self, topic, levels, message, sink):
        found.append("/".join(levels))
        return claim(self, topic, levels, message, sink)

    monkeypatch.setattr(GenericRecogniser, "claim", noted)
    return found


def test_somebody_new_changes_nothing_for_all_others(claimed: list[str]) -> None:
    reading = Reading()
    topics = [f"site/host-{n}/metrics" for n in range(50)] + ["site/press/oven/metrics"]
    for _ in range(2):
        reading.read(*(reading.message(topic, {"cpu": 1}) for topic in topics))
    assert len(claimed) == len(topics)
    claimed.clear()
    reading.send("agents/press/status", {"state": "online", "interval_s": 5})
    reading.send("homeassistant/sensor/n/config", {"dev": {"ids": ["q-1"]}, "stat_t": "ha/q-1/heat", "name": "Heat"})
    reading.read(*(reading.message(topic, {"cpu": 2}) for topic in topics))
    assert claimed == ["site/press/oven/metrics"]
    assert [one.agent for one in reading.points][-1] == "press"
