"""Files are damaged: nobody crashes, nothing is removed, recording goes on, and what is missing is told."""

import io
import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from models.domain.problems import EnvironmentProblem
from models.domain.queries import (
    AgentRequest,
    CancelToken,
    EventsRequest,
    FleetRequest,
    GapsRequest,
    LogRequest,
    MessageRequest,
    NamesRequest,
    Request,
    SeriesRequest,
    StoreRequest,
    TaskRequest,
    TopicsRequest,
    UnreadableRequest,
)
from models.domain.records import Level, LogRow, TaskReport, TaskState
from models.domain.search.terms import Anywhere
from models.domain.tail import Interest, TailCursor
from models.storage.copies.verify import verify
from models.storage.export.run import DATASETS, export
from models.storage.history.info import store_info
from models.storage.history.reader import HistoryReader
from models.storage.history.tail_reader import TailReader
from models.storage.sealing.seal import seal
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.damage import DAMAGES
from tests.helpers.faulty_disk import FaultyDisk
from tests.helpers.store import rows
from tests.helpers.store_life import BATCH, IMPORTED, Told, bring, kill, numbered

END = T0 + 3_600_000_000
REQUESTS: list[Request] = [
    FleetRequest(), AgentRequest(1), NamesRequest(), SeriesRequest((1,), T0, END), EventsRequest(0, T0, END), LogRequest(),
    LogRequest(query=Anywhere("bad")), MessageRequest(), MessageRequest(agent=1), TaskRequest(), TopicsRequest(), UnreadableRequest(),
    GapsRequest(T0, END), StoreRequest(),
]  # fmt: skip


@dataclass(frozen=True)
class Whole:
    """A workspace as a kill left it: a sealed segment, a closed one, an open one with its log, one that was just imported, a
    catalogue with its log."""

    folder: Path
    messages: int


@pytest.fixture
def whole(fast_folder: Path) -> Whole:
    workspace, clock = Workspace.at(fast_folder / "whole"), FakeClock()
    workspace.root.mkdir(parents=True)
    told = Told()
    with FaultyDisk(workspace.root).installed():
        for turn in range(3):
            writer = StoreWriter(workspace, clock)
            writer.begin_capture("mqtt://broker", "client")
            for number in range(12):
                if number == 5:
                    writer._upkeep.present.connection.wal_checkpoint()
                if (turn, number) == (2, 6):
                    bring(writer)
                writer.commit(lively(writer, clock, told.messages))
                told = told._replace(messages=told.messages + BATCH)
                clock.advance(1_700_000)
                writer.housekeep()
            writer.submit([{"do": "agent.rename", "agent": "a", "name": "Anna"}])
            (kill if turn == 2 else StoreWriter.close)(writer)
            if not turn:
                writer = StoreWriter(workspace, clock)
                seal(workspace.segment(1), workspace.sealing(1))
                writer.sealing.swap_in(1)
                writer.close()
    assert rows(workspace, "catalogue", "SELECT layout FROM segment") == [(2,), (1,), (1,), (1,)]
    return Whole(workspace.root, told.messages)


def lively(writer: StoreWriter, clock: FakeClock, first: int) -> object:
    batch, now = numbered(writer, clock, first), clock.wall_us()
    batch.logs.append(LogRow(0, now, batch.agent[0], Level.ERROR, None, "bad"))
    batch.tasks.append(TaskReport(1, now, batch.agent[1], f"task-{first}", None, TaskState.WORKING))
    return batch


def look(workspace: Workspace, clock: FakeClock) -> Iterator[str]:
    """Ask everything of every reader. Yields what they tell of damage."""
    try:
        yield from (one.code for one in verify(workspace))
        yield from (code for code in ("damaged",) if store_info(workspace) is None)
        for dataset in DATASETS:
            lost: list[int] = []
            export(workspace, dataset, io.BytesIO(), damaged=lambda id_, _, lost=lost: lost.append(id_), clock=clock)
            yield from (f"export of {dataset}" for _ in lost)
    except EnvironmentProblem as error:
        yield error.problem.code
    reader, tail = HistoryReader(workspace, clock), TailReader(workspace)
    for request in REQUESTS:
        try:
            list(reader.answer(request, CancelToken()))
        except EnvironmentProblem as error:
            yield error.problem.code
    try:
        page = tail.poll(TailCursor(((1, 0), (2, 0), (3, 0))), Interest(frozenset({1})))
        tail.poll(page.cursor, Interest(frozenset({1})))
    except EnvironmentProblem as error:
        yield error.problem.code
    reader.close()
    tail.close()


