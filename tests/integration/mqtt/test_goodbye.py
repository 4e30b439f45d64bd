"""The end of a connection to a broker that does not answer any more."""

import selectors
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from models.domain.clock import SystemClock
from models.domain.connection import Protocol, parse_url
from mqtt.waker import Waker
from mqtt.wire import Hello, Wire
from tests.helpers.fake_broker import CONNACK, PUBLISH, packet
from tests.helpers.poll import until

pytestmark = pytest.mark.services


class CountedSelector(selectors.DefaultSelector):
    """Counts how often it is asked."""

    asked = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.asked += 1
        return super().select(timeout)


@contextmanager
def connected(
    monkeypatch: pytest.MonkeyPatch, *, in_bulk: bool
) -> Iterator[tuple[Wire, socket.socket, CountedSelector]]:
    """A connection, and the broker's end of it, which reads nothing beyond CONNECT."""
    selector = CountedSelector()
    monkeypatch.setattr("selectors.DefaultSelector", lambda: selector)
    waker = Waker()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection, _ = parse_url(f"mqtt://127.0.0.1:{listener.getsockname()[1]}")
        wire = Wire(connection, None, Hello("me"), Protocol.MQTT_311, waker, SystemClock() if in_bulk else None)
        wire.open()
        broker, _ = listener.accept()
        with broker:
            broker.sendall(packet(CONNACK, 0, b"\0\0"))
            until(lambda: wire.turn(0.1) or wire.client.is_connected(), "it is connected")
            yield wire, broker, selector
    waker.close()


@pytest.mark.parametrize("in_bulk", [True, False])
def test_with_both_directions_full_it_waits_without_spinning(monkeypatch: pytest.MonkeyPatch, in_bulk: bool) -> None:
    with connected(monkeypatch, in_bulk=in_bulk) as (wire, broker, selector):
        broker.sendall(packet(PUBLISH, 0, b"\0\1t" + b"x" * 100_000))
        wire.client.publish("t", b"x" * 50_000_000)
        before = selector.asked
        wire.goodbye(0.5)
        assert selector.asked - before < 100


def test_after_a_failed_write_it_does_not_wait_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    with connected(monkeypatch, in_bulk=True) as (wire, broker, selector):
        assert wire.demux is not None
        broker.close()
        until(lambda: wire.demux.send(b"\xc0\0") and (wire.demux.flush() or wire.demux.failed), "it broke")
        before = selector.asked
        wire.goodbye(60.0)
        assert selector.asked - before < 10
