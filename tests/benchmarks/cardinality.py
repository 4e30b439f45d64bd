"""Does a message cost more, and does the recorder grow, because there are many agents, topics and series?

    python -m tests.benchmarks.cardinality
    python -m tests.benchmarks.cardinality --feeds contract --sizes 1000,100000

Every agent speaks once (that is when its plan, names and rows are made), then messages go round the agents as fast as the
stages of `take_in_cost` take them. Each size in a process of its own. `first_us` is a message of a new agent, all in; the
other costs are of agents that are known. `contract` makes eight series an agent, `bare` one, each with a topic of its own.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from models.domain.messages import RawMessage
from tests.benchmarks.feeds import FEEDS, batches
from tests.benchmarks.measure import Figures, machine, quantile, summarise, tell
from tests.benchmarks.take_in_cost import RATE, READY, Stages
from tests.helpers.clock import FIRST_WALL_US
from tests.helpers.recorder_process import REPOSITORY

BATCH = 1_000
KEYS = (
    "first_us", *(f"{name}_us" for name in (*READY, "commit", "housekeep")), "all_us", "commit_p99_ms", "housekeep_max_ms",
    "rss_mib", "catalogue_mib", "series",
)  # fmt: skip


def measure(feed: str, agents: int, rounds: int, folder: Path) -> Figures:
    stages, process = Stages(folder), psutil.Process(os.getpid())
    before_mib = process.memory_info().rss / 2**20
    first = -(-agents // BATCH)
    began = time.thread_time()
    making_s = 0.0
    for place, messages in enumerate(_lists(feed, agents, first, rounds)):
        made = time.thread_time()
        stages.take_in(messages)
        if place < first:
            making_s += time.thread_time() - made
        if place == first - 1:  # what is known by now is taken in, and counts for nothing below
            stages.clock.advance(2_000_000)
            stages.writer.housekeep()
            gc.collect()
    times = stages.times[first:]
    found = {name: quantile([one[name] for one in times], 0.1) / BATCH * 1e6 for name in (*READY, "commit")}
    found["housekeep"] = sum(one["housekeep"] for one in times) / len(times) / BATCH * 1e6
    rss_mib = process.memory_info().rss / 2**20
    series = len(stages.writer.names.series) - 1
    stages.writer.close()
    return {
        "first_us": round(making_s / (first * BATCH) * 1e6, 1), **{f"{name}_us": round(us, 2) for name, us in found.items()},
        "all_us": round(sum(found.values()), 2), "commit_p99_ms": round(quantile([one["commit_wall"] for one in times], 0.99) * 1e3, 1),
        "housekeep_max_ms": round(max(one["housekeep_wall"] for one in times) * 1e3, 1), "rss_mib": round(rss_mib),
        "before_mib": round(before_mib), "catalogue_mib": round((folder / "workspace" / "catalogue.db").stat().st_size / 2**20, 1),
        "series": series, "cpu_s": round(time.thread_time() - began, 1),
    }  # fmt: skip


def _lists(feed: str, agents: int, first: int, rounds: int) -> Iterator[list[RawMessage]]:
    """Everybody once, then round again two seconds later."""
    make = FEEDS[feed]()
    yield from batches(make, agents, BATCH, first, FIRST_WALL_US, RATE)
    later_us = FIRST_WALL_US + int(first * BATCH / RATE * 1e6) + 2_100_000
    yield from batches(lambda agent, seq, at_us: make(agent, seq + 1, at_us), agents, BATCH, rounds, later_us, RATE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", default="contract,bare", help="with commas, of those of take_in_cost")
    parser.add_argument("--sizes", default="1000,10000,100000", help="agents, with commas")
    parser.add_argument("--rounds", type=int, default=100, help="batches of 1,000 messages once all agents are known")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        with tempfile.TemporaryDirectory(prefix="cardinality-") as folder:
            print(json.dumps(measure(options.one[0], int(options.one[1]), options.rounds, Path(folder))))
        return 0
    tell("cardinality", "machine", **machine())
    rows = []
    for feed in options.feeds.split(","):
        for size in options.sizes.split(","):
            argv = [
                sys.executable,
                "-m",
                "tests.benchmarks.cardinality",
                "--one",
                feed,
                size,
                "--rounds",
                str(options.rounds),
            ]
            out = subprocess.run(argv, stdout=subprocess.PIPE, cwd=REPOSITORY, check=True).stdout
            rows.append(tell("cardinality", f"{feed}, {int(size):,} agents", **json.loads(out)))
    summarise("cardinality", rows, KEYS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
