"""What a user of the window feels while messages pour in: the lag of its event loop, on a real X server.

    python -m tests.benchmarks.window --rates 2000,10000,20000 --duration 60 --runs 3      twelve live plots
    python -m tests.benchmarks.window --rates 20000 --agents 1000 --duration 600 --qos 0 --no-baseline
    python -m tests.benchmarks.window --paint-latency --duration 60                        arrival to paint
    python -m tests.benchmarks.window --explore 50 --rates 10000 --duration 30             panels of four series; live, then zoomed
    python -m tests.benchmarks.window --fleet 1000 --duration 30                           1,000 agents, scrolled

Lag is how much later than 10 ms a precise 10 ms timer of the window's own event loop comes; the first `--settle` seconds after
the screen stands are left out, in the baseline the first three. The baseline is `naive_design` at the same rates on the same
screen. Nothing is removed of what is recorded. The screen is taller than usual, so that all twelve plots are visible at once;
`plots_visible` tells how many were.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.ingest import measure_naive
from tests.benchmarks.measure import Figures, machine, summarise, tell
from tests.helpers.recorder_process import REPOSITORY
from tests.helpers.x11 import x_environment, x_server

KEYS = (
    "lag_p50_ms", "lag_p99_ms", "lag_max_ms", "paint_p50_ms", "paint_p95_ms", "sort_p50_ms", "sort_p95_ms",
    "filter_p50_ms", "filter_p95_ms", "window_cpu", "recorder_cpu", "broker_cpu", "load_cpu", "draws_per_s", "lost",
    "commit_p50_ms", "commit_p99_ms", "window_peak_mib", "draw_p50_ms", "draw_p99_ms", "zoom_lag_p50_ms",
    "zoom_lag_p99_ms", "zoom_lag_max_ms", "zoom_draw_p50_ms", "zoom_draw_p99_ms",
)  # fmt: skip
_SPREADS = {
    "lag_ms": "lag",
    "zoom_lag_ms": "zoom_lag",
    "draw_ms": "draw",
    "zoom_draw_ms": "zoom_draw",
    "paint_latency_ms": "paint",
    "sort_ms": "sort",
    "filter_ms": "filter",
}


def measure(options: argparse.Namespace, scenario: str, rate: float, agents: int) -> Figures:
    """One scenario in a process of its own."""
    numbers = {
        "rate": rate, "agents": agents, "duration": options.duration, "settle": options.settle, "size": options.size,
        "max-queued": options.max_queued, "qos": options.qos, "panels": options.explore,
    }  # fmt: skip
    arguments = [word for name, value in numbers.items() if value is not None for word in (f"--{name}", str(value))]
    argv = [sys.executable, "-m", "tests.benchmarks.window_scenario", scenario, *arguments]
    ran = subprocess.run(argv, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert ran.returncode == 0, f"the scenario ended with {ran.returncode}"
    return _flat(json.loads(ran.stdout.splitlines()[-1]))


def _flat(found: Figures) -> Figures:
    """The spreads also as single figures, for the table."""
    single: Figures = {}
    for name, short in _SPREADS.items():
        if isinstance(spread := found.get(name), dict):
            single |= {f"{short}_{key}_ms": spread[key] for key in ("p50", "p95", "p99", "max")}
    return {**found, **single}


def measure_baseline(options: argparse.Namespace, rate: float, agents: int) -> Figures:
    options = argparse.Namespace(
        **{**vars(options), "agents": agents, "qos": 1, "naive_duration": min(20.0, options.duration)}
    )
    with tempfile.TemporaryDirectory(prefix="window-naive-") as folder:
        found = measure_naive(options, rate, Path(folder))
    renamed = {f"lag_{key}_ms": found.pop(f"loop_lag_{key}_ms") for key in ("p50", "p99", "max")}
    return {
        **renamed,
        **{name: value for name, value in found.items() if name != "recorder_cpu"},
        "window_cpu": found["recorder_cpu"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="2000,10000,20000", help="messages a second, with commas")
    parser.add_argument("--agents", type=int, default=300)
    parser.add_argument("--paint-latency", action="store_true", help="1,000 agents at 1,000 messages a second")
    parser.add_argument("--fleet", type=int, metavar="N", help="this many agents at 1,000 messages a second, scrolled")
    parser.add_argument("--explore", type=int, metavar="N", help="this many panels of four series each")
    parser.add_argument("--duration", type=float, default=60)
    parser.add_argument("--settle", type=float, default=5)
    parser.add_argument("--size", default="1920x1600")
    parser.add_argument("--max-queued", type=int, help="max_queued_messages of the broker (default: its own, 1000)")
    parser.add_argument("--qos", type=int, choices=(0, 1), default=1, help="of the load; the baseline's is 1")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--no-baseline", action="store_true")
    options = parser.parse_args()
    if options.paint_latency:
        plan = [("latency", 1000.0, 1000)]
    elif options.explore:
        plan = [("explore", float(rate), options.agents) for rate in options.rates.split(",")]
    elif options.fleet:
        plan = [("fleet", 1000.0, options.fleet)]
    else:
        plan = [("agent", float(rate), options.agents) for rate in options.rates.split(",")]
    tell("window", "machine", **machine(), size=options.size)
    rows = []
    width, height = options.size.split("x")
    with x_server(int(width), int(height)) as display:
        os.environ.update(x_environment(display))
        for run in range(options.runs):
            for scenario, rate, agents in plan:
                same = {"run": run, "duration": options.duration, "agents": agents, "max_queued": options.max_queued}
                rows.append(
                    tell("window", f"{scenario} {rate:g}/s", **same, **measure(options, scenario, rate, agents))
                )
                if not options.no_baseline:
                    found = measure_baseline(options, rate, agents)
                    rows.append(tell("window", f"naive {rate:g}/s", **same, **found))
    summarise("window", rows, KEYS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
