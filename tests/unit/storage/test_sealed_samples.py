"""Whoever asks for samples is answered the same once their segments are sealed."""

import shutil
from itertools import islice
from pathlib import Path

import apsw
import numpy as np
import pytest

from models.domain.heat_queries import HeatRequest, HeatResult, HeatRow
from models.domain.layouts.layout import Shown
from models.domain.queries import CancelToken, SeriesRequest, SeriesResult
from models.domain.tail import Interest, TailCursor, TailPage
from models.storage.copies.verify import verify
from models.storage.export import samples as export_samples
from models.storage.export.run import export
from models.storage.history.follow import Follower, Place
from models.storage.history.info import store_info
from models.storage.history.reader import HistoryReader
from models.storage.history.tail_reader import TailReader
from models.storage.keeping.retention import StoreLimits
from models.storage.sealing.number_column import pack
from models.storage.sealing.sample_comparison import compare_samples
from models.storage.sealing.seal import seal
from models.storage.store_errors import DamagedError
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.recorded_store import of_our_own_agents, record
from tests.helpers.store import rows

SMALL = StoreLimits(segment_bytes=500_000)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return record(tmp_path_factory.mktemp("fleet") / "ws", of_our_own_agents(), SMALL)


@pytest.fixture
def workspace(fleet: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(fleet.root, tmp_path / "ws")
    return Workspace.at(tmp_path / "ws")


def seal_all(workspace: Workspace) -> list[int]:
    writer = StoreWriter(workspace, FakeClock())
    waiting = writer.sealing.waiting()
    for id_ in waiting:
        seal(workspace.segment(id_), workspace.sealing(id_))
        writer.sealing.swap_in(id_)
    writer.close()
    return waiting


def ask(workspace: Workspace, request: SeriesRequest) -> dict[int, tuple[list[int], list[int], bytes, bool]]:
    reader = HistoryReader(workspace, FakeClock())
    result = list(reader.answer(request, CancelToken()))[-1]
    reader.close()
    assert isinstance(result, SeriesResult)
    return {
        one.series: (one.time_us.tolist(), one.received_us.tolist(), one.value.tobytes(), one.reduced)
        for one in result.columns
    }


def span(workspace: Workspace) -> tuple[int, int]:
    return rows(workspace, "catalogue", "SELECT min(first_us), max(last_us) FROM segment")[0]


def test_every_series_is_the_same_in_any_range(workspace: Workspace) -> None:
    first, last = span(workspace)
    third = (last - first) // 3
    series = tuple(id_ for (id_,) in rows(workspace, "catalogue", "SELECT id FROM series"))
    requests = [
        SeriesRequest(series, first, last + 1), SeriesRequest(series, first + third, last - third),
        SeriesRequest(series[::7], first, last + 1, 10), SeriesRequest(series[:1], last - 1_000_000, last + 1),
    ]  # fmt: skip
    before = [ask(workspace, request) for request in requests]
    assert sum(len(times) for times, *_ in before[0].values()) > 1_000
    assert len(seal_all(workspace)) > 2
    assert [ask(workspace, request) for request in requests] == before


@pytest.mark.parametrize("shown", [Shown.VALUE, Shown.RATE, Shown.P95])
def test_every_cell_of_a_heat_map_is_the_same(workspace: Workspace, shown: Shown) -> None:
    first, last = span(workspace)
    series = rows(workspace, "catalogue", "SELECT agent_id, id FROM series")
    request = HeatRequest(tuple(HeatRow(*one) for one in series), "", shown, first, last + 1, 2_000_000)

    def told() -> np.ndarray:
        reader = HistoryReader(workspace, FakeClock())
        result = list(reader.answer(request, CancelToken()))[-1]
        reader.close()
        assert isinstance(result, HeatResult)
        return result.value

    before = told()
    assert (~np.isnan(before)).sum() > 100
    seal_all(workspace)
    np.testing.assert_allclose(told(), before, rtol=1e-5)


def test_a_tail_that_was_left_behind_still_gets_its_points(workspace: Workspace) -> None:
    def poll(cursor: TailCursor) -> TailPage:
        reader = TailReader(workspace)
        page = reader.poll(cursor, Interest(frozenset(range(1, 40))))
        reader.close()
        return page

    cursor = TailCursor(((1, 3),))
    before = poll(cursor)
    assert len(before.points) > 10
    seal_all(workspace)
    after = poll(cursor)
    assert after.cursor == before.cursor
    for old, new in zip(before.points, after.points, strict=True):
        assert old.series == new.series
        for left, right in zip(old[1:4], new[1:4], strict=True):
            assert (left == right).all()


def test_exports_of_an_agent_and_of_a_time_are_the_same(workspace: Workspace, tmp_path: Path) -> None:
    first, last = span(workspace)
    (agent,) = rows(workspace, "catalogue", "SELECT name FROM agent JOIN series ON agent_id = agent.id LIMIT 1")[0]

    def exported() -> list[bytes]:
        found = []
        for since, until, only in ((0, 0, agent), (first + 5_000_000, last - 5_000_000, ""), (first + 1, last, agent)):
            with (tmp_path / "out").open("w+b") as out:
                export(workspace, "samples", out, since_us=since, until_us=until, agent=only)
                out.seek(0)
                found.append(out.read())
        return found

    before = exported()
    assert all(len(one) > 1_000 for one in before)
    seal_all(workspace)
    assert exported() == before


@pytest.mark.parametrize("stop_after", [1, 4, 9])
def test_whoever_follows_goes_on_where_he_was_in_what_is_sealed_meanwhile(
    workspace: Workspace, tmp_path: Path, stop_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_samples, "BLOCK_ROWS", 100)

    def follow(from_: Workspace, place: Place, lines: dict[str, list[str]], pieces: int) -> Place:
        follower = Follower(from_, jsonl=False)
        for piece in islice(follower.pieces(place), pieces):
            place = piece.place
            lines.setdefault(piece.dataset, []).extend(piece.lines)
        follower.close()
        return place

    whole: dict[str, list[str]] = {}
    follow(workspace, Place(), whole, 1_000_000)
    lines: dict[str, list[str]] = {}
    place = follow(workspace, Place(), lines, stop_after)
    assert len(lines["samples"]) < len(whole["samples"])
    seal_all(workspace)
    for _ in range(3):  # and again in the midst of what is sealed
        place = follow(workspace, place, lines, stop_after)
    follow(workspace, place, lines, 1_000_000)
    assert lines["samples"] == whole["samples"]
    assert lines == whole


def test_counts_stay_and_bytes_shrink(workspace: Workspace) -> None:
    before = store_info(workspace)["kinds"]["samples"]
    seal_all(workspace)
    after = store_info(workspace)["kinds"]["samples"]
    assert after["rows"] == before["rows"]
    assert after["bytes"] * 3 < before["bytes"]


def test_verify_tells_of_a_damaged_chunk_and_the_rest_is_read(workspace: Workspace) -> None:
    seal_all(workspace)
    assert list(verify(workspace)) == []
    connection = apsw.Connection(str(workspace.segment(1)))
    connection.execute(
        "UPDATE sample_column SET value = zeroblob(length(value)) WHERE id = (SELECT min(id) FROM sample_column)"
    )
    connection.close()
    assert [(one.segment, one.code) for one in verify(workspace)] == [(1, "samples"), (1, "checksum")]
    first, last = span(workspace)
    series = tuple(id_ for (id_,) in rows(workspace, "catalogue", "SELECT id FROM series"))
    assert any(len(times) for times, *_ in ask(workspace, SeriesRequest(series, first, last + 1)).values())


@pytest.mark.parametrize("change", [
    "UPDATE sample_stamp SET batch = (SELECT seq FROM sample_stamp)", "DELETE FROM sample_series WHERE series_id = 1",
    "UPDATE sample_column SET value = ones(n) WHERE id = (SELECT min(id) FROM sample_column)",
    "UPDATE sample_chunk SET delay = time",
])  # fmt: skip
def test_what_differs_does_not_take_the_place_of_its_source(workspace: Workspace, tmp_path: Path, change: str) -> None:
    seal(workspace.segment(1), tmp_path / "1")
    source, target = apsw.Connection(str(workspace.segment(1))), apsw.Connection(str(tmp_path / "1"))
    compare_samples(source, target)
    target.create_scalar_function("ones", lambda n: pack(np.ones(n)))
    target.execute(change)
    with pytest.raises(DamagedError):
        compare_samples(source, target)
    source.close()
    target.close()


def test_numbers_of_a_sealed_segment_are_plain_arrays(workspace: Workspace) -> None:
    seal_all(workspace)
    first, last = span(workspace)
    reader = HistoryReader(workspace, FakeClock())
    (result,) = reader.answer(SeriesRequest((1,), first, last + 1), CancelToken())
    reader.close()
    assert isinstance(result, SeriesResult)
    assert [column.dtype for column in result.columns[0][1:4]] == [np.int64, np.int64, np.float64]
