"""Counts of a workspace, and the search for damage in it."""

import re
from pathlib import Path

import pytest

from models.domain.batch import RecordBatch
from models.domain.messages import Kind
from models.domain.problems import EnvironmentProblem
from models.domain.records import Interaction, Level, LogRow, Outcome, TaskReport, TaskState, Unreadable
from models.storage.copies.verify import Progress, verify
from models.storage.history.info import store_info
from models.storage.keeping.retention import NO_LIMIT, StoreLimits
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.history_builder import HistoryBuilder, raw

S = 1_000_000


def full_batch(build: HistoryBuilder, at_us: int) -> RecordBatch:
    a = build.agent("a")
    batch = build.messages([raw(at_us=at_us + n, payload=b"12345") for n in range(4)], a, Kind.METRICS)
    batch.add_samples(0, at_us, [build.series(a, "x"), build.series(a, "y")], [1.0, 2.0])
    batch.logs = [LogRow(1, at_us, a, Level.INFO, None, "hello")]
    batch.tasks = [TaskReport(2, at_us, a, "t", None, TaskState.WORKING)]
    batch.interactions = [Interaction(2, at_us, a, a, "ask", "1", None, Outcome.OK)]
    batch.unreadable = [Unreadable(3, "json")]
    batch.duplicates, batch.dropped = 2, 1
    return batch


def three_segments(build: HistoryBuilder) -> None:
    """Two closed, one open, three batches in each."""
    for number in range(3):
        segment = build.segment()
        for second in range(3):
            segment.write(full_batch(build, T0 + (number * 3 + second) * S))
        if number < 2:
            segment.close()


def damage(build: HistoryBuilder, segment: int, sql: str) -> None:
    build._written[segment - 1].database.connect(reuse_if_open=True)
    build._written[segment - 1].database.execute_sql(sql)


def test_counters_rows_and_bytes(build: HistoryBuilder) -> None:
    three_segments(build)
    info = store_info(build.workspace)
    assert {key: info[key] for key in ("received", "stored", "duplicates", "unreadable", "dropped", "bytes")} == {
        "received": 63, "stored": 36, "duplicates": 18, "unreadable": 9, "dropped": 9, "bytes": 180,
    }  # fmt: skip
    rows = {name: kind["rows"] for name, kind in info["kinds"].items()}
    assert rows == {
        "messages": 36, "samples": 18, "logs": 9, "tasks": 9, "interactions": 9, "connections": 0, "presence": 0,
        "unreadable": 9,
    }  # fmt: skip
    assert info["kinds"]["messages"]["bytes"] == 180
    assert info["kinds"]["logs"]["bytes"] == 9 * (8 + len("hello"))
    assert (info["first"], info["last"]) == ("2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:08.000003Z")
    assert info["segments"] == {"closed": 2, "open": 1}
    assert (info["schema"], info["layout"], info["agents"], info["series"]) == (info["newest_schema"], 2, 1, 2)
    assert info["captures"][0]["ended"] is None
    assert info["damaged"] == {}
    assert info["retention"]["recorded"]["rows"] == info["kinds"]["messages"]["rows"]
    assert info["retention"]["imported"] == {"rows": 0, "bytes": 0, "first": None}
    assert info["retention"]["hours"] == {"rows": 0, "bytes": 0, "first": None}


def test_what_the_catalogue_has_not_taken_in_counts_too(build: HistoryBuilder) -> None:
    three_segments(build)
    before = store_info(build.workspace)
    zero = {"messages": 4, "duplicates": 2, "dropped": 1, "unreadable": 1, "payload_bytes": 20, "taken_batch": 1}
    build._written[2]._update(**zero)
    after = store_info(build.workspace)
    as_taken_in = {"store_bytes": 0, "retention": {}}
    assert after | as_taken_in == before | as_taken_in


def test_counters_outlive_retention_and_rows_do_not(build: HistoryBuilder) -> None:
    three_segments(build)
    build._written[0]._update(state="removed")
    build.workspace.segment(1).unlink()
    info = store_info(build.workspace)
    assert (info["stored"], info["kinds"]["messages"]["rows"]) == (36, 24)


