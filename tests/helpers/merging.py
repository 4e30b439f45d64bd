"""Recorders on workspaces of their own that bring in what others recorded, and what has to be so afterwards."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from app.recorder.import_run import at_once
from app.recorder.merge_run import Merger
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.recorded import ImportProgress, ImportResult
from models.domain.records import Gap, GapCause, Level, LogRow, PresenceChange
from models.storage.copies.backup import backup_file
from models.storage.copies.verify import verify
from models.storage.export.run import export
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.store import batch_of, message, rows

SECOND = 1_000_000
DATASETS = ("messages", "samples", "logs", "presence", "gaps", "tasks", "interactions", "connections", "unreadable")


class Recorder:
    """A recorder on a workspace of its own."""

    def __init__(self, root: Path, clock: FakeClock, first_agent: int = 0) -> None:
        self.workspace, self.clock = Workspace.at(root), clock
        self.store = StoreWriter(self.workspace, clock)
        self._agent = first_agent
        self._n = 0

    def begin(self) -> None:
        self.store.begin_capture("mqtt://broker", "client")

    def record(self, count: int, *, presence: Presence | None = None, gap: bool = False) -> None:
        """So many batches, each of two messages, two samples and a log record."""
        names = self.store.names
        for _ in range(count):
            self.clock.advance(SECOND)
            now, agent = self.clock.wall_us(), f"agent-{self._agent + self._n % 3}"
            batch = batch_of(
                names,
                [message(now, b"t/%d/%d" % (self._agent, self._n % 5), b"%d" % self._n), message(now, b"other")],
                [agent, ""],
                [(0, "cpu_percent", float(self._n)), (0, f"m{self._n % 4}", 1.0)],
            )
            batch.logs.append(LogRow(0, now, batch.agent[0], Level.INFO, None, f"line {self._n}"))
            if presence is not None:
                batch.presence.append(PresenceChange(now, batch.agent[0], presence, Condition.OK, Cause.HEARD))
            if gap:
                batch.gaps.append(Gap(now - SECOND, now, batch.agent[0], GapCause.SEQUENCE, 3))
            self.store.commit(batch)
            self.store.housekeep()
            self._n += 1

    def back_up(self, path: Path, since_us: int = 0, texts: Mapping[str, bytes] | None = None) -> Path:
        backup_file(
            self.workspace, path, texts or {}, "1", self.clock, overwrite=True, progress=lambda *_: None,
            damaged=lambda *_: None, since_us=since_us,
        )  # fmt: skip
        return path

    def bring(self, source: Path, on_progress: Callable[[ImportProgress], None] = lambda _: None) -> ImportResult:
        return Merger(self.workspace, self.store, at_once, self.clock).run(source, on_progress)

    def exported(self) -> dict[str, list[dict]]:
        """Rows by dataset, without the gap that has not ended as nobody records."""
        found = {}
        for dataset in DATASETS:
            out = io.BytesIO()
            export(self.workspace, dataset, out, format="jsonl", clock=self.clock)
            lines = [msgspec.json.decode(line) for line in out.getvalue().splitlines()]
            found[dataset] = [row for row in lines if not (dataset == "gaps" and row["until"] is None)]
        return found

    def ask(self, query: str) -> list[tuple]:
        return rows(self.workspace, "catalogue", query)


def by_content(*exports: dict[str, list[dict]]) -> dict[str, list[str]]:
    """Rows of all, each once, in an order of their own."""
    return {
        dataset: sorted(msgspec.json.encode(row).decode() for one in exports for row in one[dataset])
        for dataset in DATASETS
    }


def whole(recorder: Recorder) -> None:
    assert list(verify(recorder.workspace)) == []
    assert not recorder.workspace.importing.exists()
    held = {int(path.stem) for path in recorder.workspace.segments.glob("*.db")}
    assert held == {id_ for (id_,) in recorder.ask("SELECT id FROM segment WHERE state IN ('open', 'closed')")}
    assert recorder.ask("SELECT coalesce(sum(messages), 0) FROM topic_total") == recorder.ask(
        "SELECT sum(messages) FROM segment WHERE state IN ('open', 'closed')"
    )
