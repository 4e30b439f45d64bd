"""Publishing at rates that a client library's work per message does not reach: whole lists become one write.

For load generation only: MQTT 3.1.1, QoS 0 and 1, clean session, no reconnecting. One thread.
"""

import select
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from models.domain.connection import Connection, Secret
from models.domain.problems import EnvironmentProblem, trouble
from mqtt.refusals import problem_of
from mqtt.tls import tls_context

CONNACK_LIMIT_S = 10.0
WINDOW = 20_000
"""QoS 1 messages on their way at once; packet ids have 65,535 values."""
_PINGREQ = b"\xc0\x00"
_DISCONNECT = b"\xe0\x00"
_REFUSALS = {4: "broker.credentials", 5: "broker.not-authorised", 2: "broker.client-id"}


class Outgoing(NamedTuple):
    topic: bytes
    payload: bytes
    retain: bool = False


class BulkPublisher:
    """Connects when made; raises `EnvironmentProblem` broker.*. `on_acknowledged` gets the cookies of acknowledged messages;
    `will` is what the broker says, at QoS 1, should the connection end without a goodbye."""

    def __init__(
        self,
        connection: Connection,
        secret: Secret | None,
        client_id: str,
        on_acknowledged: Callable[[list[object]], None] | None = None,
        will: Outgoing | None = None,
    ) -> None:
        self.sent = 0
        self.acknowledged = 0
        self._connection = connection
        self._on_acknowledged = on_acknowledged
        self._cookies: dict[int, object] = {}
        self._packet_id = 0
        self._incoming = bytearray()
        self._last_write_s = time.monotonic()
        try:
            self._socket = self._connect(client_id, secret, will)
        except OSError as error:
            problem = problem_of(error, connection)
            if problem is None:
                raise
            raise EnvironmentProblem(problem) from error

    @property
    def in_flight(self) -> int:
        """QoS 1 messages not yet acknowledged."""
        return len(self._cookies)

    def send(self, messages: Sequence[Outgoing], qos: int, cookies: Sequence[object] | None = None) -> None:
        """Write them all, blocking while the socket or the window is full. Raises `ConnectionError` when the link breaks."""
        for start in range(0, len(messages), 1_000):
            part = messages[start : start + 1_000]
            while qos and len(self._cookies) + len(part) > WINDOW:
                self._wait(reading_only=True)
            packets = bytearray()
            for i, message in enumerate(part):
                cookie = cookies[start + i] if cookies is not None else None
                packets += self._packet(message, qos, cookie)
            self._write(packets)
            self.sent += len(part)

    def poll(self, wait_s: float = 0.0) -> None:
        """Take what the broker acknowledged meanwhile, waiting up to `wait_s` for more, and keep the connection alive."""
        if time.monotonic() - self._last_write_s > self._connection.keepalive_s / 2:
            self._write(bytearray(_PINGREQ))
        self._wait(reading_only=True, limit_s=wait_s)

    def drain(self, limit_s: float) -> bool:
        """Wait until everything is acknowledged; false when the limit passed first."""
        end = time.monotonic() + limit_s
        while self._cookies and time.monotonic() < end:
            self._wait(reading_only=True)
        return not self._cookies

    def close(self) -> None:
        """Say goodbye and close; what is unacknowledged stays so."""
        try:
            self._write(bytearray(_DISCONNECT))
        except OSError:
            pass  # the link is gone, which is what was wanted
        self._socket.close()

    def drop(self) -> None:
        """Hang up without a goodbye, as a process that dies: the broker says the will."""
        self._socket.close()

    def _connect(self, client_id: str, secret: Secret | None, will: Outgoing | None) -> socket.socket:
        """A socket that has its CONNACK and does not block."""
        connection = self._connection
        link = socket.create_connection((connection.host, connection.port), CONNACK_LIMIT_S)
        try:
            if connection.tls:
                link = tls_context(connection).wrap_socket(link, server_hostname=connection.host)
            link.sendall(_connect_packet(client_id, connection, secret, will))
            code = _read_connack(link)
            if code:
                where = {"host": connection.host, "user": connection.user, "detail": f"return code {code}"}
                raise trouble(_REFUSALS.get(code, "broker.refused"), **where)
            link.setblocking(False)
        except BaseException:
            link.close()
            raise
        return link

    def _packet(self, message: Outgoing, qos: int, cookie: object) -> bytes:
        body = len(message.topic).to_bytes(2, "big") + message.topic
        if qos:
            self._packet_id = self._packet_id % 65_535 + 1
            self._cookies[self._packet_id] = cookie
            body += self._packet_id.to_bytes(2, "big")
        head = 0x30 | qos << 1 | message.retain
        return bytes((head,)) + _length(len(body) + len(message.payload)) + body + message.payload

    def _write(self, data: bytearray) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[self._socket.send(view) :]
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                self._wait(reading_only=False)
        self._last_write_s = time.monotonic()

    def _wait(self, *, reading_only: bool, limit_s: float = 0.1) -> None:
        select.select([self._socket], [] if reading_only else [self._socket], [], limit_s)
        self._read()

    def _read(self) -> None:
        try:
            while data := self._socket.recv(262_144):
                self._incoming += data
            raise ConnectionResetError("the broker closed the connection")
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        done: list[object] = []
        used = 0
        while len(self._incoming) - used >= 2:
            length = self._incoming[used + 1]  # PUBACK and PINGRESP are the only packets that come, both short
            if len(self._incoming) - used < 2 + length:
                break
            if self._incoming[used] == 0x40:
                packet_id = int.from_bytes(self._incoming[used + 2 : used + 4], "big")
                if packet_id in self._cookies:
                    done.append(self._cookies.pop(packet_id))
            used += 2 + length
        del self._incoming[:used]
        self.acknowledged += len(done)
        if done and self._on_acknowledged:
            self._on_acknowledged(done)


def _read_connack(link: socket.socket) -> int:
    answer = b""
    while len(answer) < 4:
        data = link.recv(4 - len(answer))
        if not data:
            raise ConnectionResetError("closed instead of an answer")
        answer += data
    if answer[0] != 0x20:
        raise ConnectionResetError("answered with something that is not MQTT")
    return answer[3]


def _connect_packet(client_id: str, connection: Connection, secret: Secret | None, will: Outgoing | None) -> bytes:
    flags, payload = 0x02, _text(client_id)
    if will is not None:
        flags |= 0x0C | will.retain << 5
        payload += _data(will.topic) + _data(will.payload)
    if connection.user:
        flags |= 0x80
        payload += _text(connection.user)
        if secret:
            flags |= 0x40
            payload += _text(secret.value)
    body = _text("MQTT") + bytes((4, flags)) + connection.keepalive_s.to_bytes(2, "big") + payload
    return b"\x10" + _length(len(body)) + body


def _text(text: str) -> bytes:
    return _data(text.encode())


def _data(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _length(length: int) -> bytes:
    out = bytearray()
    while True:
        length, low = length >> 7, length & 127
        out.append(low | 128 if length else low)
        if not length:
            return bytes(out)
