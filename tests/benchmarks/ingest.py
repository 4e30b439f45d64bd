"""How many messages a second a real recorder stores behind a real Mosquitto, and what is lost on the way.

    python -m tests.benchmarks.ingest --rates 2000,10000,20000 --duration 60 --runs 3
    python -m tests.benchmarks.ingest --protocol 3.1.1 --qos 1 --max-queued 0

Beside it, at the same rates on a broker with the same limits: `mosquitto_sub` printing every message as JSON into a pipe,
and the program that one would write first (`naive_design`). One JSON line a measurement on stdout, a table on stderr.
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

from tests.benchmarks.measure import Cost, Figures, machine, summarise, tell
from tests.benchmarks.traffic import Load, SysCounts, Watch, recording, settled, start_broker, stored_rows
from tests.helpers.needs import bound_to_parent, program
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY, command

KEYS = (
    "sent", "reached_rate", "stored", "lost", "broker_dropped", "after_load_s", "commit_p50_ms", "commit_p99_ms",
    "store_lag_worst_ms", "recorder_cpu", "subscriber_cpu", "broker_cpu", "load_cpu", "recorder_peak_mib", "loop_lag_p99_ms",
)  # fmt: skip


def measure_recorder(options: argparse.Namespace, rate: float, folder: Path) -> Figures:
    """One run; the broker's own counts and the rows in the files judge it."""
    workspace = folder / "workspace"
    with (
        start_broker(folder / "broker", options.max_queued) as broker,
        SysCounts(broker.port) as broker_counts,
        recording(workspace, broker, options.protocol) as (recorder, client),
    ):
        before = broker_counts.counts()
        with Watch(client) as watch:
            load = Load(broker.url, options.agents, rate, options.duration, options.qos)
            costs = {"recorder_cpu": Cost(recorder.pid), "broker_cpu": Cost(broker.pid)}
            cpu = _until_sent(load, costs)
            sent = load.report()
            rows, after_s = settled(lambda: stored_rows(workspace), int(str(sent["total"])))
            after = broker_counts.counts()
            peak = costs["recorder_cpu"].peak_mib()
        state = client.hello("cli")
    told = json.loads(command(workspace, "info", "--json").stdout)
    return {
        **_sent(sent), "rows": rows, "stored": rows, "lost": int(str(sent["total"])) - rows, "after_load_s": after_s,
        **{f"broker_{name}": after[name] - before[name] for name in after}, **watch.figures(), **cpu,
        "recorder_peak_mib": peak, "mqtt": state.mqtt_version, "counters": _counters(state.counters), "info": told["stored"],
    }  # fmt: skip


def _counters(counters: object) -> Figures:
    return {name: getattr(counters, name) for name in ("received", "stored", "duplicates", "unreadable", "dropped")}


def _until_sent(load: Load, costs: dict[str, Cost]) -> Figures:
    """CPU of all while the load runs: the simulator's is read before it ends."""
    found: Figures = {}
    while load.running:
        try:
            found = {name: cost.cpu_percent() for name, cost in {**costs, "load_cpu": load.cost}.items()}
        except (ProcessLookupError, subprocess.SubprocessError):
            break
        time.sleep(0.2)
    return found


def _sent(sent: dict[str, object]) -> Figures:
    """`retained` are those that Mosquitto's own count of what it received leaves out."""
    kinds = sent["sent"]
    assert isinstance(kinds, dict)
    return {
        "sent": sent["total"], "retained": kinds["status"], "reached_rate": sent["rate"], "behind": sent["behind"],
        "unacknowledged": sent["unacknowledged"],
    }  # fmt: skip


