"""One MQTT connection: paho's client, driven by our own loop through its public methods only.

paho's own thread reads one packet for each select() and dies with an exception in a callback; ours does neither. In bulk,
paho sits on a `Demux`, which takes the messages out of what it reads.
"""

import logging
import selectors
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties as PahoProperties

from models.domain.clock import Clock
from models.domain.connection import Connection, Protocol, Secret
from mqtt.demux import Demux, DemuxClient
from mqtt.demux_properties import Malformed
from mqtt.receiving import Receiver
from mqtt.refusals import says_why
from mqtt.tls import tls_context
from mqtt.waker import Waker

if TYPE_CHECKING:
    from collections import deque

    from paho.mqtt.client import SocketLike

_DISCONNECT = b"\xe0\x00"  # normal, in 3.1.1 and 5 alike; in 5 the session lives on as CONNECT asked
_MALFORMED = b"\xe0\x01\x81"  # in 5
_MESSAGES_PER_TURN = 500  # that paho reads before anything else gets its turn
_BYTES_PER_TURN = 2_097_152  # as above

STEP_LIMIT_S = 5.0
"""Each of TCP connect, TLS handshake and WebSocket handshake."""


@dataclass(frozen=True, slots=True)
class Hello:
    """What CONNECT says beside who we are. No largest packet: a broker drops what is larger, and Mosquitto tells nobody."""

    client_id: str
    clean: bool = True  # forget what the broker keeps for this client id, and let it keep nothing
    session_expiry_s: int = 0  # MQTT 5
    receive_maximum: int = 65_535  # MQTT 5: unacknowledged messages the broker may send


