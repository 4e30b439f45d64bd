"""What people mark in time: kept, told to every reader, exported, brought along, and never lost with what is derived."""

import csv
import io
import json
import uuid
from pathlib import Path

import pytest

from models.domain.annotations import (
    Annotation,
    AnnotationsRequest,
    AnnotationsResult,
    new_id,
    put_command,
    remove_command,
    tags_of,
)
from models.domain.problems import EnvironmentProblem
from models.domain.queries import CancelToken
from models.domain.tail import Interest, TailCursor
from models.storage.copies.verify import verify
from models.storage.export.run import export
from models.storage.history.reader import HistoryReader
from models.storage.history.tail_reader import TailReader
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.merging import Recorder
from tests.helpers.old_catalogue import make_workspace, put_old_catalogue
from tests.helpers.store import rows

S = 1_000_000
DEPLOY = Annotation(new_id(T0), T0 + S, T0 + S, 0, "", "Deployed 2.1, żółw", ("deploy", "v2"), 0)
OUTAGE = Annotation(new_id(T0 + 1), T0 + 2 * S, T0 + 9 * S, 0, "agent-0", "=cable pulled", (), 0)


@pytest.fixture
def recorder(tmp_path: Path, clock: FakeClock) -> Recorder:
    one = Recorder(tmp_path / "ws", clock)
    one.begin()
    one.record(3)
    return one


def kept(workspace: Workspace, clock: FakeClock) -> list[tuple]:
    reader = HistoryReader(workspace, clock)
    try:
        (result,) = reader.answer(AnnotationsRequest(), CancelToken())
        assert isinstance(result, AnnotationsResult)
        assert all((one.agent != 0) == bool(one.agent_id) for one in result.annotations)
        return [(one.id, one.since_us, one.until_us, one.agent_id, one.text, one.tags) for one in result.annotations]
    finally:
        reader.close()


def told(*some: Annotation) -> list[tuple]:
    return [(one.id, one.since_us, one.until_us, one.agent_id, one.text, one.tags) for one in some]


def put(recorder: Recorder, *some: Annotation) -> None:
    recorder.store.submit([put_command(one) for one in some])


def test_what_is_put_is_kept_changed_and_removed(recorder: Recorder, clock: FakeClock) -> None:
    put(recorder, OUTAGE, DEPLOY)
    assert kept(recorder.workspace, clock) == told(DEPLOY, OUTAGE)
    moved = OUTAGE._replace(until_us=T0 + 4 * S, agent_id="", tags=("network",))
    put(recorder, moved)
    assert kept(recorder.workspace, clock) == told(DEPLOY, moved)
    recorder.store.submit([remove_command(DEPLOY.id), remove_command(OUTAGE.id), remove_command("gone before")])
    assert kept(recorder.workspace, clock) == []
    audit = [json.loads(command)["do"] for (command,) in recorder.ask("SELECT command FROM audit ORDER BY id")]
    assert audit == ["annotation.put"] * 3 + ["annotation.remove"] * 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""}, {"id": 7}, {"since_us": "0"}, {"since_us": T0 + 5 * S}, {"until_us": 1 << 63}, {"since_us": True},
        {"since_us": -1}, {"text": None}, {"text": "x" * 10_001}, {"tags": "a"}, {"tags": [""]}, {"tags": ["t"] * 21},
        {"agent": None},
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_whole(recorder: Recorder, clock: FakeClock, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"annotation\.put wants"):
        recorder.store.submit([put_command(OUTAGE), {**put_command(DEPLOY), **wrong}])
    assert kept(recorder.workspace, clock) == []


def test_an_agent_that_nobody_knows_is_told(recorder: Recorder, clock: FakeClock) -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        put(recorder, DEPLOY, OUTAGE._replace(agent_id="nobody"))
    assert caught.value.problem.code == "agent.unknown"
    assert kept(recorder.workspace, clock) == []


def test_every_window_is_told_that_there_is_something_new(recorder: Recorder) -> None:
    tail = TailReader(recorder.workspace)
    try:
        page = tail.poll(TailCursor(), Interest())
        before = page.annotation_changes
        seen = {before}
        for command in (put_command(DEPLOY), put_command(DEPLOY._replace(text="anew")), remove_command(DEPLOY.id)):
            recorder.store.submit([command])
            page = tail.poll(page.cursor, Interest())
            assert page.annotation_changes not in seen
            seen.add(page.annotation_changes)
        recorder.record(1)
        assert tail.poll(page.cursor, Interest()).annotation_changes == page.annotation_changes
    finally:
        tail.close()


