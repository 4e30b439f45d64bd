"""What a message costs between the inbox and the disk, stage by stage, on one core and without a broker.

    python -m tests.benchmarks.take_in_cost
    python -m tests.benchmarks.take_in_cost --feeds contract,bare --batch 1000 --runs 3
    python -m tests.benchmarks.take_in_cost --feeds contract --profile

Lists of messages, as the inbox hands them out, go through what the recorder's ingest thread does with them: known redelivery
is told from news, messages are read, presence is kept, rows are built (up to here they are *ready to commit*), rows are
committed, the catalogue is brought up to date. Each feed in a process of its own; times are of the thread's own processor
time, over the batches after the first ones: the tenth percentile, so that neighbours on the same core count for little, and of
housekeeping, which comes once a second, the mean. `yardstick_us` is a loop of Python over the same messages (a checksum each):
by it two runs on a busy machine can be compared. Waiting for the disk is in `commit_p99_ms`. Beside it, for the same messages
in the same run: the program that one would write first, `json.loads` and a peewee row a message.
"""

import argparse
import cProfile
import gc
import json
import pstats
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import peewee

from app.recorder.redelivery import Redelivery
from models.domain.clock import Instant
from models.domain.messages import RawMessage
from models.domain.presence import PresenceKeeper
from models.storage.segments import segment_file
from models.storage.workspace import Workspace
from models.storage.writing.batch_rows import CommitRows
from models.storage.writing.writer import StoreWriter
from mqtt.reading.reader import Reader
from tests.benchmarks.feeds import FEEDS, batches
from tests.benchmarks.measure import Figures, machine, quantile, summarise, tell
from tests.helpers.clock import FIRST_WALL_US, FakeClock
from tests.helpers.recorder_process import REPOSITORY

READY = ("split", "read", "observe", "rows")
KEYS = (
    "yardstick_us", *(f"{name}_us" for name in (*READY, "commit", "housekeep")), "ready_us", "ready_per_s", "all_us", "all_per_s",
    "commit_p99_ms", "housekeep_max_ms", "naive_per_s",
)  # fmt: skip
RATE = 20_000.0
WARM = 0.25
"""So much of all batches comes first and is not counted: plans and names are made then."""


