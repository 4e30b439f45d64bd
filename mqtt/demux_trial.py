"""Tries whether paho still lets us take its messages out of the stream; if not, it brings them itself, as always.

`DemuxClient` leans on one private name of paho. This plays a whole connection on a pair of sockets before the first
real one: a paho that makes its socket elsewhere, reads otherwise or writes past it does not pass.
"""

import logging
import select
import socket

import paho.mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from models.domain.clock import Clock
from models.domain.messages import Origin, RawMessage
from mqtt.demux import Demux, DemuxClient
from mqtt.demux_packets import Splitter

KNOWN = "2.2."
"""Versions of paho that this was written for begin so."""

_PATIENCE_S = 2.0
_MOST_READS = 10
_CONNACK, _SUBACK = b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x01"
_PUBLISHES = b"\x32\x06\x00\x01t\x00\x07a\x30\x04\x00\x01tb"
_WANTED = [(b"t", b"a", 1, 7), (b"t", b"b", 0, 0)]
_log = logging.getLogger(__name__)


def bulk_works(clock: Clock) -> bool:
    """A few milliseconds. The log has the reason for a no. Any thread."""
    version = paho.mqtt.__version__
    if not version.startswith(KNOWN):
        _log.warning("paho-mqtt %s is not known here; it brings every message itself, which is slower", version)
        return False
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(_PATIENCE_S)
        try:
            told = _play(_TrialClient(ours, clock), theirs)
        except Exception as error:  # noqa: BLE001 - whatever it is, the answer is no, and the log says why
            told = repr(error)
    if told:
        _log.warning("paho-mqtt %s brings every message itself, which is slower: %s", version, told)
    return not told


class _TrialClient(DemuxClient):
    """Connects to a socket that is there already."""

    def __init__(self, sock: socket.socket, clock: Clock) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, "trial", protocol=MQTTProtocolVersion.MQTTv311, manual_ack=True)
        self.demux_clock = clock
        self.told: list[str] = []
        self._there = sock
        self.on_socket_register_write = lambda *_: None
        self.on_connect = lambda *_: self.told.append("connected")
        self.on_subscribe = lambda *_: self.told.append("subscribed")
        self.on_message = lambda *_: self.told.append("a message")
        self.on_disconnect = lambda *_: self.told.append("disconnected")

    def _create_socket_connection(self) -> socket.socket:
        return self._there


def _play(client: _TrialClient, peer: socket.socket) -> str:
    """What went wrong; nothing where all is as it should be."""
    client.connect("trial")
    demux = client.socket()
    if not isinstance(demux, Demux) or client.demux is not demux:
        return "its socket is not ours"
    _write(client, demux)
    if peer.recv(1)[0] >> 4 != 1 or not peer.recv(100):
        return "CONNECT was not written"
    splitter = Splitter(1, b"own", lambda *_: Origin.LIVE, version_5=False)
    peer.sendall(_CONNACK + _PUBLISHES + _SUBACK)
    _wait(demux)
    client.loop_read()
    if client.told != ["connected"]:
        return "CONNACK was not read"
    demux.begin(lambda data, at: splitter.split(data, at, 0))
    client.subscribe("#")
    _write(client, demux)
    peer.recv(100)
    _read(client, demux)
    if [_short(one) for one in splitter.messages] != _WANTED or client.told != ["connected", "subscribed"]:
        return "messages came another way"
    demux.acknowledge([7])
    demux.flush()
    if peer.recv(100) != b"\x40\x02\x00\x07":
        return "an acknowledgement was not written"
    peer.shutdown(socket.SHUT_WR)
    _read(client, demux)
    return "" if client.told[2:] == ["disconnected"] else "the end was not noticed"


def _short(message: RawMessage) -> tuple[bytes, bytes, int, int]:
    return message.topic, message.payload, message.qos, message.packet_id


def _wait(demux: Demux) -> None:
    if not select.select([demux], [], [], _PATIENCE_S)[0]:
        raise TimeoutError("nothing came")


def _read(client: _TrialClient, demux: Demux) -> None:
    _wait(demux)
    demux.fill()
    for _ in range(_MOST_READS):
        if client.socket() is None or not demux.passes_on():
            return
        client.loop_read()
    raise RuntimeError("it does not read what it is given")


def _write(client: _TrialClient, demux: Demux) -> None:
    client.loop_write()
    demux.flush()