def test_they_are_exported_with_their_agent_in_the_range_that_they_touch(recorder: Recorder, clock: FakeClock) -> None:
    put(recorder, DEPLOY, OUTAGE)

    def exported(**options: object) -> str:
        out = io.BytesIO()
        export(recorder.workspace, "annotations", out, clock=clock, **options)  # type: ignore[arg-type]
        return out.getvalue().decode()

    found = list(csv.reader(io.StringIO(exported())))
    assert found == [
        ["since", "until", "agent", "text", "tags"],
        ["2026-01-01T00:00:01.000000Z", "2026-01-01T00:00:01.000000Z", "", "Deployed 2.1, żółw", '["deploy","v2"]'],
        ["2026-01-01T00:00:02.000000Z", "2026-01-01T00:00:09.000000Z", "agent-0", "'=cable pulled", "[]"],
    ]
    assert json.loads(exported(format="jsonl", until_us=T0 + 2 * S))["tags"] == ["deploy", "v2"]
    assert "cable" in exported(since_us=T0 + 9 * S)
    assert "cable" not in exported(since_us=T0 + 9 * S + 1)
    assert "Deployed" in exported(agent="agent-1")
    assert "cable" not in exported(agent="agent-1")


def test_another_workspace_brings_its_own_once_and_the_newer_version_counts(
    recorder: Recorder, tmp_path: Path, clock: FakeClock
) -> None:
    put(recorder, DEPLOY, OUTAGE)
    laptop = Recorder(tmp_path / "laptop", clock, first_agent=7)
    laptop.begin()
    laptop.record(2)  # so that agents have other numbers here
    for _ in range(2):
        laptop.bring(recorder.back_up(tmp_path / "b"))
        assert kept(laptop.workspace, clock) == told(DEPLOY, OUTAGE)
    clock.advance(S)
    mine = DEPLOY._replace(text="edited here")
    put(laptop, mine)
    clock.advance(S)
    theirs = OUTAGE._replace(text="edited there")
    put(recorder, theirs)
    assert laptop.bring(recorder.back_up(tmp_path / "b")).segments == 0
    assert kept(laptop.workspace, clock) == told(mine, theirs)
    for one in (recorder, laptop):
        one.store.close()
        assert list(verify(one.workspace)) == []


def test_one_on_an_agent_of_whom_nothing_else_is_held_comes_with_its_name(
    recorder: Recorder, tmp_path: Path, clock: FakeClock
) -> None:
    put(recorder, OUTAGE)
    recorder.begin()
    recorder.record(1)
    recorder.store.housekeep()
    laptop = Recorder(tmp_path / "laptop", clock, first_agent=7)
    laptop.begin()
    laptop.record(1)
    laptop.bring(recorder.back_up(tmp_path / "b", since_us=clock.wall_us()))
    assert kept(laptop.workspace, clock) == told(OUTAGE)
    recorder.store.close()
    laptop.store.close()


def test_retention_leaves_them(tmp_path: Path, clock: FakeClock) -> None:
    from models.storage.writing.writer import StoreLimits

    recorder = Recorder(tmp_path / "ws", clock)
    recorder.begin()
    recorder.record(3)
    put(recorder, OUTAGE)
    recorder.begin()  # closes the segment
    clock.advance(3_600 * S)
    recorder.store.housekeep()
    recorder.store.use_limits(StoreLimits(retention_bytes=1 << 40, retention_s=60))
    clock.advance(3_600 * S)
    recorder.store.housekeep()
    assert recorder.ask("SELECT count(*) FROM segment WHERE state = 'removed'") != [(0,)]
    assert kept(recorder.workspace, clock) == told(OUTAGE)
    recorder.store.close()


def test_they_come_back_out_of_a_damaged_catalogue(recorder: Recorder, clock: FakeClock) -> None:
    put(recorder, DEPLOY, OUTAGE)
    recorder.store.close()
    data = bytearray(recorder.workspace.catalogue.read_bytes())
    data[:4096] = bytes(4096)
    recorder.workspace.catalogue.write_bytes(data)
    again = StoreWriter(recorder.workspace, clock)
    assert [(one.code, one.params.get("annotations")) for one in again.problems] == [
        ("store.corrupt", None), ("catalogue.words", 2),
    ]  # fmt: skip
    again.close()
    assert kept(recorder.workspace, clock) == told(DEPLOY, OUTAGE)


def test_a_catalogue_of_before_has_none_and_gets_its_table(tmp_path: Path, clock: FakeClock) -> None:
    workspace = Workspace.at(tmp_path / "ws")
    make_workspace(workspace, clock)
    put_old_catalogue(workspace, 8)
    assert kept(workspace, clock) == [], "read as it is, before any recorder of now"
    store = StoreWriter(workspace, clock)
    store.submit([put_command(DEPLOY)])
    store.close()
    assert kept(workspace, clock) == told(DEPLOY)
    assert rows(workspace, "catalogue", "SELECT value FROM workspace WHERE key = 'annotations'") == [("1",)]


def test_ids_are_uuids_of_version_7_in_the_order_of_their_making() -> None:
    some = [new_id(T0 + n * 1_000) for n in range(50)]
    assert some == sorted(some)
    assert {uuid.UUID(one).version for one in some} == {7}
    assert {uuid.UUID(one).variant for one in some} == {uuid.RFC_4122}
    assert int(some[0].replace("-", "")[:12], 16) == T0 // 1_000


def test_tags_are_words_each_once() -> None:
    assert tags_of(" #deploy, db  Deploy,,#v2.1 ") == ("deploy", "db", "v2.1")
    assert tags_of(" , #") == ()