class Stages:
    """The ingest thread's work on one batch, with a stop-watch at each step."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.writer = StoreWriter(Workspace.at(folder / "workspace"), self.clock)
        self.reader, self.keeper = Reader(self.writer.names, "agents", self.clock), PresenceKeeper()
        self.redelivery = Redelivery()
        self.writer.begin_capture("mqtt://127.0.0.1:1883", "cost")
        self.keeper.link_up(Instant.now(self.clock))
        self.times: list[dict[str, float]] = []
        self._rows_s = 0.0
        self._build = segment_file.build_rows
        segment_file.build_rows = self._build_rows  # type: ignore[assignment]

    def _build_rows(self, *arguments: object, **named: object) -> CommitRows:
        began = time.thread_time()
        rows = self._build(*arguments, **named)  # type: ignore[arg-type]
        self._rows_s = time.thread_time() - began
        return rows

    def take_in(self, messages: Sequence[RawMessage]) -> None:
        """As `Ingest` does it."""
        now, clock = time.thread_time, self.clock
        clock.advance(messages[-1].received_us + 500 - clock.wall_us())
        began = now()
        fresh, _ = self.redelivery.split(messages)
        split = now()
        batch = self.reader.read(fresh)
        read = now()
        at = Instant.now(clock)
        batch.presence += self.keeper.observe(batch, at)
        batch.presence += self.keeper.tick(at)
        observed, wall = now(), time.perf_counter()
        self.writer.commit(batch)
        committed, wall_s = now(), time.perf_counter() - wall
        self.redelivery.stored(batch)
        stored, wall = now(), time.perf_counter()
        self.writer.housekeep()
        self.times.append({
            "split": split - began + stored - committed, "read": read - split, "observe": observed - read,
            "rows": self._rows_s, "commit": committed - observed - self._rows_s, "housekeep": now() - stored,
            "commit_wall": wall_s, "housekeep_wall": time.perf_counter() - wall,
        })  # fmt: skip


def measure(feed: str, options: argparse.Namespace, folder: Path) -> Figures:
    stages = Stages(folder)
    lists = list(batches(FEEDS[feed](), options.agents, options.batch, options.batches, FIRST_WALL_US, RATE))
    gc.collect()
    gc.freeze()
    profile = cProfile.Profile() if options.profile else None
    warm = int(len(lists) * WARM)
    yardstick: list[float] = []
    for place, messages in enumerate(lists):
        began = time.thread_time()
        for one in messages:
            zlib.crc32(one.payload)
        yardstick.append(time.thread_time() - began)
        if profile is not None and place == warm:
            profile.enable()
        stages.take_in(messages)
    if profile is not None:
        profile.disable()
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(35)
    stages.writer.close()
    times, n = stages.times[warm:], options.batch
    found = {name: quantile([one[name] for one in times], 0.1) / n * 1e6 for name in (*READY, "commit")}
    found["housekeep"] = (
        sum(one["housekeep"] for one in times) / len(times) / n * 1e6
    )  # once a second, then all at once
    ready, all_ = sum(found[name] for name in READY), sum(found.values())
    return {
        "yardstick_us": round(quantile(yardstick, 0.1) / n * 1e6, 3),
        **{f"{name}_us": round(value, 2) for name, value in found.items()}, "ready_us": round(ready, 2),
        "ready_per_s": round(1e6 / ready), "all_us": round(all_, 2), "all_per_s": round(1e6 / all_),
        "commit_p99_ms": round(quantile([one["commit_wall"] for one in times], 0.99) * 1e3, 1),
        "housekeep_max_ms": round(max(one["housekeep_wall"] for one in times) * 1e3, 1),
        "naive_per_s": measure_naive(lists[-1][: options.naive], folder),
    }  # fmt: skip


def measure_naive(messages: Sequence[RawMessage], folder: Path) -> int:
    """Messages a second of the obvious program."""
    database = peewee.SqliteDatabase(folder / "naive.db", pragmas={"journal_mode": "wal"})

    class Message(peewee.Model):
        received = peewee.FloatField(index=True)
        topic = peewee.TextField(index=True)
        payload = peewee.TextField()

        class Meta:
            pass

    Message.bind(database)
    database.create_tables([Message])
    began = time.perf_counter()
    for one in messages:
        text = one.payload.decode()
        json.loads(text)
        Message.create(received=one.received_us / 1e6, topic=one.topic.decode(), payload=text)
    rate = len(messages) / (time.perf_counter() - began)
    database.close()
    return round(rate)


def _in_own_process(feed: str, options: argparse.Namespace) -> Figures:
    argv = [sys.executable, "-m", "tests.benchmarks.take_in_cost", "--one", feed]
    for name in ("agents", "batch", "batches", "naive"):
        argv += [f"--{name}", str(getattr(options, name))]
    out = subprocess.run(argv + ["--profile"] * options.profile, stdout=subprocess.PIPE, cwd=REPOSITORY, check=True)
    found: Figures = json.loads(out.stdout)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", default=",".join(FEEDS), help="with commas")
    parser.add_argument("--agents", type=int, default=1_000)
    parser.add_argument("--batch", type=int, default=1_000, help="messages a commit: 1000 is 50 ms at 20,000 a second")
    parser.add_argument("--batches", type=int, default=120)
    parser.add_argument("--naive", type=int, default=300, help="messages for the naive program; 0: leave it out")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--profile", action="store_true", help="print where the time goes, on stderr")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        with tempfile.TemporaryDirectory(prefix="cost-") as folder:
            print(json.dumps(measure(options.one, options, Path(folder))))
        return 0
    tell("take_in_cost", "machine", **machine())
    rows = []
    for run in range(options.runs):
        for feed in options.feeds.split(","):
            found = _in_own_process(feed, options)
            rows.append(tell("take_in_cost", feed, run=run, agents=options.agents, batch=options.batch, **found))
    summarise("take_in_cost", rows, KEYS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
