"""How fast history is written out, beside the `sqlite3` shell printing the same columns from a plain table.

    python -m tests.benchmarks.export --messages 1000000 --agents 300 --runs 3

Both write a file; ours once more when its segments are sealed, which has to be the same file byte by byte. Checked in every run: both have as many rows as were recorded, and every float of ours is the one that was
recorded, bit by bit (the shell prints 15 digits, which is not always enough: `exact_floats`).
"""

import argparse
import csv
import filecmp
import os
import sys
import tempfile
from pathlib import Path

import apsw
import numpy as np

from models.storage.sealing.seal import seal
from models.storage.writing.writer import StoreWriter
from tests.benchmarks.filled import Filled, fill
from tests.benchmarks.measure import Figures, Ran, machine, run_measured, summarise, tell
from tests.helpers.needs import program
from tests.helpers.recorder_process import REPOSITORY

KEYS = ("rows_per_s", "rows_per_cpu_s", "seconds", "cpu_s", "peak_mib", "mib")
_TIME = "strftime('%Y-%m-%dT%H:%M:%S', {0} / 1000000, 'unixepoch') || printf('.%06dZ', {0} % 1000000)"
_KIND = "CASE kind WHEN 1 THEN 'status' WHEN 2 THEN 'metrics' WHEN 3 THEN 'log' WHEN 4 THEN 'task' WHEN 5 THEN 'message' ELSE 'other' END"  # fmt: skip
SHELL = {
    "samples": f"""SELECT {_TIME.format("time")} AS time, {_TIME.format("received")} AS received, agent.name AS agent, metric,
        unit, value, labels FROM sample JOIN series ON series.id = series JOIN agent ON agent.id = agent
        ORDER BY sample.rowid""",
    "messages": f"""SELECT {_TIME.format("received")} AS time, CAST(topic AS TEXT) AS topic, agent.name AS agent,
        {_KIND} AS kind, 'live' AS origin, 1 AS qos, 'false' AS retain, 'false' AS duplicate, length(payload) AS size,
        CAST(payload AS TEXT) AS payload, 'utf-8' AS payload_encoding, '' AS content_type, '' AS response_topic,
        '' AS correlation, '' AS user_properties FROM message LEFT JOIN agent ON agent.id = message.agent
        ORDER BY message.rowid""",
}


def measure(filled: Filled, folder: Path, dataset: str) -> list[tuple[str, Figures]]:
    """Ours, then the shell's, then both compared."""
    ours, theirs = folder / f"{dataset}.csv", folder / f"{dataset}-shell.csv"
    ran = _export(filled, dataset, ours)
    shell = [program("sqlite3"), "-readonly", "-csv", "-header", str(filled.plain), SHELL[dataset]]
    shell_ran = run_measured(shell, stdout=theirs)
    assert shell_ran.code == 0, f"sqlite3 ended with {shell_ran.code}"
    recorded = filled.samples if dataset == "samples" else filled.messages
    found = []
    for name, path, one in ((f"{dataset}, ours", ours, ran), (f"{dataset}, sqlite3", theirs, shell_ran)):
        rows, values = _read(path)
        assert rows == recorded, f"{name} has {rows} rows, recorded were {recorded}"
        exact = _exact(filled.plain, values) if dataset == "samples" else None
        found.append((name, {**_figures(one, rows, path), "exact_floats": exact}))
    assert dataset != "samples" or found[0][1]["exact_floats"] == 1.0, "a float did not come out as it was recorded"
    return found


def seal_all(filled: Filled) -> None:
    """As the recorder and its sealer do it."""
    writer = StoreWriter(filled.workspace, filled.clock)
    for id_ in writer.sealing.waiting():
        seal(filled.workspace.segment(id_), filled.workspace.sealing(id_))
        writer.sealing.swap_in(id_)
    writer.close()


def measure_sealed(filled: Filled, folder: Path, dataset: str) -> tuple[str, Figures]:
    """Beside the file that was written before sealing."""
    before, after = folder / f"{dataset}.csv", folder / f"{dataset}-sealed.csv"
    ran = _export(filled, dataset, after)
    assert filecmp.cmp(before, after, shallow=False), f"{dataset} are others once they are sealed"
    rows = filled.samples if dataset == "samples" else filled.messages
    return f"{dataset}, ours, sealed", _figures(ran, rows, after)


def _export(filled: Filled, dataset: str, path: Path) -> Ran:
    path.unlink(missing_ok=True)
    app = [sys.executable, "-m", "app", "export", dataset, "--workspace", str(filled.workspace.root), "-o", str(path)]
    ran = run_measured(app, env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    assert ran.code == 0, f"export ended with {ran.code}"
    return ran


def _figures(ran: Ran, rows: int, path: Path) -> Figures:
    return {
        "rows": rows, "rows_per_s": round(rows / ran.seconds), "rows_per_cpu_s": round(rows / ran.cpu_s), "seconds": round(ran.seconds, 2),
        "cpu_s": round(ran.cpu_s, 2), "peak_mib": ran.peak_mib, "mib": round(path.stat().st_size / 2**20, 1),
    }  # fmt: skip


def _read(path: Path) -> tuple[int, np.ndarray]:
    """Rows, and the numbers of the column `value`."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = next(rows)
        place = header.index("value") if "value" in header else -1
        if place < 0:
            return sum(1 for _ in rows), np.empty(0)
        values = np.fromiter((float(row[place]) for row in rows), np.float64)
    return len(values), values


def _exact(plain: Path, values: np.ndarray) -> float:
    """Share of recorded values that were printed bit by bit; order aside."""
    database = apsw.Connection(str(plain), flags=apsw.SQLITE_OPEN_READONLY)
    recorded = np.fromiter((row[0] for row in database.execute("SELECT value FROM sample")), np.float64)
    database.close()
    return float(np.mean(np.sort(recorded).view(np.int64) == np.sort(values).view(np.int64)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    tell("export", "machine", **machine())
    rows = []
    with tempfile.TemporaryDirectory(prefix="export-") as name:
        folder = Path(name)
        filled = fill(folder, options.messages, options.agents, options.seed)
        tell("export", "filled", messages=filled.messages, samples=filled.samples, agents=options.agents)
        for run in range(options.runs):
            for dataset in SHELL:
                rows += [tell("export", what, run=run, **found) for what, found in measure(filled, folder, dataset)]
        seal_all(filled)
        for run in range(options.runs):
            for dataset in SHELL:
                what, found = measure_sealed(filled, folder, dataset)
                rows.append(tell("export", what, run=run, **found))
    summarise("export", rows, KEYS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
