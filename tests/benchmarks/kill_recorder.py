"""Kills the recorder with SIGKILL again and again while messages pour in, then asks two witnesses what is missing.

    python -m tests.benchmarks.kill_recorder --kills 200 --rate 5000 --protocol 3.1.1

Half of the kills come at any moment, the other half between a commit, or the journal, and its acknowledgement, when a
redelivery is certain. With MQTT 3.1.1 most is acknowledged out of the journal.
The witnesses: the file in which the publisher noted every message the broker acknowledged to it, and the exported CSV.
Nothing of the recorder's own counters is believed. Prints one JSON line; exits 1 where a message was lost or doubled.
"""

import argparse
import csv
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from models.domain.connection import parse_url
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.benchmarks.traffic import settle
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.poll import until
from tests.helpers.recorder_process import RecorderProcess, command
from tests.helpers.stored_rows import message_rows

QUIET = ("log_type none", "log_type subscribe")  # a line a message would be the load

csv.field_size_limit(1 << 26)


class Witness:
    """Publishes numbered messages at a rate, from a thread of its own, and notes on disk which ones were acknowledged."""

    def __init__(self, url: str, rate: float, note: Path) -> None:
        connection, secret = parse_url(url)
        self._note = note.open("w")
        self._publisher = BulkPublisher(connection, secret, "witness", on_acknowledged=self._noted)
        self._rate, self._stop = rate, threading.Event()
        self._thread = threading.Thread(target=self._run, name="witness")
        self.sent = 0

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        self._stop.set()
        self._thread.join()
        assert self._publisher.drain(60), "the broker did not acknowledge everything"
        self._publisher.close()
        self._note.close()

    def _run(self) -> None:
        began_s = time.monotonic()
        while not self._stop.is_set():
            due = int((time.monotonic() - began_s) * self._rate) - self.sent
            numbers = range(self.sent, self.sent + min(due, 1_000))
            messages = [
                Outgoing(b"witness/%d/value" % (n % 50), b'{"number":%d,"value":%d.5}' % (n, n % 97)) for n in numbers
            ]
            self._publisher.send(messages, 1, list(numbers))
            self.sent += len(messages)
            self._publisher.poll(0.01)

    def _noted(self, numbers: list[object]) -> None:
        self._note.write("".join(f"{n}\n" for n in numbers))


def kill_again_and_again(folder: Path, kills: int, rate: float, seed: int, protocol: str = "auto") -> dict[str, object]:
    """The whole run; returns its figures."""
    chance, moment = random.Random(seed), threading.Event()
    workspace, starts_ms = folder / "workspace", []
    with (
        Mosquitto(folder / "broker", max_queued_messages=1_000_000, extra=QUIET) as broker,
        RecorderProcess(workspace, "", module="tests.helpers.mortal_recorder") as recorder,
    ):
        settle(workspace, broker, protocol)
        recorder.start()
        until(lambda: " 1 #\n" in broker.log, "the recorder subscribed")  # what was sent before is not its to keep
        witness = Witness(broker.url, rate, folder / "acknowledged.txt")
        witness.start()
        try:
            for number in range(kills):
                moment.wait(chance.uniform(0.3, 1.5))  # the moment of the kill is what is drawn by lot
                recorder.kill_before_acknowledging() if number % 2 else recorder.kill()
                began_s = time.monotonic()
                recorder.start()
                starts_ms.append(round((time.monotonic() - began_s) * 1000))
        finally:
            witness.finish()
        acknowledged = {int(line) for line in (folder / "acknowledged.txt").read_text().split()}
        until(lambda: message_rows(workspace, b"witness/") >= len(acknowledged), "everything stored", 120, 0.25)
        assert recorder.stop() == 0, "the recorder did not end well"
    counts = _exported(workspace)
    starts_ms.sort()
    return {
        "kills": kills, "rate": rate, "acknowledged": len(acknowledged), "rows": sum(counts.values()),
        "lost": len(acknowledged - counts.keys()), "doubled": sum(n - 1 for n in counts.values()),
        "start_ms_median": starts_ms[len(starts_ms) // 2] if starts_ms else None,
        "start_ms_worst": starts_ms[-1] if starts_ms else None,
    }  # fmt: skip


def _exported(workspace: Path) -> Counter[int]:
    target = workspace.parent / "messages.csv"
    answer = command(workspace, "export", "messages", "-o", str(target))
    assert answer.returncode == 0, answer.stderr.decode()
    counts: Counter[int] = Counter()
    with target.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["topic"].startswith("witness/"):
                counts[json.loads(row["payload"])["number"]] += 1
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rate", type=float, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--protocol", choices=("auto", "3.1.1"), default="auto")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kill-recorder-") as folder:
        figures = kill_again_and_again(
            Path(folder), arguments.kills, arguments.rate, arguments.seed, arguments.protocol
        )
    print(json.dumps(figures))
    return 1 if figures["lost"] or figures["doubled"] else 0


if __name__ == "__main__":
    sys.exit(main())
