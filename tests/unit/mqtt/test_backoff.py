import random

from models.domain.connection import Protocol
from mqtt.backoff import Backoff
from mqtt.versions import VersionChoice


def test_delays_double_up_to_thirty_seconds_with_jitter() -> None:
    backoff = Backoff(random.Random(1))
    delays = [backoff.next_delay_s() for _ in range(12)]
    for at, longest in enumerate([1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30, 30]):
        assert longest / 2 <= delays[at] <= longest
    assert len(set(delays)) == len(delays)
    assert min(delays[5:]) >= 10  # no more than six attempts a minute


def test_who_is_not_there_is_met_within_five_seconds_of_coming_back() -> None:
    backoff = Backoff(random.Random(1))
    delays = [backoff.next_delay_s(nobody=True) for _ in range(100)]
    assert max(delays) <= 4
    assert min(delays[3:]) >= 2
    assert backoff.next_delay_s() >= 15, "whoever answers and fails is asked rarely all the same"


def test_reset_begins_anew() -> None:
    backoff = Backoff(random.Random(1))
    for _ in range(10_000):
        backoff.next_delay_s()
    backoff.reset()
    assert backoff.next_delay_s() <= 1


def test_falls_back_once_and_remembers_what_answered() -> None:
    choice = VersionChoice(Protocol.AUTO)
    assert choice.current is Protocol.MQTT_5
    assert choice.turned_away()
    assert choice.current is Protocol.MQTT_311
    choice.answered()
    assert not choice.turned_away()
    assert choice.current is Protocol.MQTT_311


def test_returns_to_5_when_neither_is_answered() -> None:
    choice = VersionChoice(Protocol.AUTO)
    assert choice.turned_away()
    assert not choice.turned_away()
    assert choice.current is Protocol.MQTT_5


def test_a_broker_that_spoke_5_is_not_suspected_later() -> None:
    choice = VersionChoice(Protocol.AUTO)
    choice.answered()
    assert not choice.turned_away()
    assert choice.current is Protocol.MQTT_5


def test_a_wanted_version_is_kept() -> None:
    for wanted in (Protocol.MQTT_5, Protocol.MQTT_311):
        choice = VersionChoice(wanted)
        assert not choice.turned_away()
        assert choice.current is wanted
