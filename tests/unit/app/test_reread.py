"""History read again is what a fresh import of the same traffic under the same rules would be, byte for byte."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from app.recorder.import_run import Importer, at_once
from app.recorder.reread_run import HistoryHere, Rereader
from models.domain.masking import Masking
from models.domain.recorded import RereadProgress, RereadResult
from models.domain.rules import Rules, rule_of
from models.storage.copies.verify import verify
from models.storage.export.run import DATASETS, export
from models.storage.keeping.retention import StoreLimits
from models.storage.sealing.seal import seal
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.store import rows

RECORDINGS = sorted((Path(__file__).resolve().parents[2] / "recordings").glob("*.jsonl"))
SMALL = StoreLimits(segment_bytes=300_000)
NOBODY = Rules()
MINE = Rules(
    tuple(
        rule_of(one)
        for one in (
            {"topic": "$SYS/broker/{metric}/{kind}", "means": "number", "agent": "the-broker", "metric": "{metric}.{kind}"},
            {"topic": "telegraf/#", "means": "ignore"},
            {"topic": "tele/{agent}/#", "means": "agent", "agent": "plug {agent}"},
        )
    )
)  # fmt: skip


class Bench:
    def __init__(self, root: Path, limits: StoreLimits = SMALL) -> None:
        self.workspace, self.clock = Workspace.at(root), FakeClock()
        self.store = StoreWriter(self.workspace, self.clock, limits)

    def bring(self, paths: Sequence[Path], rules: Rules, *, together: bool = False) -> None:
        importer = Importer(self.store, at_once, self.clock, Masking(()), lambda: rules)
        for some in [paths] if together else [[path] for path in paths]:
            importer.run(some, "agents", lambda _: None)

    def reread(
        self, rules: Rules, on_progress: Callable[[RereadProgress], None] = lambda _: None, since_us: int = 0
    ) -> RereadResult:
        history = HistoryHere(self.workspace, rules, self.clock)
        return Rereader(self.store, history, at_once, lambda _: None).run(since_us, 0, "agents", on_progress)

    def exported(self) -> dict[str, bytes]:
        found = {}
        for dataset in DATASETS:
            out = io.BytesIO()
            export(self.workspace, dataset, out, clock=self.clock)
            found[dataset] = out.getvalue()
        return found

    def seal(self, ids: Sequence[int]) -> None:
        for id_ in ids:
            seal(self.workspace.segment(id_), self.workspace.sealing(id_))
            self.store.sealing.swap_in(id_)

    def ask(self, query: str) -> list[tuple]:
        return rows(self.workspace, "catalogue", query)


def same(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    for dataset, data in one.items():
        assert data.decode().splitlines() == other[dataset].decode().splitlines(), dataset


def whole(bench: Bench) -> None:
    assert list(verify(bench.workspace)) == []
    assert not bench.workspace.rereading.exists()
    assert bench.ask("SELECT sum(messages) FROM topic_total") == bench.ask("SELECT sum(messages) FROM segment")
    assert not list(bench.workspace.segments.glob("*.sealing*"))


@pytest.mark.parametrize("sealed", [False, True], ids=["as recorded", "sealed"])
@pytest.mark.parametrize("together", [False, True], ids=["one after the other", "together"])
@pytest.mark.parametrize(("before", "after"), [(NOBODY, MINE), (MINE, NOBODY)], ids=["more rules", "fewer rules"])
def test_is_as_a_fresh_import(before: Rules, after: Rules, together: bool, sealed: bool, tmp_path: Path) -> None:
    bench, fresh = Bench(tmp_path / "ws"), Bench(tmp_path / "fresh", StoreLimits())
    bench.bring(RECORDINGS, before, together=together)
    if sealed:
        bench.seal([id_ for (id_,) in bench.ask("SELECT id FROM segment WHERE id % 2")])
    fresh.bring(RECORDINGS, after, together=together)
    assert bench.exported() != fresh.exported()
    result = bench.reread(after)
    assert result.messages == sum(n for (n,) in bench.ask("SELECT messages FROM segment"))
    same(bench.exported(), fresh.exported())
    whole(bench)
    bench.store.close()
    fresh.store.close()
    again = Bench(tmp_path / "ws")
    same(again.exported(), fresh.exported())
    again.store.close()
