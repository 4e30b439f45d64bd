"""The catalogue falls back behind the end of an import, or is lost: what was history stays history, once, and nothing is deleted."""

import random
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from models.domain.messages import Origin
from models.domain.problems import EnvironmentProblem
from models.domain.recorded import ImportedFile
from models.storage.copies.salvage import damaged_segments, salvage
from models.storage.copies.verify import verify
from models.storage.keeping import retention
from models.storage.keeping.pins import pinned
from models.storage.keeping.retention import StoreLimits
from models.storage.segments.import_mark import mark_ended
from models.storage.segments.segment_file import remove_files
from models.storage.workspace import Workspace
from models.storage.writing import import_writer, segment_rows
from models.storage.writing.import_writer import ImportWriter
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.damage import spoil
from tests.helpers.merging import Recorder, by_content, whole
from tests.helpers.store import batch_of, catalogue_now, message, put_back, rows

FILE = ImportedFile("/data/monday.jsonl", "abc", 1_000)
COUNTS = "SELECT coalesce(sum(messages), 0) FROM "


def fill(run: ImportWriter) -> None:
    """Two segments of three messages each."""
    for part in range(2):
        some = [message(T0 - 10**12 + 10 * part + n, b"old", origin=Origin.IMPORTED) for n in range(3)]
        run.commit(batch_of(run.names, some, ["old"] * 3, [(0, "cpu_percent", 50.0)]))
        run.end_segment()


def held(workspace: Workspace) -> tuple[int, int, int]:
    """Imported messages by the rows, by the totals of topics, by the agent."""
    ((by_rows,),) = rows(workspace, "catalogue", f"{COUNTS} segment WHERE state = 'closed'")
    ((by_topics,),) = rows(workspace, "catalogue", f"{COUNTS} topic_total")
    ((by_agents,),) = rows(workspace, "catalogue", f"{COUNTS} agent_now")
    return by_rows, by_topics, by_agents


def start(workspace: Workspace, clock: FakeClock) -> None:
    writer = StoreWriter(workspace, clock)
    assert writer.problems == []
    writer.close()
    assert list(verify(workspace)) == []


@pytest.mark.parametrize("state", ["before it began", "while it was under way", "lost"])
def test_an_import_that_ended_stays(state: str, workspace: Workspace, clock: FakeClock) -> None:
    writer = StoreWriter(workspace, clock)
    earlier = {"before it began": catalogue_now(workspace)}
    run = writer.begin_import([FILE])
    fill(run)
    earlier["while it was under way"] = catalogue_now(workspace)
    run.finish([FILE])
    assert held(workspace) == (6, 6, 6)
    writer.close()
    files = {path.name: path.read_bytes() for path in workspace.segments.iterdir()}
    put_back(workspace, earlier.get(state))
    start(workspace, clock)
    assert held(workspace) == (6, 6, 6)
    assert {path.name for path in workspace.segments.iterdir()} == files.keys()
    assert rows(workspace, "catalogue", "SELECT kind, started_us, ended_us >= started_us FROM capture") == [
        ("import", T0, 1)
    ]
    assert rows(workspace, "catalogue", "SELECT DISTINCT capture_id FROM segment") == [(1,)]
    writer = StoreWriter(workspace, clock)
    with pytest.raises(EnvironmentProblem) as raised:
        writer.begin_import([FILE])
    assert raised.value.problem.code == "import.known"
    writer.close()


def test_one_of_which_not_every_file_says_that_it_ended_goes_whole(workspace: Workspace, clock: FakeClock) -> None:
    for lost in (False, True):
        writer = StoreWriter(workspace, clock)
        fill(writer.begin_import([FILE]))
        under_way = catalogue_now(workspace)
        mark_ended(workspace.segment(1))
        kept = {path: path.read_bytes() for path in workspace.segments.iterdir()}
        writer.close()
        for path, data in kept.items():
            path.write_bytes(data)
        put_back(workspace, None if lost else under_way)
        start(workspace, clock)
        assert held(workspace) == (0, 0, 0)
        assert not list(workspace.segments.iterdir())


