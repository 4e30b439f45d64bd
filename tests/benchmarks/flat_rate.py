"""Does the store stay as quick as it began? Rows a second through the `StoreWriter`, up to ten million of them, with as many
closed segments inside as there are.

    python -m tests.benchmarks.flat_rate
    python -m tests.benchmarks.flat_rate --rows 2000000 --segment-mib 64

Batches of our own contract are read once and committed again and again with the time of their turn; upkeep runs after every
commit, as often as it wants. A JSON line for each half million of rows: rows a second of processor time (of the thread: its
neighbours on a busy machine count for little) and of wall time, commits and upkeep in milliseconds, how many segments were
closed, and what the catalogue and the process weigh.
"""

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from models.domain.batch import RecordBatch
from models.domain.clock import Instant, SystemClock
from models.domain.presence import PresenceKeeper
from models.storage.keeping.retention import StoreLimits
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from mqtt.reading.reader import Reader
from tests.benchmarks.feeds import batches, contract
from tests.benchmarks.measure import machine, quantile, tell

STEP = 500_000
RING = 50
MIB = 2**20


class Ring:
    """Batches as the reader made them, to be had again and again."""

    def __init__(self, writer: StoreWriter, clock: SystemClock, agents: int, batch: int) -> None:
        reader, keeper = Reader(writer.names, "agents", clock), PresenceKeeper()
        keeper.link_up(Instant.now(clock))
        lists = batches(contract, agents, batch, RING, clock.wall_us(), 20_000)
        self._known = [reader.read(some) for some in lists]
        for one in self._known:
            keeper.observe(one, Instant.now(clock))

    def batch(self, turn: int, now_us: int) -> RecordBatch:
        known = self._known[turn % RING]
        messages = [one._replace(received_us=now_us) for one in known.messages]
        return RecordBatch(
            messages, known.topic, known.agent, known.kind, [False] * len(messages), known.stamp_row,
            [now_us] * len(known.stamp_row), known.stamp_count, known.sample_series, known.sample_value,
        )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--agents", type=int, default=1_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--segment-mib", type=int, default=64)
    options = parser.parse_args()
    tell("flat_rate", "machine", **machine())
    with tempfile.TemporaryDirectory(prefix="flat-") as folder:
        workspace, clock = Workspace.at(Path(folder) / "workspace"), SystemClock()
        limits = StoreLimits(segment_bytes=options.segment_mib * MIB, retention_bytes=1 << 50)
        writer = StoreWriter(workspace, clock, limits, ThreadPoolExecutor(1))
        writer.begin_capture("mqtt://127.0.0.1:1883", "flat")
        ring, process, rates = Ring(writer, clock, options.agents, options.batch), psutil.Process(os.getpid()), []
        for step in range(options.rows // STEP):
            commits, upkeep, cpu_s, wall_s = [], [], 0.0, 0.0
            for turn in range(STEP // options.batch):
                batch = ring.batch(turn, clock.wall_us())
                cpu, began = time.thread_time(), time.perf_counter()
                writer.commit(batch)
                committed = time.perf_counter()
                writer.housekeep()
                ended = time.perf_counter()
                cpu_s, wall_s = cpu_s + time.thread_time() - cpu, wall_s + ended - began
                commits.append((committed - began) * 1e3)
                upkeep.append((ended - committed) * 1e3)
            rates.append(STEP / cpu_s)
            tell(
                "flat_rate", f"{(step + 1) * STEP:,} rows", per_cpu_s=round(STEP / cpu_s), per_s=round(STEP / wall_s),
                commit_p50_ms=round(quantile(commits, 0.5), 1), commit_p99_ms=round(quantile(commits, 0.99), 1),
                commit_max_ms=round(max(commits), 1), upkeep_max_ms=round(max(upkeep), 1),
                segments=len(list(workspace.segments.glob("*.db"))),
                catalogue_kib=workspace.catalogue.stat().st_size // 1024,
                rss_mib=round(process.memory_info().rss / MIB),
            )  # fmt: skip
        writer.close()
        tell("flat_rate", "last against first", of_cpu=round(rates[-1] / rates[0], 3),
             median_against_first=round(quantile(rates, 0.5) / rates[0], 3))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
