"""A broker that sends 1, 10 or 20 messages and then waits for us: nothing is lost, and it need not wait for long."""

import signal

import pytest

from tests.helpers.recording import Recording
from tests.helpers.strict_broker import StrictBroker

pytestmark = pytest.mark.services

WINDOWS = {1: 60, 10: 1_000, 20: 2_000}  # and how many messages are sent


@pytest.fixture(params=["app", "tests.helpers.unknown_paho"])
def recording(tmp_path, request):
    """Messages are received in bulk, and then all again one by one."""
    one = Recording(tmp_path / "workspace")
    one.module = request.param
    yield one
    one.close()


def messages(count):
    return [(b"strict/x", b'{"n": %d, "cpu": 0.5}' % number) for number in range(count)]


def stored(recording):
    return [row["payload"].encode() for row in recording.export("messages") if row["topic"] == "strict/x"]


@pytest.mark.parametrize("speaks_5", [True, False])
@pytest.mark.parametrize("window", WINDOWS)
def test_every_message_is_stored_once_however_few_the_broker_sends(recording, window, speaks_5, record_property):
    sent = messages(WINDOWS[window])
    with StrictBroker(window, sent, speaks_5=speaks_5) as broker:
        recording.start("--broker", broker.url)
        broker.wait_until_acknowledged(len(sent))
        assert recording.state.mqtt_version == ("5" if speaks_5 else "3.1.1")
        assert recording.state.in_bulk is (recording.module == "app")
        assert recording.stop() == 0
        record_property("messages_per_second", round(broker.rate))
        print(f"window {window}, MQTT {'5' if speaks_5 else '3.1.1'}: {broker.rate:.0f} messages a second")
        assert (broker.most_outstanding, broker.strange) == (window, [])
        assert broker.acknowledged == list(range(len(sent))), "in the order in which they came"
    assert stored(recording) == [payload for _, payload in sent]


@pytest.mark.parametrize("speaks_5", [True, False])
def test_a_kill_with_a_narrow_window_loses_and_doubles_nothing(recording, speaks_5):
    sent = messages(1_000)
    with StrictBroker(10, sent, speaks_5=speaks_5) as broker:
        recording.start("--broker", broker.url)
        broker.wait_until_acknowledged(300)
        recording.stop(signal.SIGKILL)
        recording.start("--broker", broker.url)
        broker.wait_until_acknowledged(len(sent))
        assert recording.stop() == 0
        assert broker.strange == []
    assert stored(recording) == [payload for _, payload in sent]