def test_one_that_was_killed_before_the_catalogue_was_told_is_there_whole(
    workspace: Workspace, clock: FakeClock
) -> None:
    writer = StoreWriter(workspace, clock)
    fill(writer.begin_import([FILE]))
    under_way = catalogue_now(workspace)
    for id_ in (1, 2):
        mark_ended(workspace.segment(id_))
    kept = {path: path.read_bytes() for path in workspace.segments.iterdir()}
    writer.close()
    for path, data in kept.items():
        path.write_bytes(data)
    put_back(workspace, under_way)
    start(workspace, clock)
    assert held(workspace) == (6, 6, 6)


def test_one_that_was_taken_back_after_its_files_had_ended_goes_whole_also_where_a_kill_came_between(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full where the catalogue is told; the first file goes, then we are killed."""
    writer = StoreWriter(workspace, clock)
    run = writer.begin_import([FILE])
    fill(run)

    def full(*_: object, **__: object) -> None:
        raise apsw.FullError("database or disk is full")

    monkeypatch.setattr(import_writer, "put_names", full)
    with pytest.raises(EnvironmentProblem):
        run.finish([FILE])
    left: list[bytes] = []

    def killed_after_one(catalogue: apsw.Connection, ids: list[int], remove: Callable[[], None]) -> None:
        def some() -> None:
            remove_files(workspace.segment(1))
            left.extend((catalogue_now(workspace), workspace.segment(2).read_bytes()))
            remove()

        segment_rows.take_back(catalogue, ids, some)

    monkeypatch.setattr(import_writer, "take_back", killed_after_one)
    run.cancel()
    writer.close()
    put_back(workspace, left[0])
    workspace.segment(2).write_bytes(left[1])
    start(workspace, clock)
    assert held(workspace) == (0, 0, 0)
    assert not list(workspace.segments.iterdir())


@pytest.fixture
def grown(tmp_path: Path, clock: FakeClock) -> tuple[Recorder, dict[str, bytes]]:
    """A workspace that brought a segment of another one, then the same when it had grown; and earlier catalogues of it."""
    server, laptop = Recorder(tmp_path / "server", clock), Recorder(tmp_path / "laptop", clock, first_agent=100)
    server.begin()
    server.record(5, gap=True)
    laptop.begin()
    laptop.record(4)
    laptop.bring(server.back_up(tmp_path / "b"))
    earlier = {"before it grew": catalogue_now(laptop.workspace)}
    server.record(5, gap=True)
    server.back_up(tmp_path / "b")

    def look(_: object) -> None:
        if laptop.ask("SELECT 1 FROM segment WHERE state = 'importing'"):
            earlier["while it was brought"] = catalogue_now(laptop.workspace)

    with pinned(laptop.workspace, lambda: [2]):  # so that the file of before stays a while
        laptop.bring(tmp_path / "b", look)
    server.store.close()
    laptop.store.close()
    assert laptop.workspace.segment(2).exists()
    return laptop, earlier


@pytest.mark.parametrize("left", [True, False], ids=["its beginning still there", "its beginning gone"])
@pytest.mark.parametrize("state", ["before it grew", "while it was brought", "lost"])
def test_what_grew_stands_alone(state: str, left: bool, grown: tuple[Recorder, dict[str, bytes]]) -> None:
    laptop, earlier = grown
    before, beginning = laptop.exported(), laptop.workspace.segment(2).read_bytes()
    if not left:
        remove_files(laptop.workspace.segment(2))
    put_back(laptop.workspace, earlier.get(state))
    for _ in range(2):
        start(laptop.workspace, laptop.clock)
        whole(laptop)
        assert by_content(laptop.exported()) == by_content(before)
        assert laptop.ask("SELECT sum(messages) FROM agent_now") == [(4 + 10,)]
        assert laptop.ask("SELECT count(*) FROM gap WHERE cause = 'damaged'") == [(0,)]
    aside = [path.read_bytes() for path in laptop.workspace.segments.glob("2.db.replaced-*")]
    assert aside == ([beginning] if left else [])


@pytest.mark.parametrize("imported", [False, True], ids=["recorded", "imported"])
@pytest.mark.parametrize("state", ["before it was salvaged", "lost"])
def test_what_was_salvaged_stands_alone(
    state: str, imported: bool, workspace: Workspace, clock: FakeClock, tmp_path: Path
) -> None:
    one = Recorder(workspace.root, clock)
    if imported:
        server = Recorder(tmp_path / "server", clock, first_agent=50)
        server.begin()
        server.record(150)
        one.bring(server.back_up(tmp_path / "b"))
        server.store.close()
    else:
        one.begin()
        one.record(150)
    one.store.close()
    spoil(workspace.segment(1), random.Random(3), 4)
    damaged = workspace.segment(1).read_bytes()
    earlier = {"before it was salvaged": catalogue_now(workspace)}
    found = damaged_segments(workspace, {finding.segment for finding in verify(workspace)})
    assert salvage(workspace, tmp_path / "found", found, clock, lambda *_: None)[0].saved.messages > 150
    one = Recorder(workspace.root, clock)
    one.bring(tmp_path / "found")
    one.store.close()
    before, totals = one.exported(), one.ask(f"{COUNTS} topic_total")
    put_back(workspace, earlier.get(state))
    start(workspace, clock)
    after = one.exported()
    assert one.ask(f"{COUNTS} topic_total") == ([(len(after["messages"]),)] if state == "lost" else totals)
    assert after["messages"] == before["messages"]
    assert [row for row in after["gaps"] if row["cause"] == "damaged"] == [
        row for row in before["gaps"] if row["cause"] == "damaged"
    ]
    assert [path.read_bytes() for path in workspace.segments.glob("1.db.replaced-*")] == [damaged]


def test_what_retention_had_just_removed_is_history_again_and_not_twice(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Killed before the file went; the catalogue is lost. Beside it stands the same from a backup, brought back meanwhile."""
    one = Recorder(workspace.root, clock)
    for _ in range(2):
        one.begin()
        one.record(5)
    one.begin()
    clock.advance(2_000_000)
    one.store.housekeep()
    one.back_up(tmp_path / "b")
    before = one.exported()
    monkeypatch.setattr(retention, "remove_files", lambda _: None)
    one.store.use_limits(StoreLimits(retention_bytes=1))
    assert one.ask("SELECT state FROM segment") == [("removed",), ("removed",)]
    monkeypatch.undo()
    removed = {id_: workspace.segment(id_).read_bytes() for id_ in (1, 2)}
    one.store.close()
    put_back(workspace, None)
    start(workspace, clock)
    assert one.exported()["messages"] == before["messages"]
    one = Recorder(workspace.root, clock)
    one.store.use_limits(StoreLimits(retention_bytes=1))
    one.store.use_limits(StoreLimits())
    assert one.bring(tmp_path / "b").segments == 2
    one.store.close()
    for id_, data in removed.items():
        workspace.segment(id_).write_bytes(data)
    put_back(workspace, None)
    start(workspace, clock)
    whole(one)
    assert sorted(map(str, one.exported()["messages"])) == sorted(map(str, before["messages"]))
    assert [path.read_bytes() for path in sorted(workspace.segments.glob("*.replaced-*"))] == list(removed.values())


def test_a_file_of_another_workspace_keeps_its_bytes_when_its_number_is_wanted(
    workspace: Workspace, clock: FakeClock, tmp_path: Path
) -> None:
    one, other = Recorder(workspace.root, clock), Recorder(tmp_path / "other", clock)
    for recorder in (one, other):
        recorder.begin()
        recorder.record(3)
        recorder.store.close()
    foreign = other.workspace.segment(1).read_bytes()
    workspace.segment(2).write_bytes(foreign)
    one = Recorder(workspace.root, clock)
    one.begin()
    one.record(2)
    one.store.close()
    whole(one)
    assert len(one.exported()["messages"]) == 2 * (3 + 2)
    assert [path.read_bytes() for path in workspace.segments.glob("2.db.foreign-*")] == [foreign]


@pytest.mark.parametrize(
    "key", ["layout", "created_us", "started_us", "capture", "import", "ended", "replaces", "segment"]
)
@pytest.mark.parametrize("text", ["'²'", f"'{'9' * 40}'", "cast(x'ff' AS TEXT)"])
def test_a_damaged_word_in_a_file_keeps_nobody_from_starting(
    key: str, text: str, workspace: Workspace, clock: FakeClock
) -> None:
    writer = StoreWriter(workspace, clock)
    fill(writer.begin_import([FILE]))
    writer._import.finish([FILE])
    writer.close()
    connection = apsw.Connection(str(workspace.segment(2)))
    connection.execute(f"UPDATE meta SET value = {text} WHERE key = ?", (key,))
    connection.close()
    put_back(workspace, None)
    StoreWriter(workspace, clock).close()
    assert {path.name[:4] for path in workspace.segments.iterdir()} == {"1.db", "2.db"}, "nothing is removed"