def test_no_workspace_no_info(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem):
        store_info(Workspace.at(tmp_path))


def test_a_sound_workspace_has_no_findings(build: HistoryBuilder) -> None:
    three_segments(build)
    seen: list[Progress] = []
    assert list(verify(build.workspace, seen.append)) == []
    assert seen[-1] == Progress(3, 3, 36)
    before = {path.name for path in build.workspace.segments.iterdir()}
    list(verify(build.workspace))
    assert {path.name for path in build.workspace.segments.iterdir()} == before


@pytest.mark.parametrize(
    ("sql", "code", "detail"),
    [
        ("update message set payload = x'00' where seq = 7", "checksum", "message 7 "),
        ("update message set crc = crc + 1 where seq = 7", "checksum", "message 7 "),
        ("update topic set name = x'41'", "checksum", "message 1 "),
        ("delete from message where seq in (5, 6)", "sequence", "messages 5 to 6 "),
        ("delete from message where seq >= 11", "sequence", "messages 11 to 12 "),
        ("delete from batch where id = 2", "accounts", "after batch 1 comes 3"),
        ("update batch set n = 3 where id = 2", "accounts", "batch 3 begins with message 9, not 8"),
        ("update batch set samples = x'00' where id = 2", "samples", "batch 2"),
        ("update batch set samples = null where id = 2", "samples", "2 samples are not there"),
        ("update batch set agents = x'09000000' where id = 2", "samples", "list of agents"),
        ("delete from log where id = 1", "accounts", "2 rows in log, not 3"),
        ("update batch set dropped = 9 where id = 1", "catalogue", "dropped: 3 in the catalogue, 11"),
    ],
)
def test_every_kind_of_damage_is_found(build: HistoryBuilder, sql: str, code: str, detail: str) -> None:
    three_segments(build)
    for segment in (2, 3):
        damage(build, segment, sql)
    found = list(verify(build.workspace))
    for segment in (2, 3):
        assert any((one.segment, one.code) == (segment, code) and detail in one.detail for one in found), found
    assert not [one for one in found if one.segment not in (2, 3)]


def test_damaged_missing_and_set_aside_files(build: HistoryBuilder) -> None:
    three_segments(build)
    build.workspace.segment(1).unlink()
    path = build.workspace.segment(2)
    data = bytearray(path.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    path.write_bytes(data)
    build._written[2]._update(state="quarantined")
    codes = {(one.segment, one.code) for one in verify(build.workspace)}
    assert {(1, "missing"), (3, "set-aside")} <= codes
    assert any(segment == 2 for segment, _ in codes)


def test_many_findings_of_one_kind_are_summed_up(build: HistoryBuilder) -> None:
    segment = build.segment()
    segment.write(build.messages([raw(at_us=T0 + n) for n in range(100)]))
    damage(build, 1, "update message set payload = x'01'")
    found = list(verify(build.workspace))
    assert len(found) == 21
    assert re.fullmatch("and 80 more", found[-1].detail)


def test_what_is_kept_of_every_kind_and_when_it_is_full(build: HistoryBuilder) -> None:
    segment = build.segment(build.capture())
    for hour in range(25):
        segment.write(build.messages([raw(at_us=T0 + hour * 3_600_000_000)]))
    size = 50 * 2**20
    segment.close()
    segment._update(bytes=size)
    limits = StoreLimits(retention_bytes=5 * size, retention_s=NO_LIMIT)
    kept = store_info(build.workspace, limits=limits)["retention"]
    assert (kept["recorded"]["rows"], kept["recorded"]["most_bytes"]) == (25, 5 * size)
    assert kept["recorded"]["most_days"] is None
    assert kept["recorded"]["full_in_days"] == pytest.approx(4, abs=0.1), "50 MiB a day"
    assert kept["hours"]["most_days"] == 730
    assert "full_in_days" not in kept["imported"]
