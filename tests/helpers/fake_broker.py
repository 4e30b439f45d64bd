"""A small MQTT server that misbehaves on request, for 3.1.1 and 5; it writes down every packet it is sent."""

import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import Self

from tests.helpers.poll import until

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 8, 9, 10, 11, 12, 13, 14


def variable_length(number: int) -> bytes:
    """A number as MQTT writes lengths: seven bits a byte, the high bit says that more follow."""
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def packet(kind: int, flags: int, body: bytes) -> bytes:
    return bytes([kind << 4 | flags]) + variable_length(len(body)) + body


@dataclass(frozen=True)
class Packet:
    """One packet from a client."""

    kind: int
    flags: int
    body: bytes
    connection: int

    @property
    def mid(self) -> int:
        """The message id of a PUBACK, SUBSCRIBE or UNSUBSCRIBE."""
        return int(struct.unpack("!H", self.body[:2])[0])


@dataclass
class Script:
    """What the broker does with the connections it accepts. Change it between connections as you like."""

    connack: int | None = 0  # return or reason code; None: never answers CONNECT
    session_present: bool = False
    connack_properties: bytes = b""  # MQTT 5 only, without their length
    close_at_accept: bool = False  # hang up before reading anything
    close_at_connect: bool = False  # hang up instead of CONNACK
    raw_instead: bytes | None = None  # these bytes instead of CONNACK
    raw_after: bytes = b""  # these bytes right after CONNACK
    answer: bool = True  # SUBACK, UNSUBACK, PUBACK, PUBREC, PUBCOMP, PINGRESP; False: silence after CONNACK
    suback: int | None = None  # this code for every filter; None grants what is asked


@dataclass
class _Connection:
    number: int
    sock: socket.socket
    version: int = 4
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, data: bytes) -> None:
        with self.lock:
            self.sock.sendall(data)

    def close(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


class FakeBroker:
    """Use as a context manager. `packets` grows as clients send; `wait_for()` waits until enough are there."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or Script()
        self.packets: list[Packet] = []
        self.accepted = 0
        self._connections: list[_Connection] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._closed = False

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        except OSError:
            pass
        self._listener.close()
        self.drop()
        for thread in self._threads:
            thread.join(timeout=10)
            assert not thread.is_alive(), f"{thread.name} did not end"

    def of(self, kind: int) -> list[Packet]:
        return [one for one in list(self.packets) if one.kind == kind]

    def wait_for(self, kind: int, count: int = 1, limit_s: float = 20.0) -> list[Packet]:
        """Wait until clients have sent `count` packets of a kind and return all of that kind."""
        until(lambda: len(self.of(kind)) >= count, f"{count} packet(s) of kind {kind} at the fake broker", limit_s)
        return self.of(kind)

    def send(self, data: bytes) -> None:
        """Send bytes as they are to every connected client."""
        for connection in list(self._connections):
            connection.send(data)

    def publish(
        self, topic: str | bytes, payload: bytes, *, qos: int = 0, mid: int = 1, retain: bool = False,
        duplicate: bool = False, properties: bytes = b"",
    ) -> None:  # fmt: skip
        """Send a PUBLISH to every connected client, in the version it speaks; properties (5) without their length."""
        name = topic.encode() if isinstance(topic, str) else topic
        for connection in list(self._connections):
            body = struct.pack("!H", len(name)) + name + (struct.pack("!H", mid) if qos else b"")
            if connection.version == 5:
                body += variable_length(len(properties)) + properties
            connection.send(packet(PUBLISH, duplicate << 3 | qos << 1 | retain, body + payload))

    def drop(self) -> None:
        """Cut every connection."""
        for connection in list(self._connections):
            connection.close()

    def _spawn(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name=f"fake-broker-{self.port}", daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closed:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(self.accepted, sock)
            self.accepted += 1
            if self._closed or self.script.close_at_accept:
                connection.close()
                continue
            self._connections.append(connection)
            self._spawn(self._serve, connection)

    def _serve(self, connection: _Connection) -> None:
        try:
            with connection.sock.makefile("rb") as stream:
                while (one := self._read(stream, connection.number)) is not None:
                    self.packets.append(one)
                    self._react(connection, one)
        except OSError:
            pass  # the client or the test hung up
        finally:
            self._connections.remove(connection)
            connection.close()

    @staticmethod
    def _read(stream: object, number: int) -> Packet | None:
        first = stream.read(1)  # type: ignore[attr-defined]
        if not first:
            return None
        length = shift = 0
        while True:
            byte = stream.read(1)  # type: ignore[attr-defined]
            if not byte:
                return None
            length |= (byte[0] & 0x7F) << shift
            shift += 7
            if not byte[0] & 0x80:
                break
        body = stream.read(length)  # type: ignore[attr-defined]
        return Packet(first[0] >> 4, first[0] & 15, body, number) if len(body) == length else None

    def _react(self, connection: _Connection, one: Packet) -> None:
        if one.kind == CONNECT:
            self._react_to_connect(connection, one)
        elif one.kind == DISCONNECT:
            connection.close()
        elif self.script.answer:
            reply = self._reply(connection.version, one)
            if reply:
                connection.send(reply)

    def _react_to_connect(self, connection: _Connection, one: Packet) -> None:
        script = self.script
        name_length = struct.unpack("!H", one.body[:2])[0]
        connection.version = one.body[2 + name_length] & 0x7F
        if script.close_at_connect:
            connection.close()
        elif script.raw_instead is not None:
            connection.send(script.raw_instead)
        elif script.connack is not None:
            body = bytes([script.session_present, script.connack])
            if connection.version == 5:
                body += variable_length(len(script.connack_properties)) + script.connack_properties
            connection.send(packet(CONNACK, 0, body) + script.raw_after)
            if script.connack:
                connection.close()

    def _reply(self, version: int, one: Packet) -> bytes:
        none = b"\x00" if version == 5 else b""  # no properties
        if one.kind == SUBSCRIBE:
            asked = _requested_qos(one.body, version)
            codes = [qos if self.script.suback is None else self.script.suback for qos in asked]
            return packet(SUBACK, 0, one.body[:2] + none + bytes(codes))
        if one.kind == UNSUBSCRIBE:
            return packet(UNSUBACK, 0, one.body[:2] + none + (b"\x00" if version == 5 else b""))
        if one.kind == PINGREQ:
            return packet(PINGRESP, 0, b"")
        if one.kind == PUBREL:
            return packet(PUBCOMP, 0, one.body[:2])
        qos = one.flags >> 1 & 3
        if one.kind == PUBLISH and qos:
            at = 2 + struct.unpack("!H", one.body[:2])[0]
            return packet(PUBACK if qos == 1 else PUBREC, 0, one.body[at : at + 2])
        return b""


def _requested_qos(body: bytes, version: int) -> list[int]:
    at = 2
    if version == 5:
        length = shift = 0
        while True:
            byte = body[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        at += length
    asked = []
    while at < len(body):
        at += 2 + struct.unpack("!H", body[at : at + 2])[0]
        asked.append(body[at] & 3)
        at += 1
    return asked
