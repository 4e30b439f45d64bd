"""History read again beside a fresh import of the same traffic under the same rules: rate of both, and whether every dataset
that is exported is the same, byte for byte.

    python -m tests.benchmarks.reread [MESSAGES]
"""

import base64
import hashlib
import io
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from app.recorder.import_run import Importer, at_once
from app.recorder.reread_run import HistoryHere, Rereader
from models.domain.clock import SystemClock
from models.domain.masking import Masking
from models.domain.rules import Rules, rule_of
from models.storage.export.run import DATASETS, export
from models.storage.keeping.retention import NO_LIMIT, StoreLimits
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.reading import RECORDINGS
from tests.helpers.recorded_store import of_our_own_agents

ROOM = StoreLimits(import_bytes=NO_LIMIT)
BEGAN_S = 1_790_000_000.0
RULES = Rules(
    (
        rule_of({"topic": "$SYS/broker/{metric}/{kind}", "means": "number", "agent": "the-broker", "metric": "{metric}.{kind}"}),
        rule_of({"topic": "agents/{agent}/log", "means": "log", "agent": "press {agent}"}),
        rule_of({"topic": "telegraf/#", "means": "ignore"}),
    )
)  # fmt: skip


def lines() -> Iterator[dict[str, object]]:
    """All recordings and a simulated fleet, over and over, a thousand messages a second."""
    told = [
        json.loads(line)
        for path in sorted(RECORDINGS.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    told += [
        {"topic": one.topic.decode(), "qos": 1, "retain": False, "payload_b64": base64.b64encode(one.payload).decode()}
        for one in of_our_own_agents(60)
    ]
    for number, one in enumerate(itertools.cycle(told)):
        yield {**one, "ts": BEGAN_S + number / 1_000}


class Watch:
    """Wall time, and that of the processor, which is the same whatever else the machine does."""

    def __init__(self) -> None:
        self._began_s, self._spent_s = time.monotonic(), time.process_time()

    def rate(self, what: str, messages: int, more: object = "") -> None:
        wall_s, cpu_s = time.monotonic() - self._began_s, time.process_time() - self._spent_s
        print(
            f"{what:14} {messages / wall_s:9,.0f} messages/s, {messages / cpu_s:9,.0f} a second of CPU {more}",
            flush=True,
        )


def bring(root: Path, path: Path, rules: Rules) -> StoreWriter:
    store = StoreWriter(Workspace.at(root), SystemClock(), ROOM)
    Importer(store, at_once, SystemClock(), Masking(()), lambda: rules).run([path], "agents", lambda _: None)
    return store


def digests(workspace: Workspace) -> dict[str, str]:
    found = {}
    for dataset in DATASETS:
        out = io.BytesIO()
        export(workspace, dataset, out, clock=FakeClock())
        found[dataset] = hashlib.sha256(out.getvalue()).hexdigest()
    return found


def main(messages: int) -> int:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        path = root / "traffic.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(one) + "\n" for one in itertools.islice(lines(), messages))
        watch = Watch()
        store = bring(root / "ws", path, Rules())
        watch.rate("import", messages)
        watch = Watch()
        history = HistoryHere(store._workspace, RULES, SystemClock())
        result = Rereader(store, history, at_once, lambda *_: None).run(0, 0, "agents", lambda _: None)
        watch.rate("reread, sealed", result.messages, result)
        store.close()
        watch = Watch()
        fresh = bring(root / "fresh", path, RULES)
        watch.rate("fresh import", messages)
        fresh.close()
        found, wanted = digests(Workspace.at(root / "ws")), digests(Workspace.at(root / "fresh"))
        for dataset, digest in wanted.items():
            print(f"{dataset:13} {'same' if found[dataset] == digest else 'DIFFERENT'}  {digest[:16]}", flush=True)
        return int(found != wanted)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
