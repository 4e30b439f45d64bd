"""A workspace as a recorder would have left it after days of a busy fleet: millions of log records among figures, tasks, talk and
presence, closed and sealed. Written by the real reader and the real writer under a stepped clock.

    python -m tests.benchmarks.big_store FOLDER [--records 10000000] [--agents 1000] [--hours 48]

`FOLDER` gets the workspace; a second call finds it there, and seals what is not sealed yet. Ten million records take about a quarter of an hour.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from app.simulation.fleet import SimulatedFleet
from models.domain.clock import Instant
from models.domain.messages import Origin, RawMessage
from models.domain.presence import PresenceKeeper
from models.storage.keeping.retention import NO_LIMIT, StoreLimits
from models.storage.sealing.seal import seal
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from mqtt.bulk_publisher import Outgoing
from mqtt.reading.reader import Reader
from tests.benchmarks.measure import machine, tell
from tests.benchmarks.sealed_logs import texts
from tests.helpers.clock import FakeClock

STEP_US = 10_000_000
STATUS_EVERY = 30
"""Steps: five minutes."""
FIGURES_EVERY = 6
_LEVELS = np.array(["debug"] * 30 + ["info"] * 62 + ["warn"] * 6 + ["error"] * 2)
_LOGGERS = ("http.client", "worker.pool", "model.gateway", "store")
UNLIMITED = StoreLimits(retention_bytes=NO_LIMIT, retention_s=NO_LIMIT)


def said(fleet: SimulatedFleet, records: int, steps: int, clock: FakeClock) -> Iterator[list[Outgoing]]:
    """What the fleet says in each step; the records spread evenly."""
    chance, agents = np.random.default_rng(1), len(fleet.ids)
    for step in range(steps):
        now_s = clock.wall_us() / 1e6
        out = fleet.statuses(now_s) if step % STATUS_EVERY == 0 else []
        if step % FIGURES_EVERY == 0:
            out += fleet.next(agents, now_s)
        n = records * (step + 1) // steps - records * step // steps
        levels = _LEVELS[chance.integers(len(_LEVELS), size=n)].tolist()
        who, latency, turn = (chance.integers(most, size=n).tolist() for most in (agents, 1_000, 50))
        for text, level, i, took, at in zip(texts(chance, n), levels, who, latency, turn, strict=True):
            more = {"latency": took, "step": at} if took & 1 else {}
            out.append(fleet.log(i, now_s, level, text, logger=_LOGGERS[i % 4], **more))
        yield out


def fill(workspace: Workspace, records: int, agents: int, hours: float) -> None:
    """Raises what the writer raises."""
    clock = FakeClock()
    writer = StoreWriter(workspace, clock, UNLIMITED)
    reader, keeper = Reader(writer.names, "agents", clock), PresenceKeeper()
    writer.begin_capture("mqtt://127.0.0.1:1883", "big-store")
    keeper.link_up(Instant.now(clock))
    packets = itertools.cycle(range(1, 65_536))
    for out in said(SimulatedFleet(agents, seed=1), records, max(1, round(hours * 3.6e9 / STEP_US)), clock):
        first_us, gap_us = clock.wall_us(), STEP_US // max(1, len(out))
        clock.advance(STEP_US)
        raw = [
            RawMessage(one.topic, one.payload, 1, False, False, next(packets), None, first_us + at * gap_us, Origin.LIVE, 1)
            for at, one in enumerate(out)
        ]  # fmt: skip
        batch, now = reader.read(raw), Instant.now(clock)
        batch.presence += keeper.observe(batch, now)
        batch.presence += keeper.tick(now)
        writer.commit(batch)
        writer.housekeep()
    writer.close()


def seal_all(workspace: Workspace) -> None:
    """Whatever is closed, two at a time."""
    writer = StoreWriter(workspace, FakeClock(), UNLIMITED)
    waiting = writer.sealing.waiting()
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for _ in pool.map(seal, map(workspace.segment, waiting), map(workspace.sealing, waiting)):
            pass
    for id_ in waiting:
        writer.sealing.swap_in(id_)
    writer.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--agents", type=int, default=1_000)
    parser.add_argument("--hours", type=float, default=48)
    parser.add_argument("--no-seal", action="store_true", help="leave the segments as they were closed")
    options = parser.parse_args()
    tell("big_store", "machine", **machine())
    workspace, began_s = Workspace.at(options.folder), time.monotonic()
    if not workspace.catalogue.exists():
        fill(workspace, options.records, options.agents, options.hours)
    filled_s = time.monotonic() - began_s
    if not options.no_seal:
        seal_all(workspace)
    tell(
        "big_store", "there", records=options.records, agents=options.agents, filled_s=round(filled_s, 1),
        sealed_s=round(time.monotonic() - began_s - filled_s, 1),
        mib=round(sum(path.stat().st_size for path in workspace.segments.iterdir()) / 2**20),
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
