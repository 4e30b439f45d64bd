"""How many messages a second the receive path takes out of a socket: alone, and up to rows that are ready to be committed.

    python -m tests.benchmarks.receive_rate
    python -m tests.benchmarks.receive_rate --feeds contract --versions 5 --qos 0 --messages 500000 --runs 3

A ready stream of bytes is poured into whoever subscribes, as fast as it reads, by this process: a broker that looks at
nothing. Each subscriber is a process of its own: ours in bulk and ours with paho bringing every message (both into the inbox,
acknowledged at once at QoS 1; with the recorder's settings of the interpreter), the same up to ready rows (read, presence kept, rows built, nothing written), a plain program
on paho, and `mosquitto_sub` into /dev/null. `per_s` is messages a second of processor time of one core (all threads of the
subscriber, from the first message on), `wall_per_s` of the clock on the wall.
"""

import argparse
import gc
import json
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from app.recorder.main import GARBAGE, SWITCH_S
from app.recorder.redelivery import Redelivery
from models.domain.clock import Instant, SystemClock
from models.domain.connection import Protocol, parse_url
from models.domain.presence import PresenceKeeper
from models.storage.segments import segment_file
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from mqtt.inbox import Inbox
from mqtt.reading.reader import Reader
from mqtt.session import Session
from tests.benchmarks.feeds import FEEDS, batches
from tests.benchmarks.measure import Figures, machine, summarise, tell
from tests.helpers.clock import FIRST_WALL_US
from tests.helpers.fake_broker import PUBLISH, packet
from tests.helpers.needs import program
from tests.helpers.recorder_process import REPOSITORY

KEYS = ("per_s", "wall_per_s", "cpu_us", "largest_take")
SUBSCRIBERS = ("bulk", "bulk-ready", "one-by-one", "paho", "mosquitto_sub")
PIECE_BYTES = 1 << 20


