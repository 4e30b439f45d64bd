"""How small samples become in a sealed segment and how fast that goes, beside the batches that they come from.

    python -m tests.benchmarks.sealed_samples --samples 4000000 --runs 3

One line a fleet: bytes a sample, all in and in parts (own times, delays of arrival, places in the order of storing, values,
directory and the rest of the file with its free pages), the same of layout 1, samples sealed a second of processor time, and
the largest memory of the process that does it. Checked in every run: all samples are there again, bit by bit.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import apsw
import numpy as np

from models.storage.engine import open_database
from models.storage.sealing.sample_chunks import write_samples
from models.storage.sealing.sample_order import read_in_order
from models.storage.segments.sample_columns import decode
from models.storage.segments.schema import create_tables
from tests.benchmarks.measure import Figures, machine, peak_of, summarise, tell
from tests.benchmarks.sampled import FLEET, SECOND_US, VALUES, Fleet, fill, names_of, stretch
from tests.helpers.recorder_process import REPOSITORY

KEYS = ("bytes_per_sample", "layout_1", "samples_per_cpu_s", "peak_mib")
SINCE_US = 1_790_000_000_000_000
_PARTS = {
    "time": "SELECT sum(length(time)) FROM sample_chunk", "delay": "SELECT sum(length(delay)) FROM sample_chunk",
    "place": "SELECT sum(length(place)) FROM sample_chunk", "value": "SELECT sum(length(value)) FROM sample_column",
    "step": "SELECT sum(length(step)) FROM sample_column",
    "order": "SELECT sum(length(batch) + length(seq) + length(width)) FROM sample_stamp",
    "directory": "SELECT sum(pgsize) FROM dbstat WHERE name = 'sample_series'",
}  # fmt: skip


def fleets(samples: int) -> dict[str, tuple[Fleet, int]]:
    """What is measured, with the turns that make as many samples."""
    found = {
        "1,000 agents, 8 metrics, 1 Hz": Fleet(1_000, FLEET), "16 agents, 8 metrics, 1 Hz": Fleet(16, FLEET),
        "1,000 agents, 8 metrics, 30 s": Fleet(1_000, FLEET, 30 * SECOND_US),
        "10,000 agents, 8 metrics, 30 s": Fleet(10_000, FLEET, 30 * SECOND_US),
    }  # fmt: skip
    found |= {f"100 agents, 8 × {kind}, 1 Hz": Fleet(100, (kind,) * 8) for kind in VALUES}
    found |= {f"100 agents, {kind} alone, 1 Hz": Fleet(100, (kind,)) for kind in ("sensor noise", "counter")}
    return {name: (fleet, max(2, samples // fleet.agents // len(fleet.kinds))) for name, fleet in found.items()}


def measure(folder: Path, fleet: Fleet, turns: int, seed: int) -> Figures:
    source, target = folder / "1.db", folder / "2.db"
    database = open_database(source, create=True)
    create_tables(database)
    database.connection().pragma("synchronous", "OFF")
    names, series = names_of(fleet)
    fill(database.connection(), stretch(fleet, np.random.default_rng(seed), SINCE_US, turns), names, series)
    database.close()
    n = fleet.agents * turns * len(fleet.kinds)
    command = [sys.executable, "-m", "tests.benchmarks.sealed_samples", "--seal", str(source), str(target)]
    ran = json.loads(subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE).stdout)
    sealed = apsw.Connection(str(target), flags=apsw.SQLITE_OPEN_READONLY)
    parts = {name: round((sealed.execute(sql).fetchall()[0][0] or 0) / n, 3) for name, sql in _PARTS.items()}
    free = int(sealed.pragma("freelist_count")) * int(sealed.pragma("page_size"))
    old = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)
    blobs = [decode(data).value for (data,) in old.execute("SELECT samples FROM batch")]
    before = np.sort(np.concatenate(blobs).view(np.int64))
    after = [part.value for part in read_in_order(sealed, 0, 1 << 62, (0, 1 << 62), None, _fail)]
    assert (before == np.sort(np.concatenate(after).view(np.int64))).all(), "a sample is not as it was"
    old.close()
    sealed.close()
    found: Figures = {
        "samples": n, "bytes_per_sample": round(target.stat().st_size / n, 3), **parts, "free": round(free / n, 3),
        "layout_1": round(source.stat().st_size / n, 2), "seconds": ran["seconds"],
        "samples_per_cpu_s": round(n / ran["cpu_s"]), "peak_mib": ran["peak_mib"], "idle_mib": ran["idle_mib"],
    }  # fmt: skip
    for path in folder.iterdir():
        path.unlink()
    return found


def _fail(error: Exception) -> None:
    raise error


def seal(source: Path, target: Path) -> None:
    """In a process of its own, whose memory is measured."""
    reader = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)
    writer = apsw.Connection(str(target))
    idle_mib = peak_of(os.getpid())
    began_s, used_s = time.perf_counter(), time.process_time()
    with writer:
        write_samples(reader, writer)
    cpu_s, seconds = time.process_time() - used_s, time.perf_counter() - began_s
    found = {"cpu_s": cpu_s, "seconds": round(seconds, 2), "peak_mib": peak_of(os.getpid()), "idle_mib": idle_mib}
    print(json.dumps(found))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=2_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--only", default="", help="fleets whose name holds this")
    parser.add_argument("--seal", nargs=2, type=Path, metavar=("SOURCE", "TARGET"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.seal:
        seal(*options.seal)
        return 0
    tell("sealed samples", "machine", **machine())
    rows = []
    with tempfile.TemporaryDirectory(prefix="sealed-") as folder:
        for run in range(options.runs):
            for name, (fleet, turns) in fleets(options.samples).items():
                if options.only in name:
                    found = measure(Path(folder), fleet, turns, options.seed + run)
                    rows.append(tell("sealed samples", name, run=run, **found))
    summarise("sealed samples", rows, KEYS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