class Wire:
    """One attempt and the connection it makes. Callbacks are set on `client`; all of it belongs to one thread.

    `bulk_clock`: split messages in bulk, on this clock; WebSockets cannot. `malformed`: what was wrong with what came, as
    text; then the connection is closed.
    """

    def __init__(
        self,
        connection: Connection,
        secret: Secret | None,
        hello: Hello,
        version: Protocol,
        waker: Waker,
        bulk_clock: Clock | None = None,
    ) -> None:
        self.version = version
        self.malformed = ""
        self._connection, self._hello, self._waker = connection, hello, waker
        self._selector = selectors.DefaultSelector()
        self._selector.register(waker, selectors.EVENT_READ)
        self._events = 0
        self._faults = _LastFault()
        self._bulk_clock = None if connection.websocket else bulk_clock
        self.client = self._build(secret)

    @property
    def demux(self) -> Demux | None:
        """Splits messages in bulk; None before `open`, and where paho brings them."""
        return self.client.demux if isinstance(self.client, DemuxClient) else None

    @property
    def fault(self) -> Exception | None:
        """What the socket said when it failed; paho only logs it."""
        return self._faults.error

    @property
    def is_open(self) -> bool:
        return self.client.socket() is not None and not self.malformed

    def _build(self, secret: Secret | None) -> Client:
        connection = self._connection
        is_5 = self.version is Protocol.MQTT_5
        client = (Client if self._bulk_clock is None else DemuxClient)(
            CallbackAPIVersion.VERSION2,
            client_id=self._hello.client_id,
            clean_session=None if is_5 else self._hello.clean,
            protocol=MQTTProtocolVersion.MQTTv5 if is_5 else MQTTProtocolVersion.MQTTv311,
            transport="websockets" if connection.websocket else "tcp",
            reconnect_on_failure=False,
            manual_ack=True,
        )
        if isinstance(client, DemuxClient) and self._bulk_clock is not None:
            client.demux_clock = self._bulk_clock
        client.connect_timeout = STEP_LIMIT_S
        if connection.user:
            client.username_pw_set(connection.user, secret.value if secret else None)
        if connection.websocket:
            client.ws_set_options(path=connection.path or "/mqtt")
        # with this callback paho only queues what it has to send; else each packet were a system call at once, from
        # whatever thread asked for it
        client.on_socket_register_write = _leave_it_to_the_loop
        client.on_socket_close = self._faults.hear_out
        logger = logging.Logger("paho", logging.ERROR)  # noqa: LOG001 - no part of the program's log, see _LastFault
        logger.addHandler(self._faults)
        client.enable_logger(logger)
        return client

    def open(self) -> None:
        """Name, TCP, TLS, WebSocket, and CONNECT made ready to be sent. Raises `OSError`, `UnicodeError` (a name that
        cannot be one) and `EnvironmentProblem` (certificate files)."""
        connection, hello = self._connection, self._hello
        if connection.tls:
            self.client.tls_set_context(tls_context(connection))
        # paho notices a dead peer after twice this and a turn of the loop; one second less keeps the promise of twice
        keepalive_s = max(1, connection.keepalive_s - 1)
        if self.version is Protocol.MQTT_5:
            properties = PahoProperties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's
            properties.SessionExpiryInterval = hello.session_expiry_s
            properties.ReceiveMaximum = hello.receive_maximum
            self.client.connect(
                connection.host, connection.port, keepalive_s, clean_start=hello.clean, properties=properties
            )
        else:
            self.client.connect(connection.host, connection.port, keepalive_s)

    def turn(self, timeout_s: float, read: Callable[[], object] | None = None) -> None:
        """Wait for the socket or the waker, then read (`read` or one packet), write, and keep the connection alive."""
        if self._wait(timeout_s):
            (read or self.client.loop_read)()
        self._write()
        self.client.loop_misc()

    def read(self, receiver: Receiver) -> None:
        """Read what is there, but let others have their turn; then take from the receiver what came."""
        try:
            if self.demux is None:
                self._read_one_by_one(receiver)
            else:
                self._read_in_bulk(self.demux)
        except Malformed as error:
            self.malformed = str(error)
            if self.version is Protocol.MQTT_5 and self.demux is not None:
                self.demux.send(_MALFORMED)
            self._hang_up()

    def _read_in_bulk(self, demux: Demux) -> None:
        """What one call brings: acknowledgements are to go out soon."""
        if not demux.fill():
            return
        while demux.passes_on():
            self.client.loop_read()
            if not self.is_open:
                return

    def _read_one_by_one(self, receiver: Receiver) -> None:
        """One packet a call; loop_read does not say whether there was one."""
        for _ in range(_MESSAGES_PER_TURN):
            before = receiver.count
            code = self.client.loop_read()
            if code is not MQTTErrorCode.MQTT_ERR_SUCCESS or receiver.count == before:
                return
            if receiver.content_bytes >= _BYTES_PER_TURN:
                return

    def begin(self, receiver: Receiver) -> None:
        """CONNACK was read: what comes now is for the receiver."""
        self.client.on_message = receiver.on_message
        if self.demux is not None:
            self.demux.begin(receiver.split)

    def acknowledge(self, messages: "deque[tuple[int, int]]", limit: int) -> None:
        """Take (packet id, QoS) from the left and send their acknowledgements, in this order, QoS 1 all at once in bulk."""
        demux, acknowledge = self.demux, self.client.ack
        if demux is None:
            for _ in range(min(limit, len(messages))):
                acknowledge(*messages.popleft())
            return
        ids = []
        while messages:
            packet_id, qos = messages.popleft()
            if qos == 1:
                ids.append(packet_id)
            else:
                acknowledge(packet_id, qos)
        demux.acknowledge(ids)
        demux.flush()

    def _write(self) -> None:
        if self.is_open and self.client.want_write():
            self.client.loop_write()
        if self.is_open and self.demux is not None:
            self.demux.flush()

    @property
    def _wants_write(self) -> bool:
        return self.client.want_write() or (self.demux is not None and self.demux.wants_write)

    def _wait(self, timeout_s: float) -> bool:
        """Wait for the waker and for what paho wants; is there something to read?"""
        sock = self.client.socket()
        if sock is None:
            return False
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._wants_write else 0)
        if not self._events:
            self._selector.register(sock.fileno(), events)
        elif events != self._events:
            self._selector.modify(sock.fileno(), events)
        self._events = events
        pending = getattr(sock, "pending", None)  # TLS may hold decrypted bytes that select() knows nothing of
        readable = bool(pending and pending())
        for key, mask in self._selector.select(0 if readable else timeout_s):
            if key.fileobj is self._waker:
                self._waker.clear()
            elif mask & selectors.EVENT_READ:
                readable = True
        return readable

    def goodbye(self, limit_s: float) -> None:
        """Write what waits and DISCONNECT, and wait until the broker hangs up, `limit_s` at most.

        paho's disconnect() closes at once; with messages unread that resets the connection, and the broker throws away
        the acknowledgements that it has not read yet. Nor may it wait for us to read while we wait for it.
        """
        until_s = time.monotonic() + limit_s
        sock = self.client.socket()
        if sock is not None:
            plain = sock.plain if isinstance(sock, Demux) else sock
            try:
                while self.is_open and self._wants_write and self._more(plain, until_s):
                    self._write()
                sock.send(_DISCONNECT)
                if self.demux is not None:
                    self.demux.flush()
                while self._more(plain, until_s):
                    pass
            except OSError:
                pass  # it hung up first
        self.close()

    def _more(self, sock: "SocketLike", until_s: float) -> bool:
        """Wait a little, read and forget what is there; False: the other side hung up, or it is time. What we do not
        acknowledge comes again."""
        if time.monotonic() >= until_s or (self.demux is not None and self.demux.failed):
            return False
        if not self._wait(0.05):
            return True
        try:
            return bool(sock.recv(65_536))
        except (BlockingIOError, ssl.SSLWantReadError):
            return True

    def close(self) -> None:
        """Close the socket without a word, and free what waits for it."""
        self._selector.close()
        self._hang_up()

    def _hang_up(self) -> None:
        sock = self.client.socket()
        if sock is not None:
            sock.close()


def _leave_it_to_the_loop(*_: object) -> None:
    pass


class _LastFault(logging.Handler):
    """Keeps the exception that paho caught on the socket and only logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.error: Exception | None = None

    def emit(self, record: logging.LogRecord) -> None:
        arguments = record.args if isinstance(record.args, tuple) else ()
        self.error = next((one for one in arguments if isinstance(one, Exception)), self.error)

    def hear_out(self, _client: object, _userdata: object, sock: object) -> None:
        """Paho closes its socket. Where a write failed, the reason may stand there unread: with TLS 1.3 a broker refuses a
        client's certificate after the handshake."""
        if not isinstance(sock, ssl.SSLSocket):
            return
        try:
            sock.recv(1)
        except OSError as error:
            if says_why(error):
                self.error = error
