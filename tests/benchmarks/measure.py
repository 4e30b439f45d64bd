"""What every benchmark shares: the machine's name, costs of processes, quantiles, and how figures are printed."""

import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import apsw
import psutil

Figures = dict[str, object]


def machine() -> Figures:
    """Where and with what was measured."""
    model = "unknown"
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    names = ("PySide6-Essentials", "pyqtgraph", "numpy", "paho-mqtt", "peewee", "apsw")
    return {
        "cpu": model, "cores": os.cpu_count(), "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(), "python": platform.python_version(), "sqlite": apsw.sqlite_lib_version(),
        "load_before": round(os.getloadavg()[0], 2), **{name: metadata.version(name) for name in names},
    }  # fmt: skip


def quantile(values: Sequence[float], share: float) -> float:
    """Nearest rank; NaN where nothing was measured."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * round(share * 1000) // 1000) - 1)] if ranked else float("nan")


def spread(values_s: Sequence[float], unit_s: float = 1e-3) -> Figures:
    """Median, p95, p99 and worst in units of `unit_s` (milliseconds)."""
    named = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    return {"n": len(values_s), **{name: round(quantile(values_s, share) / unit_s, 2) for name, share in named}}


class Cost:
    """CPU time of one process since this was made, and its largest memory."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._began_s, self._cpu_s = time.monotonic(), self._used_s()

    def cpu_percent(self) -> float:
        """Of one core."""
        return round(100 * (self._used_s() - self._cpu_s) / (time.monotonic() - self._began_s), 1)

    def peak_mib(self) -> float:
        """Largest resident memory since the process began."""
        return peak_of(self._process.pid)

    def _used_s(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)


class Ran(NamedTuple):
    """A command that ended."""

    code: int
    seconds: float
    cpu_s: float
    peak_mib: float


def run_measured(argv: Sequence[str], stdout: Path | None = None, env: dict[str, str] | None = None) -> Ran:
    """Run a command to its end."""
    began_s = time.monotonic()
    with (stdout or Path(os.devnull)).open("wb") as out:
        process = subprocess.Popen(argv, stdout=out, env=env)
        pid, peak_mib = 0, 0.0
        while not pid:
            with contextlib.suppress(OSError, IndexError):  # it may have ended, and wait for us to notice
                peak_mib = peak_of(process.pid)  # not `ru_maxrss`, which begins at what this process has
            time.sleep(0.01)
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began_s
    return Ran(process.returncode, seconds, used.ru_utime + used.ru_stime, peak_mib)


def peak_of(pid: int) -> float:
    """Largest resident memory of a process so far, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return round(int(status.split("VmHWM:")[1].split()[0]) / 1024, 1)


def tell(benchmark: str, what: str, **figures: object) -> Figures:
    """Print one measurement as one JSON line and return it."""
    row = {"benchmark": benchmark, "what": what, **figures}
    print(json.dumps(row), flush=True)
    return row


def summarise(benchmark: str, rows: Sequence[Figures], keys: Sequence[str]) -> None:
    """Over several runs of the same measurement: median and worst of the figures named, one JSON line each kind. Of a rate
    (a name that ends in `per_s`) the least is the worst, of anything else the most."""
    by_what: dict[str, list[Figures]] = {}
    for row in rows:
        by_what.setdefault(str(row["what"]), []).append(row)
    lines = []
    for what, several in by_what.items():
        found: Figures = {"runs": len(several)}
        for key in keys:
            values = [value for row in several if isinstance(value := row.get(key), int | float)]
            if values:
                worst = min(values) if key.endswith("per_s") else max(values)
                found[key] = {"median": round(statistics.median(values), 3), "worst": worst}
        lines.append((what, tell(benchmark, f"summary: {what}", **found)))
    _table(lines, keys)


def _table(lines: Sequence[tuple[str, Figures]], keys: Sequence[str]) -> None:
    """The summary for people, on stderr: median / worst."""
    shown = [key for key in keys if any(key in found for _, found in lines)]
    rows = [["", *shown]]
    for what, found in lines:
        cells = [found.get(key) for key in shown]
        rows.append(
            [what, *(f"{one['median']:g} / {one['worst']:g}" if isinstance(one, dict) else "–" for one in cells)]
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        text = "  ".join(cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True)))  # fmt: skip
        print(text, file=sys.stderr)