def measure_mosquitto_sub(options: argparse.Namespace, rate: float, folder: Path) -> Figures:
    """What a C client receives and prints at the same rate, stored nowhere."""
    with start_broker(folder / "broker", options.max_queued) as broker, SysCounts(broker.port) as broker_counts:
        before = broker_counts.counts()
        version = ["-V", "mqttv311"] if options.protocol == "3.1.1" else ["-V", "mqttv5", "-D", "connect", "receive-maximum", "65535"]  # fmt: skip
        address = ["-h", "127.0.0.1", "-p", str(broker.port), "-i", "subscriber"]
        argv = [program("mosquitto_sub"), *address, *version, "-t", "agents/#", "-q", str(options.qos), "-F", "%j"]
        output = folder / "count"
        with output.open("wb") as out:
            counter = subprocess.Popen(["wc", "-l"], stdin=subprocess.PIPE, stdout=out)
            subscriber = subprocess.Popen(bound_to_parent(argv), stdout=counter.stdin)
        assert counter.stdin is not None
        counter.stdin.close()
        until(lambda: "agents/#" in broker.log, "mosquitto_sub subscribed")
        load = Load(broker.url, options.agents, rate, options.duration, options.qos)
        cpu = _until_sent(load, {"subscriber_cpu": Cost(subscriber.pid), "broker_cpu": Cost(broker.pid)})
        sent = load.report()
        after = broker_counts.counts()
        subscriber.terminate()
        subscriber.wait()
        counter.wait()
    received = int(output.read_text())
    lost = int(str(sent["total"])) - received
    dropped = {f"broker_{name}": after[name] - before[name] for name in after}
    return {**_sent(sent), "received": received, "lost": lost, **dropped, **cpu}


def measure_naive(options: argparse.Namespace, rate: float, folder: Path) -> Figures:
    """The obvious program at a rate; it keeps up where all is stored two seconds after the load."""
    with start_broker(folder / "broker", options.max_queued) as broker:
        argv = [
            sys.executable,
            "-m",
            "tests.benchmarks.naive_design",
            "--broker",
            broker.url,
            "--qos",
            str(options.qos),
        ]
        environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ}  # the window benchmark has a screen
        naive = subprocess.Popen(
            bound_to_parent([*argv, "--database", str(folder / "naive.db")]),
            stdout=subprocess.PIPE, text=True, cwd=REPOSITORY, env=environment,
        )  # fmt: skip
        assert naive.stdout is not None
        assert naive.stdout.readline().strip() == "ready"
        load = Load(broker.url, options.agents, rate, options.naive_duration, options.qos)
        cost = Cost(naive.pid)
        cpu = _until_sent(load, {"recorder_cpu": cost, "broker_cpu": Cost(broker.pid)})
        sent = load.report()
        rows, after_s = settled(lambda: _naive_rows(folder / "naive.db"), int(str(sent["total"])), 2.0)
        peak = cost.peak_mib()
        naive.terminate()
        out, _ = naive.communicate(timeout=120)
    said = json.loads(out.splitlines()[-1])
    lost = int(str(sent["total"])) - rows
    lag = said["lag_ms"]
    return {
        **_sent(sent), "stored": rows, "lost": lost, "after_load_s": after_s, **cpu, "recorder_peak_mib": peak,
        "keeps_up": not lost and after_s < 2, "loop_lag_p50_ms": lag["p50"], "loop_lag_p99_ms": lag["p99"],
        "loop_lag_max_ms": lag["max"],
    }  # fmt: skip


def _naive_rows(file: Path) -> int:
    reader = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return int(reader.execute("SELECT coalesce(max(id), 0) FROM message").fetchall()[0][0])
    finally:
        reader.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="2000,10000,20000", help="messages a second, with commas")
    parser.add_argument("--duration", type=float, default=60)
    parser.add_argument("--agents", type=int, default=300)
    parser.add_argument("--protocol", choices=("auto", "3.1.1"), default="auto")
    parser.add_argument("--qos", type=int, choices=(0, 1), default=1)
    parser.add_argument("--max-queued", type=int, help="max_queued_messages of the broker (default: its own, 1000)")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--naive-rates", default="100,200,500,1000,2000", help="empty: leave it out")
    parser.add_argument("--naive-duration", type=float, default=10)
    parser.add_argument("--only", choices=("recorder", "mosquitto_sub", "naive"))
    options = parser.parse_args()
    same = {name: getattr(options, name) for name in ("duration", "agents", "protocol", "qos", "max_queued")}
    tell("ingest", "machine", **machine())
    measures = {"recorder": measure_recorder, "mosquitto_sub": measure_mosquitto_sub, "naive": measure_naive}
    rows = []
    for run in range(options.runs):
        for name, measure in measures.items():
            if options.only not in (None, name):
                continue
            for rate in (options.naive_rates if name == "naive" else options.rates).split(","):
                if rate:
                    with tempfile.TemporaryDirectory(prefix="ingest-") as folder:
                        found = measure(options, float(rate), Path(folder))
                    rows.append(tell("ingest", f"{name} {rate}/s", run=run, **same, **found))
    summarise("ingest", rows, KEYS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
