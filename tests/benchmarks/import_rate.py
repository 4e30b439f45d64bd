"""How fast recorded traffic comes in, by the command alone and through a recorder that records a live fleet meanwhile.

    python -m tests.benchmarks.import_rate --messages 500000 --agents 1000
    python -m tests.benchmarks.import_rate --messages 500000 --agents 1000 --live 2000

Checked in every run: as many messages are held as were recorded, live ones included. `--live` also tells the recorder's own
figures while it imports: the age of what waits, worst seen, and commits.
"""

import argparse
import base64
import json
import os
import sys
import tempfile
import threading
from pathlib import Path

from app.control_client import ControlClient
from app.simulation.fleet import SimulatedFleet
from models.storage.history.info import store_info
from models.storage.workspace import Workspace
from tests.benchmarks.measure import Figures, machine, quantile, run_measured, summarise, tell
from tests.benchmarks.traffic import Load, recording, settled, start_broker, stored_rows
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY, environment

KEYS = (
    "per_s",
    "seconds",
    "cpu_s",
    "peak_mib",
    "store_mib",
    "lost",
    "lag_before_p99_ms",
    "lag_p99_ms",
    "lag_worst_ms",
    "commit_p99_ms",
)
BEGAN_S = 1_795_420_000.0
QUIET_LOOKS = 300
RATE = 1_000  # messages a second, as recorded


def write_recording(path: Path, messages: int, agents: int, seed: int) -> None:
    """Our contract at `RATE` messages a second: eight figures each in most, logs, tasks and conversations."""
    fleet = SimulatedFleet(agents, seed)
    with path.open("w", encoding="ascii") as file:
        for at in range(0, messages, RATE):
            for k, one in enumerate(fleet.next(min(RATE, messages - at), BEGAN_S + at / RATE)):
                line = {
                    "ts": round(BEGAN_S + (at + k) / RATE, 6), "topic": one.topic.decode(), "qos": 0, "retain": one.retain,
                    "payload_b64": base64.b64encode(one.payload).decode(),
                }  # fmt: skip
                file.write(json.dumps(line, separators=(",", ":")) + "\n")


def measure_alone(file: Path, workspace: Path, messages: int) -> Figures:
    """The command writes by itself."""
    ran = run_measured(_command(file, workspace), env=environment(workspace))
    assert ran.code == 0, f"import ended with {ran.code}"
    assert stored_rows(workspace) == messages
    return {**_rate(messages, ran.seconds, workspace), "cpu_s": round(ran.cpu_s, 2), "peak_mib": ran.peak_mib}


def measure_live(file: Path, folder: Path, messages: int, rate: float, protocol: str) -> Figures:
    """The recorder writes, between what comes from a fleet of a hundred agents."""
    workspace = folder / "workspace"
    with start_broker(folder / "broker", None) as broker, recording(workspace, broker, protocol) as (_, client):
        load = Load(broker.url, 100, rate, 600, 1)
        lags, ended = _watch_lags(workspace)
        until(lambda: len(lags) >= QUIET_LOOKS, "the load alone was looked at", 120)
        before, lags[:] = list(lags), []
        ran = run_measured(_command(file, workspace), env=environment(workspace))
        ended.set()
        assert ran.code == 0, f"import ended with {ran.code}"
        sent = int(str(load.stop()["total"]))
        rows, _ = settled(lambda: stored_rows(workspace) - messages, sent)
        counters = client.hello("cli").counters
    return {
        **_rate(messages, ran.seconds, workspace), "lost": sent - rows, "live_per_s": rate, "protocol": protocol,
        "lag_before_p99_ms": round(quantile(before, 0.99) / 1e3, 1), "lag_p99_ms": round(quantile(lags, 0.99) / 1e3, 1), "lag_worst_ms": round(max(lags) / 1e3, 1),
        "commit_p99_ms": round(counters.commit_p99_us / 1e3, 1),
    }  # fmt: skip


def _watch_lags(workspace: Path) -> tuple[list[float], threading.Event]:
    """`Counters.lag_us`, asked for every ten milliseconds."""
    lags: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        with ControlClient(Workspace.at(workspace)) as client:
            while not ended.wait(0.01):
                lags.append(client.hello("cli").counters.lag_us)

    threading.Thread(target=watch, name="lags", daemon=True).start()
    return lags, ended


def _command(file: Path, workspace: Path) -> list[str]:
    return [sys.executable, "-m", "app", "import", str(file), "--workspace", str(workspace)]


def _rate(messages: int, seconds: float, workspace: Path) -> Figures:
    mib = round(int(store_info(Workspace.at(workspace))["store_bytes"]) / 2**20, 1)
    return {"per_s": round(messages / seconds), "seconds": round(seconds, 2), "store_mib": mib}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--live", type=float, default=0, help="messages a second that a recorder stores meanwhile")
    parser.add_argument("--protocol", choices=("5", "3.1.1"), default="5", help="of the recorder that stores them")
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(REPOSITORY)
    tell("import", "machine", **machine())
    rows = []
    with tempfile.TemporaryDirectory(prefix="import-") as name:
        file = Path(name) / "recording.jsonl"
        write_recording(file, options.messages, options.agents, options.seed)
        tell("import", "recording", messages=options.messages, mib=round(file.stat().st_size / 2**20, 1))
        for run in range(options.runs):
            folder = Path(name) / f"run-{run}"
            folder.mkdir()
            found = measure_alone(file, folder / "alone", options.messages)
            rows.append(tell("import", "alone", run=run, **found))
            if options.live:
                found = measure_live(file, folder, options.messages, options.live, options.protocol)
                rows.append(tell("import", "through the recorder", run=run, **found))
    summarise("import", rows, KEYS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
