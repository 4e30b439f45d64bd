"""More comes than can be stored: memory stays bounded, QoS 1 waits, what QoS 0 loses is counted, told and shown as a gap."""

import json
import os
import signal
import time
from contextlib import contextmanager

import apsw
import psutil
import pytest

from app.recorder.gaps import DROPPED_TOPIC
from models.domain.connection import parse_url
from models.domain.control import Link
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.helpers.poll import until
from tests.helpers.troubled_recorder import SMALL_INBOX, SMALL_INBOX_BYTES, Troubled

pytestmark = pytest.mark.services


@pytest.fixture
def narrow(tmp_path):
    one = Troubled(tmp_path / "workspace", "small-inbox")
    yield one
    one.close()


@contextmanager
def blocked(recording):
    """Nothing can be stored meanwhile: another program holds the segment."""
    (segment,) = recording.workspace.segments.glob("*.db")
    holder = apsw.Connection(str(segment))
    until(lambda: _held(holder), "the segment is held")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


def _held(holder):
    try:
        holder.execute("BEGIN IMMEDIATE")
    except apsw.BusyError:
        return False
    return True


@contextmanager
def publisher(broker):
    one = BulkPublisher(parse_url(broker.url)[0], None, "flood")
    yield one
    drained = one.drain(60)
    one.close()
    assert drained


def send(one, numbers, qos):
    one.send([Outgoing(b"flood/x", b"%d" % number) for number in numbers], qos)


def begin(recording, broker):
    """A recorder that has a segment already."""
    recording.start("--broker", broker.url)
    with publisher(broker) as one:
        one.send([Outgoing(b"first", b"")], 1)
    recording.stored(1)


def numbers(recording):
    return [int(row["payload"]) for row in recording.export("messages") if row["topic"] == "flood/x"]


def gaps(recording, cause):
    return [row for row in recording.export("gaps") if row["cause"] == cause]


