"""How fast messages become columns. Run by name: `pytest -s tests/benchmarks/test_reading_speed.py`."""

import time
from collections.abc import Callable

import pytest

from models.domain.clock import Instant
from models.domain.messages import Origin, RawMessage
from models.domain.names import Names
from models.domain.presence import PresenceKeeper
from models.domain.rules import Rules, rule_of
from mqtt.reading.reader import Reader
from tests.helpers.clock import FakeClock
from tests.helpers.reading import ARRIVAL_US

TOPICS = BATCH = 1_000
BATCHES = 40
METRICS = ("process.cpu.utilization", "process.memory.usage", "agent.request.duration", "agent.connection.attempts",
           "agent.connection.successes", "agent.connection.errors", "agent.queue.length", "agent.requests")  # fmt: skip


def figures(i: int) -> str:
    values = (0.1234, 123456789 + i, 0.0213, 12, 12, 0, i % 9, i)
    return ",".join(f'"{name}":{value}' for name, value in zip(METRICS, values, strict=True))


def contract(topic: int, seq: int, at_us: int) -> tuple[bytes, bytes]:
    body = f'{{"ts":{at_us / 1e6:.6f},"boot":"b1d2f3a4","seq":{seq},"metrics":{{{figures(seq)}}}}}'
    return b"agents/a-%d/metrics" % topic, body.encode()


def generic(topic: int, seq: int, at_us: int) -> tuple[bytes, bytes]:
    return b"fleet/c-%d/figures" % topic, f'{{"ts":{at_us / 1e6:.6f},{figures(seq)}}}'.encode()


def log(topic: int, seq: int, at_us: int) -> tuple[bytes, bytes]:
    body = f'{{"ts":{at_us / 1e6:.6f},"level":"info","message":"fetched page {seq}","logger":"net","ms":21,"url":"u"}}'
    return b"agents/a-%d/log" % topic, body.encode()


def bare(topic: int, seq: int, at_us: int) -> tuple[bytes, bytes]:
    return b"sensors/k-%d/temp" % topic, b"%d.5" % (seq % 40)


AGENT = {"topic": "fleet/{agent}/+", "means": "agent", "agent": "{agent}"}
NUMBER = {"topic": "fleet/{agent}/+", "means": "number", "path": '["agent.queue.length"]', "metric": "queue"}
BARE = {"topic": "sensors/{agent}/{metric}", "means": "number", "unit": "°C"}


@pytest.mark.parametrize(
    ("make", "said", "least_per_s"),
    [
        (contract, [], 150_000), (generic, [], 30_000), (log, [], 30_000), (bare, [], 30_000), (generic, [AGENT], 30_000),
        (generic, [NUMBER], 30_000), (bare, [BARE], 30_000),
    ],
)  # fmt: skip
def test_messages_a_second(
    make: Callable[[int, int, int], tuple[bytes, bytes]], said: list[dict[str, str]], least_per_s: int
) -> None:
    rules = Rules(tuple(rule_of(one) for one in said))
    reader, keeper = Reader(Names(), "agents", FakeClock(), rules), PresenceKeeper()
    read_s, keep_s, at_us = [], [], ARRIVAL_US
    for seq in range(BATCHES):
        at_us += 50_000
        messages = [
            RawMessage(*make(topic, seq, at_us), 1, False, False, 1, None, at_us, Origin.LIVE, 1)
            for topic in range(BATCH)
        ]
        began = time.perf_counter()
        batch = reader.read(messages)
        between = time.perf_counter()
        keeper.observe(batch, Instant(at_us, at_us))
        keep_s.append(time.perf_counter() - between)
        read_s.append(between - began)
        assert not batch.unreadable
    read, keep = sorted(read_s)[BATCHES // 2] / BATCH, sorted(keep_s)[BATCHES // 2] / BATCH
    size, by = len(messages[0].payload), "".join(f" by a rule for {one['means']}" for one in said)
    print(
        f"\n{make.__name__}{by}, {size} bytes: read {read * 1e6:.2f} µs ({1 / read / 1e3:.0f} k/s), presence {keep * 1e6:.2f} µs"
    )
    assert 1 / read >= least_per_s
