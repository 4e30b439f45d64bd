"""Messages as a broker delivers them, without a broker: ready lists for whatever stores them. Every list is made of fresh
bytes, as a socket gives them."""

import base64
import json
from collections.abc import Callable, Iterator

from models.domain.messages import Origin, RawMessage
from tests.helpers.reading import RECORDINGS

METRICS = ("process.cpu.utilization", "process.memory.usage", "agent.request.duration", "agent.connection.attempts",
           "agent.connection.successes", "agent.connection.errors", "agent.queue.length", "agent.requests")  # fmt: skip
HOME_MADE = ("glances-per-plugin", "synthetic-tasmota", "synthetic-zigbee2mqtt-2", "rabbitmq-3.10-amqp-and-mqtt",
             "synthetic-telegraf")  # fmt: skip
STATUS_EVERY = 500
"""One message in so many is a status: as agents that tell their figures each second and their status every few minutes."""

Maker = Callable[[int, int, int], tuple[bytes, bytes]]
"""(agent, how often it spoke before, arrival µs) -> topic, payload."""


def _figures(seq: int) -> str:
    values = (f"0.{seq * 7919 % 10000:04}", 123456789 + seq, f"0.0{seq * 31 % 997:03}", 12 + seq // 9, 12 + seq // 10,
              seq // 90, seq % 9, seq)  # fmt: skip
    return ",".join(f'"{name}":{value}' for name, value in zip(METRICS, values, strict=True))


def contract(agent: int, seq: int, at_us: int) -> tuple[bytes, bytes]:
    """Our own contract: eight metrics in about 250 bytes, now and then a status."""
    head = f'"ts":{at_us / 1e6:.6f},"boot":"b1d2f3a4","seq"'
    if (agent + seq) % STATUS_EVERY == 0:
        status = f'{{{head}:{seq // STATUS_EVERY},"state":"online","interval_s":30,"name":"Agent {agent}"}}'
        return b"agents/a-%d/status" % agent, status.encode()
    return b"agents/a-%d/metrics" % agent, f'{{{head}:{seq},"metrics":{{{_figures(seq)}}}}}'.encode()


def flat(agent: int, seq: int, at_us: int) -> tuple[bytes, bytes]:
    """The same figures as somebody sends them who never heard of us."""
    return b"fleet/c-%d/figures" % agent, f'{{"ts":{at_us / 1e6:.6f},{_figures(seq)}}}'.encode()


def bare(agent: int, seq: int, _at_us: int) -> tuple[bytes, bytes]:
    """A number alone on its topic."""
    return b"sensors/k-%d/temp" % agent, b"%d.%d" % (seq % 40, seq % 10)


def log(agent: int, seq: int, at_us: int) -> tuple[bytes, bytes]:
    """A log record of our contract."""
    told = f'"ts":{at_us / 1e6:.6f},"boot":"b1d2f3a4","seq":{seq}'
    said = f'"level":"info","message":"fetched page {seq}","logger":"net","ms":21,"url":"https://example.org/{seq}"'
    return b"agents/a-%d/log" % agent, f"{{{told},{said}}}".encode()


def task(agent: int, seq: int, at_us: int) -> tuple[bytes, bytes]:
    """Reports on tasks: each begins and is completed."""
    told = f'"ts":{at_us / 1e6:.6f},"boot":"b1d2f3a4","seq":{seq}'
    state = '"working","attempt":1' if seq % 2 == 0 else '"completed","attempt":1,"result":"done"'
    return (
        b"agents/a-%d/task" % agent,
        f'{{{told},"task":"t-{agent}-{seq // 2}","type":"fetch","state":{state}}}'.encode(),
    )


def home_made() -> Maker:
    """What real programs publish, from the recordings, each agent in the place of one of their hosts."""
    known = []
    for name in HOME_MADE:
        for line in (RECORDINGS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            payload = base64.b64decode(one["payload_b64"])
            if payload[:1] == b"{" and one.get("origin") != "replay":
                known.append((one["topic"].encode(), payload))

    def make(agent: int, seq: int, _at_us: int) -> tuple[bytes, bytes]:
        topic, payload = known[(agent + seq * 7) % len(known)]
        return b"site-%d/%s" % (agent % 7, topic), bytes(bytearray(payload))

    return make


FEEDS: dict[str, Callable[[], Maker]] = {
    "contract": lambda: contract,
    "flat": lambda: flat,
    "home-made": home_made,
    "bare": lambda: bare,
    "log": lambda: log,
    "task": lambda: task,
}


def batches(make: Maker, agents: int, batch: int, count: int, start_us: int, rate: float) -> Iterator[list[RawMessage]]:
    """`count` lists of `batch` messages at QoS 1, round-robin over the agents, arriving at `rate` a second."""
    place, gap_us, packet = 0, 1e6 / rate, 0
    for _ in range(count):
        raw = []
        for _ in range(batch):
            seq, agent = divmod(place, agents)
            at_us = start_us + int(place * gap_us)
            packet = packet % 65_535 + 1
            raw.append(RawMessage(*make(agent, seq, at_us), 1, False, False, packet, None, at_us, Origin.LIVE, 1))
            place += 1
        yield raw