@pytest.mark.parametrize(("rate", "seconds"), [(1_000, 0), pytest.param(5_000, 10, marks=pytest.mark.long)])
def test_a_writer_that_is_held_up_loses_nothing_holds_little_and_says_so(make_broker, recording, rate, seconds):
    """Until it is told, at least; the broker waits with what we have not acknowledged."""
    broker = make_broker(extra=["sys_interval 1"])
    begin(recording, broker)
    process = psutil.Process(recording.pid)
    rss_bytes = most_bytes = process.memory_info().rss
    sent, told = 0, False
    with publisher(broker) as one:
        with blocked(recording):
            began_s = time.monotonic()
            while not told or sent < rate * seconds:
                send(one, range(sent, sent + rate // 20), 1)
                sent += rate // 20
                while time.monotonic() - began_s < sent / rate:
                    one.poll(0.01)
                most_bytes = max(most_bytes, process.memory_info().rss)
                if not told and sent % rate == 0:
                    problem = recording.state.problem
                    told = problem is not None and problem["code"] == "store.io"
                    assert sent < 60 * rate, "it is not told"
        until(lambda: one.drain(1), "all is with the broker")
    until(lambda: len(numbers(recording)) >= sent, "all is stored", 60, slice_s=0.5)
    assert numbers(recording) == list(range(sent))
    assert most_bytes - rss_bytes <= 150_000_000
    assert gaps(recording, "dropped") == gaps(recording, "broker-dropped") == []
    state = recording.when(lambda one: one.problem is None, "it is over")
    assert state.counters.dropped == 0
    assert recording.stop() == 0


def test_what_the_broker_throws_away_while_we_are_held_up_is_told(make_broker, recording):
    """By default Mosquitto keeps 1,000 messages for a client that is behind, and with MQTT 3.1.1 it has sent only 20. Of its
    own figures, which would wait among them, only the one that counts is asked for: once a second at most."""
    broker = make_broker(extra=["sys_interval 1"])
    recording.workspace.root.mkdir()
    recording.workspace.settings.write_text(
        f'[connection]\nurl = "{broker.url}"\nprotocol = "3.1.1"\nfilters = ["flood/#", "{DROPPED_TOPIC.decode()}"]\n'
        "[embedded]\nenabled = false\n"
    )
    recording.start()
    until(lambda: any(row["topic"].endswith("messages/dropped") for row in recording.export("messages")), "it counts")
    os.kill(recording.pid, signal.SIGSTOP)  # all of it: where the store alone is held up, the journal takes what comes
    try:
        with publisher(broker) as one:
            send(one, range(3_000), 1)
            until(lambda: one.drain(1), "all is with the broker")
    finally:
        os.kill(recording.pid, signal.SIGCONT)

    def told():
        return sum(int(row["count"]) for row in gaps(recording, "broker-dropped"))

    until(lambda: told() >= 3_000 - len(numbers(recording)) > 0, "the broker tells what it threw away", 60)
    kept = numbers(recording)
    assert len(kept) >= 1_000
    assert kept == sorted(set(kept))
    state = recording.when(lambda one: one.counters.missing >= 3_000 - len(kept), "the status bar has it, too")
    assert state.counters.dropped == 0, "none of it was ours"
    assert recording.stop() == 0


def test_what_the_broker_throws_away_while_we_sleep_is_told_when_we_are_back(make_broker, recording):
    """It kept our session, but only the first thousand of what came meanwhile."""
    broker = make_broker(persistence=True, extra=["sys_interval 1"])
    recording.workspace.root.mkdir()
    recording.workspace.settings.write_text(
        f'[connection]\nurl = "{broker.url}"\nkeepalive_s = 2\n[embedded]\nenabled = false\n'
    )
    recording.start()
    until(lambda: any(row["topic"].endswith("messages/dropped") for row in recording.export("messages")), "it counts")
    os.kill(recording.pid, signal.SIGSTOP)
    try:
        until(lambda: "has exceeded timeout" in broker.log, "the broker gave it up")
        with publisher(broker) as one:
            send(one, range(3_000), 1)
    finally:
        os.kill(recording.pid, signal.SIGCONT)

    def told():
        return sum(int(row["count"]) for row in gaps(recording, "broker-dropped"))

    until(lambda: told() >= 3_000 - len(numbers(recording)) > 0, "the broker tells what it threw away", 60)
    assert numbers(recording) == list(range(len(numbers(recording)))), "the first ones were kept"
    assert "broker.session-lost" not in [one["code"] for one in recording.connected().warnings]
    assert recording.stop() == 0


def test_large_messages_of_qos_1_wait_with_the_broker_once_enough_of_them_wait_here(make_broker, narrow):
    """By their number alone it may send 65,535 of them."""
    broker = make_broker(extra=["sys_interval 1"])
    begin(narrow, broker)
    process = psutil.Process(narrow.pid)
    rss_bytes = most_bytes = process.memory_info().rss
    count, size = 1_500, 100_000
    with publisher(broker) as one, blocked(narrow):
        for first in range(0, count, 20):
            one.send([Outgoing(b"flood/x", b"%d".ljust(size) % number) for number in range(first, first + 20)], 1)
            one.poll(0.01)
            most_bytes = max(most_bytes, process.memory_info().rss)
        until(lambda: one.drain(1), "all is with the broker")
        narrow.when(lambda state: state.counters.lag_us > 3_000_000, "it waits")
        most_bytes = max(most_bytes, process.memory_info().rss)
        assert narrow.state.link is Link.CONNECTED
    assert most_bytes - rss_bytes <= 4 * SMALL_INBOX_BYTES < count * size / 2
    narrow.stored(count, 60)
    until(lambda: len(numbers(narrow)) >= count, "all is stored", 60, slice_s=1.0)
    assert numbers(narrow) == list(range(count)), "once each, in order"
    assert narrow.stop() == 0


def test_a_flood_of_qos_0_beyond_the_limit_is_counted_to_the_message(make_broker, narrow):
    broker = make_broker(max_queued_messages=200_000, extra=["sys_interval 1"])
    begin(narrow, broker)
    count = 6 * SMALL_INBOX
    with publisher(broker) as one, blocked(narrow):
        for first in range(0, count, 500):
            send(one, range(first, first + 500), 0)
            one.poll(0.01)
        one.send([Outgoing(b"reliable", b"")], 1)
        until(lambda: one.drain(1), "all is with the broker")
        narrow.when(lambda state: state.counters.lag_us > 1_000_000, "it waits")
    state = narrow.when(lambda one: one.counters.dropped > 0, "it is told", 60)
    until(lambda: narrow.state.counters.lag_us == 0, "all is stored")
    dropped = narrow.state.counters.dropped
    until(lambda: sum(int(row["count"]) for row in gaps(narrow, "dropped")) == dropped, "the gaps hold them all")
    kept = numbers(narrow)
    by_broker = sum(int(row["count"]) for row in gaps(narrow, "broker-dropped"))
    assert len(kept) + dropped + by_broker == count
    assert kept == sorted(set(kept))
    assert kept[-1] == count - 1, "the oldest go first"
    assert state.counters.dropped > 0
    assert [row["topic"] for row in narrow.export("messages") if row["topic"] == "reliable"] == ["reliable"]
    info = json.loads(narrow.command("info", "--json").stdout)
    assert info["dropped"] == dropped
    assert narrow.stop() == 0
