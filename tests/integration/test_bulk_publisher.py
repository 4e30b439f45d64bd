"""The load generator's publisher against a real broker: what it counts is what the broker got."""

import json
import threading

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from app.simulation.load import Load, run_load
from app.simulation.story_script import LOOP_S
from models.domain.connection import parse_url
from models.domain.problems import EnvironmentProblem
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.helpers.poll import until

pytestmark = pytest.mark.services


@pytest.fixture
def listener(make_broker):
    broker = make_broker(max_queued_messages=1_000_000)
    got: list[bytes] = []
    ready = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda c, *_: c.subscribe("#", 1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda _c, _u, message: got.append(message.payload)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    ready.wait()
    yield broker, got
    client.disconnect()
    client.loop_stop()


def test_everything_sent_is_acknowledged_and_delivered(listener):
    broker, got = listener
    connection, _ = parse_url(broker.url)
    acknowledged: list[object] = []
    publisher = BulkPublisher(connection, None, "bulk", acknowledged.extend)
    count = 70_000 // 10  # with payloads of several sizes, over more than one byte of length
    publisher.send([Outgoing(b"t", b"%d" % i * (1 + i % 40)) for i in range(count)], 1, range(count))
    assert publisher.drain(30)
    publisher.close()
    assert acknowledged == list(range(count))
    until(lambda: len(got) == count, "all delivered")
    assert got == [b"%d" % i * (1 + i % 40) for i in range(count)]


def test_a_load_reports_what_it_sent(listener):
    broker, got = listener
    connection, _ = parse_url(broker.url)
    publisher = BulkPublisher(connection, None, "bulk")
    report = run_load(publisher, Load(agents=10, rate=2_000, duration_s=0.5, qos=1, seed=1))
    publisher.close()
    assert report.total == sum(report.sent.values()) == report.acknowledged
    until(lambda: len(got) == report.total, "all delivered")


def test_a_connection_that_is_dropped_has_its_will_said_and_a_goodbye_has_not(listener):
    broker, got = listener
    connection, _ = parse_url(broker.url)
    for name, end in (("a", BulkPublisher.close), ("b", BulkPublisher.drop)):
        will = Outgoing(b"will", name.encode(), retain=True)
        publisher = BulkPublisher(connection, None, name, will=will)
        publisher.send([Outgoing(b"last", b"words of " + name.encode())], 1)
        assert publisher.drain(30)
        end(publisher)
    until(lambda: got == [b"words of a", b"words of b", b"b"], "the will of the one is said")


def test_a_story_is_told_over_a_broker_and_reported_exactly(listener):
    broker, got = listener
    connection, _ = parse_url(broker.url)
    publisher = BulkPublisher(connection, None, "bulk")
    report = run_load(
        publisher, Load(agents=8, rate=200, duration_s=1.0, qos=1, seed=1),
        connect=lambda name, will: BulkPublisher(connection, None, name, will=will), speed=LOOP_S * 1.2,
    )  # fmt: skip
    publisher.close()
    assert report.total == sum(report.sent.values()) == report.acknowledged
    until(lambda: len(got) == report.total + 1, "all delivered, and one will")
    said = [json.loads(one) for one in got]
    (will,) = [n for n, one in enumerate(said) if one.get("state") == "offline"]
    assert said[will]["name"] == "Crawler 1"
    assert any(one.get("message") == "out of memory" for one in said[:will]), "its last words came before"
    after = [one for one in said[will:] if one.get("name") == "Crawler 1" and "state" in one]
    assert [one["state"] for one in after[1:3]] == ["starting", "online"]


def test_a_refusal_is_a_sentence(make_broker):
    broker = make_broker(allow_anonymous=False, username="u", password="right")
    connection, secret = parse_url(f"mqtt://u:wrong@127.0.0.1:{broker.port}")
    with pytest.raises(EnvironmentProblem, match="does not admit user “u”"):
        BulkPublisher(connection, secret, "bulk")
