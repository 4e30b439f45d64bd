"""What a broker does when the recorder stands still for a moment: is it as quick afterwards, and what comes back?

    python -m tests.benchmarks.stall --rate 20000 --stall 1
    python -m tests.benchmarks.stall --rate 20000 --stall 1 --max-queued 100000
    python -m tests.benchmarks.stall --rate 20000 --stall 0                       the baseline: no stall

Stops the recorder's process (SIGSTOP) in the middle of the load. One JSON line a second with what the recorder receives and what
the broker spends; then what is lost, and what of that came back with each of two restarts of the recorder (messages that
Mosquitto dropped on the way to a socket without room stay in its in-flight list, and are sent again to a new connection).
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.benchmarks.measure import machine, tell
from tests.benchmarks.traffic import Load, recording, settled, start_broker, stored_rows

BEFORE_S, AFTER_S, AGENTS = 5, 8, 300


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=20_000)
    parser.add_argument("--stall", type=float, default=1.0, help="seconds")
    parser.add_argument("--protocol", choices=("auto", "3.1.1"), default="auto")
    parser.add_argument("--max-queued", type=int, help="max_queued_messages of the broker (default: its own, 1000)")
    options = parser.parse_args()
    tell("stall", "machine", **machine())
    with tempfile.TemporaryDirectory(prefix="stall-") as name:
        workspace = Path(name) / "workspace"
        with (
            start_broker(Path(name) / "broker", options.max_queued) as broker,
            recording(workspace, broker, options.protocol) as (recorder, client),
        ):
            load = Load(broker.url, AGENTS, options.rate, 0, 1)
            process = psutil.Process(broker.pid)
            times, received, at_s = process.cpu_times(), 0, time.monotonic()
            for second in range(BEFORE_S + AFTER_S):
                time.sleep(1)
                if second == BEFORE_S and options.stall:
                    os.kill(recorder.pid, signal.SIGSTOP)
                    time.sleep(options.stall)
                    os.kill(recorder.pid, signal.SIGCONT)
                counters, now, now_s = client.hello("cli").counters, process.cpu_times(), time.monotonic()
                passed_s = now_s - at_s
                tell(
                    "stall", "before" if second < BEFORE_S else "after", received_per_s=round((counters.received - received) / passed_s),
                    broker_user=round(100 * (now.user - times.user) / passed_s), lag_ms=round(counters.lag_us / 1000),
                    broker_system=round(100 * (now.system - times.system) / passed_s),
                )  # fmt: skip
                times, received, at_s = now, counters.received, now_s
            sent = load.stop()
            total = int(str(sent["total"]))
            rows, _ = settled(lambda: stored_rows(workspace), total)
            back = []
            for _ in range(2):
                recorder.stop()
                recorder.start()
                back.append(settled(lambda: stored_rows(workspace), total)[0] - rows)
            same = {"stall_s": options.stall, "protocol": options.protocol, "max_queued": options.max_queued}
            tell("stall", "end", **same, sent=total, reached_rate=sent["rate"], lost=total - rows, came_back=back)
    return 0


if __name__ == "__main__":
    sys.exit(main())
