"""What an agent speaks, as the catalogue keeps it: what it declared counts for more than what its log records show."""

from pathlib import Path

import pytest

from models.domain.messages import Origin
from models.domain.recorded import ImportedFile
from models.domain.records import Declaration
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreLimits, StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.store import batch_of, message, rows

STEPS = [
    (["winston"], "winston"), (["winston", ""], ""), (["winston", "", "pino"], "pino"), (["homie"], "homie"),
    (["winston", "homie"], "homie"), (["homie", "winston"], "homie"), (["homie", "winston", ""], "homie"),
    (["homie", "telegraf"], "telegraf"), (["winston", "pino"], "pino"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "kept"), STEPS)
@pytest.mark.parametrize("imported", [False, True])
def test_what_an_agent_speaks(
    told: list[str], kept: str, imported: bool, workspace: Workspace, clock: FakeClock, tmp_path: Path
) -> None:
    writer = StoreWriter(workspace, clock, StoreLimits())
    file = ImportedFile(str(tmp_path / "monday.jsonl"), "abc", 1_000)
    writer.begin_capture("mqtt://broker", "client")
    commit = writer.begin_import([file], again=True) if imported else writer
    for at, convention in enumerate(told):
        origin = Origin.IMPORTED if imported else Origin.LIVE
        batch = batch_of(writer.names, [message(T0 + at, origin=origin)], ["a"])
        batch.declarations.append(Declaration(0, 1, convention, "A" if convention == "homie" else None))
        commit.commit(batch)
    if imported:
        commit.finish([file])
    writer.close()
    assert rows(workspace, "catalogue", "SELECT convention, own_name FROM agent") == [
        (kept, "A" if "homie" in told else "")
    ]