def exported(workspace: Workspace, clock: FakeClock) -> tuple[set[int], int]:
    """Numbers of what was recorded, and how many imported messages."""
    out = io.BytesIO()
    export(workspace, "messages", out, format="jsonl", clock=clock)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    payloads = [row["payload"].rstrip(".") for row in rows if row["origin"] != "imported"]
    return {int(payload) for payload in payloads if payload.isdigit()}, len(rows) - len(payloads)


def bytes_of(folder: Path) -> Counter[bytes]:
    """Of the databases and logs, wherever they are now."""
    return Counter(path.read_bytes() for path in folder.rglob("*.db*") if path.is_file() and "-shm" not in path.name)


def check_damage(whole: Whole, folder: Path, name: str, damage: Callable[..., None], chance: random.Random) -> str:
    """Answers what became of it."""
    workspace, clock = Workspace.at(folder), FakeClock(T0 + 10**9)
    shutil.copytree(whole.folder, folder)
    for left in folder.rglob("*-shm"):
        left.unlink()
    path = folder / name
    damage(path, chance)
    damaged = path.read_bytes()
    list(look(workspace, clock))  # a window that opens before the recorder does
    writer = StoreWriter(workspace, clock)
    told = [one.code for one in writer.problems]
    writer.begin_capture("mqtt://broker", "client")
    writer.commit(numbered(writer, clock, 10_000))
    writer.housekeep()
    told += list(look(workspace, clock))
    writer.close()
    told += list(look(workspace, clock))
    numbers, imported = exported(workspace, clock)
    assert imported in {0, IMPORTED}
    is_whole = set(range(whole.messages)) <= numbers and imported == IMPORTED
    assert told or is_whole, "something is missing, and nobody says so"
    assert is_whole or not name.startswith("catalogue"), "what was history stays history"
    assert all(workspace.segment(id_).exists() for id_ in (1, 2, 3, 4))
    aside = list(folder.glob("catalogue.db.damaged-*"))
    quarantined = [one for one in told if one == "set-aside"]
    if quarantined or aside:
        assert bytes_of(folder)[damaged], "what was set aside is not what it was"
    shutil.rmtree(folder)
    return "set aside" if quarantined or aside else "told" if told else "harmless"


FILES = (
    "segments/1.db", "segments/2.db", "segments/3.db", "segments/3.db-wal", "segments/4.db", "catalogue.db", "catalogue.db-wal",
)  # fmt: skip


def go_through(whole: Whole, folder: Path, count: int) -> None:
    chance = random.Random(20261128)
    found: Counter[str] = Counter()
    for turn in range(count):
        name, damage = FILES[turn % len(FILES)], DAMAGES[turn // len(FILES) % len(DAMAGES)]
        try:
            found[check_damage(whole, folder / f"{turn}", name, damage, chance)] += 1
        except BaseException as error:
            error.add_note(f"damage {turn}: {damage.__name__} of {name}")
            raise
    print(dict(found))
    assert found["set aside"]


def test_some_damages(whole: Whole, fast_folder: Path) -> None:
    go_through(whole, fast_folder, 30)


@pytest.mark.long
def test_five_hundred_damages(whole: Whole, fast_folder: Path) -> None:
    go_through(whole, fast_folder, 500)


def test_info_tells_of_a_catalogue_whose_hours_cannot_be_read(whole: Whole, fast_folder: Path) -> None:
    workspace = Workspace.at(fast_folder / "hours")
    shutil.copytree(whole.folder, workspace.root)
    [(page,)] = rows(workspace, "catalogue", "SELECT rootpage FROM sqlite_schema WHERE name = 'hours'")
    [(size,)] = rows(workspace, "catalogue", "PRAGMA page_size")
    with workspace.catalogue.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with pytest.raises(EnvironmentProblem) as caught:
        store_info(workspace)
    assert caught.value.problem.code == "store.corrupt"
