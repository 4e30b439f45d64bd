"""Of `samples` some series alone: the rows that a full export has of them, open and sealed."""

import csv
import io

import pytest

from app.cli.main import guarded, run
from app.cli.parser import parse
from models.storage.export.run import export
from models.storage.export.scope import SeriesName
from models.storage.sealing.seal import seal
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.store import batch_of, message

SECOND = 1_000_000


def rows(workspace: Workspace, *series: SeriesName, since_us: int = 0) -> list[dict[str, str]]:
    out = io.BytesIO()
    export(workspace, "samples", out, since_us=since_us, series=series)
    return list(csv.DictReader(io.StringIO(out.getvalue().decode(), newline="")))


def named(row: dict[str, str]) -> SeriesName:
    return SeriesName(row["agent"], row["metric"], row["labels"])


def record(writer: StoreWriter, clock: FakeClock) -> None:
    for n in range(30):
        clock.advance(SECOND)
        some = [message(clock.wall_us(), b"t/%d" % agent, b"") for agent in range(3)]
        samples = [(agent, metric, float(n + agent)) for agent in range(3) for metric in ("cpu", "memory")]
        writer.commit(batch_of(writer.names, some, [f"agent-{agent}" for agent in range(3)], samples))
        writer.housekeep()
        if n == 14:
            writer.begin_capture("mqtt://broker", "client")
            writer.housekeep()


def test_the_rows_of_a_full_export_open_and_sealed(writer: StoreWriter, workspace: Workspace, clock: FakeClock) -> None:
    record(writer, clock)
    wanted = (SeriesName("agent-0", "cpu"), SeriesName("agent-2", "memory"), SeriesName("nobody", "cpu"))
    whole = rows(workspace)
    since_us = clock.wall_us() - 20 * SECOND
    later = rows(workspace, since_us=since_us)
    assert len(whole) == 180
    for _ in range(2):
        assert rows(workspace, *wanted) == [row for row in whole if named(row) in wanted]
        assert rows(workspace, *wanted, since_us=since_us) == [row for row in later if named(row) in wanted]
        clock.advance(60 * SECOND)
        writer.housekeep()
        for id_ in writer.sealing.waiting():
            seal(workspace.segment(id_), workspace.sealing(id_))
            writer.sealing.swap_in(id_)
    assert list(workspace.segments.glob("*.sealing")) == []


def test_the_command_takes_them_by_name(
    writer: StoreWriter, workspace: Workspace, clock: FakeClock, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    record(writer, clock)

    def done(dataset: str, text: str) -> int:
        words = ["export", dataset, "--workspace", str(workspace.root), "--series", text]
        return guarded(lambda: run(parse(words)))

    assert done("samples", '["agent-1", "cpu"]') == 0
    found = list(csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode(), newline="")))
    assert {named(row) for row in found} == {SeriesName("agent-1", "cpu")}
    assert len(found) == 30
    for dataset, text, said in (
        ("logs", '["a", "b"]', b"only samples"), ("samples", "a b", b"write it as"), ("samples", '["a"]', b"write it as"),
        ("samples", '["a", 1]', b"write it as"),
    ):  # fmt: skip
        assert done(dataset, text) == 2
        assert said in capsysbinary.readouterr().err
