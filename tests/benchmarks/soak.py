"""Does the program stay the same for hours? Recorder and window, real processes, beside a real broker and a steady load.

    python -m tests.benchmarks.soak [--minutes 60] [--rate 3000] [--agents 300]

Every `--every` seconds one JSON line: memory, file handles and threads of both processes, the largest write-ahead log, the
logs, the catalogue, segments. At the end: what grew since the first sixth of the time (start-up, caches), and what was lost,
judged by the store. Retention is that of a new user (2 GB), so closing, sealing and removing are inside.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

from models.storage.workspace import Workspace
from tests.benchmarks.measure import Cost, Figures, machine, tell
from tests.benchmarks.traffic import Load, SysCounts, recording, settled, start_broker, taken_in
from tests.helpers.needs import bound_to_parent
from tests.helpers.recorder_process import REPOSITORY, environment
from tests.helpers.x11 import x_environment, x_server

WARM_SHARE = 1 / 6
WARM_S = 10  # at least: threads and handles that come when first wanted


class Look(NamedTuple):
    """One process at one moment."""

    rss_mib: float
    handles: int
    threads: int


def look(process: psutil.Process) -> Look:
    with process.oneshot():
        return Look(round(process.memory_info().rss / 2**20, 1), process.num_fds(), process.num_threads())


def run_soak(folder: Path, minutes: float, rate: float, agents: int, every_s: float) -> Figures:
    """The whole of it; prints as it goes."""
    workspace = folder / "workspace"
    where = Workspace.at(workspace)
    looks: list[tuple[float, dict[str, Look], Figures]] = []
    with (
        start_broker(folder / "broker", 100_000) as broker,
        recording(workspace, broker, "5") as (recorder, _client),
    ):
        with SysCounts(broker.tcp_port or 0) as counts, window(workspace, folder) as shown:
            processes = {"recorder": psutil.Process(recorder.pid), "window": shown}
            costs = {name: Cost(process.pid) for name, process in processes.items()}
            before = counts.counts()
            load = Load(broker.url, agents, rate, 60 * minutes, 1)
            began_s = time.monotonic()
            while load.running:
                time.sleep(every_s)
                found = {name: look(process) for name, process in processes.items()}
                files = sizes(where, folder)
                after_s = time.monotonic() - began_s
                looks.append((after_s, found, files))
                tell("soak", f"{after_s / 60:.1f} min", **{name: one._asdict() for name, one in found.items()}, **files)
            sent = sum_of(load.report())
            dropped = counts.counts()["dropped"] - before["dropped"]
            cpu = {f"{name}_cpu": cost.cpu_percent() for name, cost in costs.items()}
            stored = settled(lambda: taken_in(where), sent)[0]
        gained = {name: growth([(at, found[name]) for at, found, _ in looks], minutes) for name in looks[0][1]}
    return {
        "minutes": minutes, "rate": rate, "agents": agents, "sent": sent, "stored": stored, "dropped_by_broker": dropped,
        "lost": max(0, sent - stored), "grew": gained, "largest_wal_mb": max(files["wal_mb"] for *_, files in looks),
        "first_files": looks[0][2], "last_files": looks[-1][2], **cpu,
    }  # fmt: skip


def sum_of(said: dict[str, object]) -> int:
    """Messages that the load had acknowledged, of all kinds."""
    kinds = said["sent"]
    assert isinstance(kinds, dict)
    return sum(kinds.values())


@contextlib.contextmanager
def window(workspace: Path, folder: Path) -> Iterator[psutil.Process]:
    """The real window on a screen of its own; it attaches to the recorder that runs."""
    with x_server(1920, 1080) as display:
        variables = {**environment(workspace), **x_environment(display), "XDG_STATE_HOME": str(folder / "state")}
        variables.pop("QT_QPA_PLATFORM")
        argv = [sys.executable, "-m", "app", "--workspace", str(workspace)]
        with (folder / "window.log").open("wb") as log:
            process = subprocess.Popen(bound_to_parent(argv), env=variables, cwd=REPOSITORY, stdout=log, stderr=log)
        try:
            yield psutil.Process(process.pid)
            assert process.poll() is None, f"the window ended with {process.returncode}"
        finally:
            process.terminate()
            process.wait(20)


def sizes(where: Workspace, folder: Path) -> Figures:
    """Files of the workspace and the logs."""
    segments = list(where.segments.glob("*.db"))
    wals = [size_of(path) for path in (*where.segments.glob("*-wal"), where.catalogue.with_name("catalogue.db-wal"))]
    logs = [size_of(path) for path in folder.rglob("*.log*") if path.is_file()]
    return {
        "segments": len(segments), "segments_mb": sum(map(size_of, segments)) // 10**6, "wal_mb": max(wals, default=0) / 1e6,
        "logs_kb": sum(logs) // 1000, "catalogue_mb": round(size_of(where.catalogue) / 1e6, 2),
    }  # fmt: skip


def size_of(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def growth(looks: list[tuple[float, Look]], minutes: float) -> Figures:
    """From the first look after the warm-up to the last."""
    warm = next(one for at_s, one in looks if at_s >= max(WARM_S, 60 * minutes * WARM_SHARE))
    last = looks[-1][1]
    return {
        "rss_percent": round(100 * (last.rss_mib / warm.rss_mib - 1), 1), "rss_mib": last.rss_mib,
        "handles": last.handles - warm.handles, "threads": last.threads - warm.threads,
    }  # fmt: skip


def main() -> int:
    """Exit code 1 where a message was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=3_000)
    parser.add_argument("--agents", type=int, default=300)
    parser.add_argument("--every", type=float, default=30)
    options = parser.parse_args()
    tell("soak", "machine", **machine())
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        found = run_soak(Path(folder), options.minutes, options.rate, options.agents, options.every)
    tell("soak", "summary", **found)
    return 1 if found["lost"] else 0


if __name__ == "__main__":
    sys.exit(main())