def stream_of(feed: str, messages: int, agents: int, qos: int, version: str) -> bytes:
    """PUBLISH packets, one behind the other."""
    none = b"\x00" if version == "5" else b""
    parts = []
    for raw in batches(FEEDS[feed](), agents, 1_000, messages // 1_000, FIRST_WALL_US, 20_000.0):
        for one in raw:
            packet_id = struct.pack("!H", one.packet_id) if qos else b""
            body = struct.pack("!H", len(one.topic)) + one.topic + packet_id + none + one.payload
            parts.append(packet(PUBLISH, qos << 1, body))
    return b"".join(parts)


class Pourer:
    """Serves one subscriber: CONNACK, SUBACK, then the whole stream; what comes back is read and forgotten."""

    def __init__(self, stream: bytes, version: str) -> None:
        self._stream, self._version_5 = stream, version == "5"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, name="pourer", daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        sock, _ = self._listener.accept()
        with sock, suppress(OSError):
            none = b"\x00" if self._version_5 else b""
            sock.recv(4096)
            sock.sendall(b"\x20" + bytes([2 + len(none)]) + b"\x00\x00" + none)
            asked = sock.recv(4096)
            at = asked.index(0x82)
            mid = asked[at + 2 : at + 4]
            filters = 1 if b"probe" not in asked else 2
            sock.sendall(b"\x90" + bytes([2 + len(none) + filters]) + mid + none + b"\x01" * filters)
            threading.Thread(target=self._forget, args=(sock,), daemon=True).start()
            view = memoryview(self._stream)
            for place in range(0, len(view), PIECE_BYTES):
                sock.sendall(view[place : place + PIECE_BYTES])
            while sock.fileno() >= 0 and sock.recv(1, socket.MSG_PEEK):
                time.sleep(0.05)

    @staticmethod
    def _forget(sock: socket.socket) -> None:
        with suppress(OSError):
            while sock.recv(PIECE_BYTES):
                pass


# ---- the subscribers, each in a process of its own


class Meter:
    """From the first messages to the last."""

    def __init__(self, wanted: int) -> None:
        self.wanted, self.count, self.largest = wanted, 0, 0
        self._began_s = self._cpu_s = 0.0

    def came(self, count: int) -> None:
        if not self.count:
            self._began_s, self._cpu_s = time.perf_counter(), time.process_time()
            self.wanted -= count  # they came before the clock began
            self.count = 1
            return
        self.count += count
        self.largest = max(self.largest, count)

    @property
    def over(self) -> bool:
        return self.count > self.wanted

    def figures(self) -> Figures:
        n = self.wanted
        cpu_s, wall_s = time.process_time() - self._cpu_s, time.perf_counter() - self._began_s
        return {**_figures(n, cpu_s, wall_s), "largest_take": self.largest}


def _figures(n: int, cpu_s: float, wall_s: float) -> Figures:
    return {"per_s": round(n / cpu_s), "wall_per_s": round(n / wall_s), "cpu_us": round(cpu_s / n * 1e6, 2)}


def ours(options: argparse.Namespace, *, bulk: bool, ready: bool) -> Figures:
    """A session and its inbox; `ready`: with all that the recorder does before it writes."""
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    sys.setswitchinterval(SWITCH_S)
    clock = SystemClock()
    inbox = Inbox(clock)
    connection = replace(
        parse_url(f"mqtt://127.0.0.1:{options.port}")[0], protocol=Protocol(options.version), filters=("#",)
    )
    session = Session(connection, None, "receive-rate", inbox, clock, lambda _: None, bulk=bulk)
    meter = Meter(options.messages)
    with tempfile.TemporaryDirectory(prefix="receive-") as folder:
        take_in = _Ready(Path(folder), clock) if ready else None
        session.start()
        while not meter.over:
            taken = inbox.take()
            if not taken:
                continue
            if take_in is not None:
                take_in(taken)
            if options.qos:
                session.acknowledge(taken)
            meter.came(len(taken))
        found = meter.figures()
        assert session.state.in_bulk is bulk
        session.stop()
        if take_in is not None:
            take_in.writer.close()
    return found


class _Ready:
    """The ingest thread's work on a batch, but that no row is written."""

    def __init__(self, folder: Path, clock: SystemClock) -> None:
        self._clock = clock
        self.writer = StoreWriter(Workspace.at(folder / "workspace"), clock)
        self._reader, self._keeper = Reader(self.writer.names, "agents", clock), PresenceKeeper()
        self._redelivery = Redelivery()
        self.writer.begin_capture("mqtt://127.0.0.1:1883", "receive-rate")
        self._keeper.link_up(Instant.now(clock))
        segment_file.SegmentFile._write = lambda *_: None  # type: ignore[method-assign]

    def __call__(self, messages: list) -> None:  # type: ignore[type-arg]
        fresh, _ = self._redelivery.split(messages)
        batch = self._reader.read(fresh)
        at = Instant.now(self._clock)
        batch.presence += self._keeper.observe(batch, at)
        batch.presence += self._keeper.tick(at)
        self.writer.commit(batch)
        self._redelivery.stored(batch)


def plain_paho(options: argparse.Namespace) -> Figures:
    """What the first lines of paho's manual make: its own thread and `on_message`, here with nothing in it."""
    over = threading.Event()
    meter = Meter(options.messages)

    def on_message(*_: object) -> None:
        meter.came(1)
        if meter.over:
            over.set()

    is_5 = options.version == "5"
    client = Client(
        CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5 if is_5 else MQTTProtocolVersion.MQTTv311
    )
    client.on_connect = lambda one, *_: one.subscribe("#", options.qos)
    client.on_message = on_message
    client.connect("127.0.0.1", options.port)
    client.loop_start()
    over.wait()
    found = meter.figures()
    client.loop_stop()
    return found


def mosquitto_sub(options: argparse.Namespace) -> Figures:
    """Includes its start: some milliseconds."""
    version = "mqttv5" if options.version == "5" else "mqttv311"
    argv = [program("mosquitto_sub"), "-h", "127.0.0.1", "-p", str(options.port), "-V", version, "-t", "#", "-q",
            str(options.qos), "-C", str(options.messages)]  # fmt: skip
    began_s, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _figures(options.messages, cpu_s, time.perf_counter() - began_s)


RUN: dict[str, Callable[[argparse.Namespace], Figures]] = {
    "bulk": lambda options: ours(options, bulk=True, ready=False),
    "bulk-ready": lambda options: ours(options, bulk=True, ready=True),
    "one-by-one": lambda options: ours(options, bulk=False, ready=False),
    "paho": plain_paho,
    "mosquitto_sub": mosquitto_sub,
}


def _measure(subscriber: str, feed: str, version: str, qos: int, options: argparse.Namespace, streams: dict) -> Figures:  # type: ignore[type-arg]
    quick = subscriber in {"bulk", "bulk-ready", "mosquitto_sub"}
    messages = options.messages if quick else options.messages // 5 // 1_000 * 1_000
    key = (feed, messages, qos, version)
    if key not in streams:
        streams[key] = stream_of(feed, messages, options.agents, qos, version)
    pourer = Pourer(streams[key], version)
    argv = [sys.executable, "-m", "tests.benchmarks.receive_rate", "--one", subscriber, "--port", str(pourer.port),
            "--messages", str(messages), "--version", version, "--qos", str(qos)]  # fmt: skip
    out = subprocess.run(argv, stdout=subprocess.PIPE, cwd=REPOSITORY, check=True, timeout=120).stdout
    pourer.end()
    found: Figures = json.loads(out.splitlines()[-1])
    return {"feed": feed, "version": version, "qos": qos, "messages": messages, **found}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", default="contract,flat,home-made", help="with commas")
    parser.add_argument("--versions", default="5,3.1.1")
    parser.add_argument("--subscribers", default=",".join(SUBSCRIBERS))
    parser.add_argument("--qos", default="0,1")
    parser.add_argument("--agents", type=int, default=1_000)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--version", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        options.qos = int(options.qos)
        print(json.dumps(RUN[options.one](options)))
        return 0
    tell("receive_rate", "machine", **machine())
    streams: dict[tuple[str, int, int, str], bytes] = {}
    rows = []
    for run in range(options.runs):
        for feed in options.feeds.split(","):
            for version in options.versions.split(","):
                for qos in map(int, options.qos.split(",")):
                    for one in options.subscribers.split(","):
                        found = _measure(one, feed, version, qos, options, streams)
                        rows.append(tell("receive_rate", f"{feed} {version} QoS {qos} {one}", run=run, **found))
    summarise("receive_rate", rows, KEYS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
