"""A damaged sealed segment: what stands in whole blocks and chunks comes back exactly, and the rest is told as missing."""

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import pytest

from models.domain.messages import Origin
from models.domain.records import Level, LogRow
from models.storage.copies.salvage import damaged_segments, salvage
from models.storage.copies.verify import verify
from models.storage.sealing import chunk_writer, row_writing, stamp_writer
from models.storage.sealing.row_shapes import BATCH, LOG, MESSAGE
from models.storage.sealing.seal import seal
from models.storage.segments.sample_columns import decode
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.damage import cut_off, spoil, zero_header, zero_page
from tests.helpers.store import batch_of, message, rows

BATCHES, IN_BATCH = 60, 20
ALL = BATCHES * IN_BATCH
PAGE = 4096
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Content:
    """What a segment of the open layout holds; messages by their number, which is where the others belong."""

    messages: dict[int, Row]
    logs: set[Row]
    samples: set[Row]
    changes: list[Row]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small segment has many of everything."""
    monkeypatch.setattr(row_writing, "MESSAGE", MESSAGE._replace(rows=45))
    monkeypatch.setattr(row_writing, "LOG", LOG._replace(rows=16))
    monkeypatch.setattr(row_writing, "BATCH", BATCH._replace(rows=7))
    monkeypatch.setattr(chunk_writer, "CHUNK_ROWS", 100)
    monkeypatch.setattr(chunk_writer, "COLUMN_VALUES", 64)
    monkeypatch.setattr(stamp_writer, "STAMPS", 150)


@pytest.fixture
def open_one(small_blocks: None, fast_folder: Path) -> Workspace:
    """One closed segment of 1,200 numbered messages."""
    clock, chance = FakeClock(), random.Random(11)
    found = Workspace.at(fast_folder / "whole")
    writer = StoreWriter(found, clock)
    writer.begin_capture("mqtt://broker", "client")
    for turn in range(BATCHES):
        writer.commit(lively(writer, clock, turn, chance))
        clock.advance(1_100_000)
        writer.housekeep()
    writer.close()
    return found


def lively(writer: StoreWriter, clock: FakeClock, turn: int, chance: random.Random) -> object:
    numbers = range(turn * IN_BATCH, (turn + 1) * IN_BATCH)
    some = [
        message(
            clock.wall_us() + 7 * n, b"t%d" % chance.randrange(900), b"%d " % n + chance.randbytes(chance.choice((5, 90, 6_000 * (n % 31 == 0)))),
            qos=n % 2, origin=Origin.REPLAY if n % 5 == 0 else Origin.LIVE,
        )
        for n in numbers
    ]  # fmt: skip
    samples = [
        (row, f"m{n % 4}-{one}", n + one / 8) for row, n in enumerate(numbers) if n % 3 for one in range(n % 4 + 1)
    ]
    batch = batch_of(writer.names, some, [f"agent-{chance.randrange(60)}" for _ in numbers], samples)
    for row in range(0, IN_BATCH, 4):
        text = f"bad {numbers[row]} {chance.randbytes(20).hex()}"
        batch.logs.append(LogRow(row, clock.wall_us(), batch.agent[row], Level.ERROR, None, text))
    return batch


def seal_it(workspace: Workspace) -> None:
    writer = StoreWriter(workspace, FakeClock())
    seal(workspace.segment(1), workspace.sealing(1))
    writer.sealing.swap_in(1)
    writer.close()


@pytest.fixture
def whole(open_one: Workspace) -> tuple[Workspace, Content]:
    """The same, sealed, and what it held before."""
    before = content(open_one)
    assert len(before.messages) == ALL
    seal_it(open_one)
    return open_one, before


def content(workspace: Workspace) -> Content:
    found = rows(workspace, 1, """SELECT seq, received_us, topic.name, agent.name, kind, flags, properties, payload FROM message
        JOIN topic ON topic.id = topic_id JOIN agent ON agent.id = agent_id ORDER BY seq""")  # fmt: skip
    number = {row[0]: int(row[-1].split(b" ")[0]) for row in found}
    logs = rows(workspace, 1, """SELECT seq, time_us, received_us, agent.name, level, text FROM log
        JOIN agent ON agent.id = agent_id""")  # fmt: skip
    series = dict(rows(workspace, 1, "SELECT id, metric || agent_id FROM series"))
    samples = set()
    for first, data in rows(workspace, 1, "SELECT first_seq, samples FROM batch WHERE samples IS NOT NULL"):
        one = decode(data)
        for id_, stamp, value in zip(one.series.tolist(), one.stamp.tolist(), one.value.tolist(), strict=True):
            times = int(one.time_us[stamp]), int(one.received_us[stamp])
            samples.add((number[first + int(one.seq_offset[stamp])], *times, series[id_], value))
    changes = rows(
        workspace,
        1,
        "SELECT time_us, agent.name, presence, cause FROM presence_change JOIN agent ON agent.id = agent_id",
    )
    return Content(
        {number[row[0]]: row[1:] for row in found}, {(number[seq], *rest) for seq, *rest in logs}, samples, changes
    )  # fmt: skip


def pages_of(path: Path) -> dict[tuple[str, int], set[int]]:
    """Pages of every row, leaf and overflow, by table and number of the row in it; -1: pages above, which may hold some too."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    found: dict[tuple[str, int], set[int]] = {}
    for (table,) in connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0"
    ).fetchall():
        first = end = 0
        stat = "SELECT path, pageno, pagetype, ncell FROM dbstat WHERE name = ? ORDER BY path"
        for place, page, kind, cells in connection.execute(stat, (table,)).fetchall():
            if kind == "leaf":
                first, end = end, end + cells
                for row in range(first, end):
                    found[table, row] = {page}
            elif kind == "internal":
                found.setdefault((table, -1), set()).add(page)
            else:
                found[table, first + int(place.rpartition("/")[2].partition("+")[0], 16)].add(page)
    connection.close()
    return found


class Oracle:
    """What has to come back of a file of which some pages are damaged: told by the engine, before it was."""

    def __init__(self, path: Path) -> None:
        self._pages = pages_of(path)
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        self._blocks: dict[str, list[int]] = {}
        self._whole = path.read_bytes()
        for table in ("message", "log", "batch"):
            query = f"SELECT block FROM {table}_block ORDER BY block"
            self._blocks[table] = [number for (number,) in connection.execute(query).fetchall()]
        connection.close()

    def damaged(self, path: Path) -> set[int]:
        data, whole = path.read_bytes(), self._whole
        pages = range(-(-len(whole) // PAGE))
        return {n + 1 for n in pages if data[n * PAGE : (n + 1) * PAGE] != whole[n * PAGE : (n + 1) * PAGE]}

    def blocks(self, table: str, damaged: set[int]) -> set[int]:
        """Those that are whole; copies are numbered below 0."""
        numbers = enumerate(self._blocks[table])
        return {block for row, block in numbers if not self._pages[f"{table}_block", row] & damaged}

    def block(self, table: str, number: int) -> set[int]:
        return self._pages[f"{table}_block", self._blocks[table].index(number)]

    def pages(self, *tables: str) -> set[int]:
        return {page for (name, _), pages in self._pages.items() if name in tables for page in pages}


def check(whole: tuple[Workspace, Content], oracle: Oracle, damage: Callable[[Path], None], folder: Path) -> int:
    """Answers how many messages came back."""
    origin, before = whole
    workspace = Workspace.at(folder / "damaged")
    shutil.copytree(origin.root, workspace.root)
    path = workspace.segment(1)
    damage(path)
    data, lost = path.read_bytes(), oracle.damaged(path)
    (done,) = salvage(workspace, folder / "made", damaged_segments(workspace, [1]), FakeClock(), lambda *_: None)
    saved = done.saved
    assert path.read_bytes() == data
    assert saved.of == ALL
    forms = -4 in oracle.blocks("message", lost) or not lost & oracle.pages("message_form")
    due = {n for block in oracle.blocks("message", lost) if block >= 0 for n in range(block * 45, block * 45 + 45)}
    due = {n for n in due if n in before.messages} if forms else set()
    if saved.messages:
        made = Workspace.at(folder / "made")
        after = content(made)
        assert after.messages.items() <= before.messages.items()
        assert due <= after.messages.keys(), sorted(due - after.messages.keys())
        assert len(after.messages) == saved.messages
        gaps = rows(made, 1, "SELECT since_us, until_us, count FROM gap WHERE cause = 'damaged'")
        assert sum(count for *_, count in gaps) == ALL - saved.messages
        assert after.logs <= before.logs
        assert after.samples <= before.samples
        assert len(after.samples) == saved.samples
        samples_whole = not lost & oracle.pages(
            "sample_stamp", "sample_series", "sample_chunk", "sample_column", "series"
        )
        if samples_whole and (-1 in oracle.blocks("message", lost) or not lost & oracle.pages("batch_block")):
            assert after.samples == {one for one in before.samples if one[0] in after.messages}
        assert {one.code for one in verify(made)} == set()
    else:
        assert not due
    shutil.rmtree(folder)
    return saved.messages


def test_all_comes_back_of_what_is_whole(whole: tuple[Workspace, Content], fast_folder: Path) -> None:
    assert check(whole, Oracle(whole[0].segment(1)), lambda _: None, fast_folder / "one") == ALL


def test_of_a_file_that_was_cut_off_its_beginning_comes_back(fast_folder: Path) -> None:
    """However many topics and agents there are: what is needed to read the messages stands before them."""
    workspace, clock, chance = Workspace.at(fast_folder / "large"), FakeClock(), random.Random(4)
    writer = StoreWriter(workspace, clock)
    writer.begin_capture("mqtt://broker", "client")
    for _ in range(6):
        some = [message(clock.wall_us(), b"%d" % chance.randrange(9_000), chance.randbytes(9)) for _ in range(1_000)]
        writer.commit(batch_of(writer.names, some, [f"{chance.randrange(900)}" for _ in some]))
        clock.advance(1_000_000)
    writer.close()
    seal_it(workspace)
    path = workspace.segment(1)
    oracle = Oracle(path)
    os.truncate(path, (min(oracle.block("message", 4)) - 1) * PAGE)
    (done,) = salvage(workspace, fast_folder / "made", damaged_segments(workspace, [1]), FakeClock(), lambda *_: None)
    assert 2_000 <= done.saved.messages < done.saved.of == 6_000


def edit(path: Path, *statements: str) -> None:
    connection = apsw.Connection(str(path))
    connection.pragma("secure_delete", 1)
    for statement in statements:
        connection.execute(statement)
    connection.close()


NO_COPIES = [f"DELETE FROM {table}_block WHERE block < 0" for table in ("message", "log", "batch")]


def salvaged(whole: tuple[Workspace, Content], folder: Path, *statements: str) -> tuple[Content, list[Row]]:
    """What comes back, and the gaps."""
    workspace = whole[0]
    edit(workspace.segment(1), *statements)
    salvage(workspace, folder, damaged_segments(workspace, [1]), FakeClock(), lambda *_: None)
    gaps = rows(Workspace.at(folder), 1, "SELECT since_us, until_us, count FROM gap WHERE cause = 'damaged' ORDER BY 1")
    return content(Workspace.at(folder)), gaps


def test_a_lost_block_is_a_gap_between_its_neighbours_also_where_the_directory_is_lost(
    whole: tuple[Workspace, Content], fast_folder: Path
) -> None:
    before = whole[1]
    lost = range(45 * 3, 45 * 5)
    after, gaps = salvaged(whole, fast_folder / "made", *NO_COPIES, "DELETE FROM message_block WHERE block IN (3, 4)")
    left = {number for number in range(ALL) if number not in lost}
    assert after.messages == {number: before.messages[number] for number in left}
    assert after.logs == {one for one in before.logs if one[0] in left}
    assert after.samples == {one for one in before.samples if one[0] in left}
    assert gaps == [(before.messages[lost[0] - 1][0], before.messages[lost[-1] + 1][0], len(lost))]


def test_arrivals_tell_where_a_block_stood_if_many_are_lost_and_the_directory_as_well(
    whole: tuple[Workspace, Content], fast_folder: Path
) -> None:
    before = whole[1]
    lost = "DELETE FROM message_block WHERE block IN (3, 11, 12, 26)"
    after, gaps = salvaged(whole, fast_folder / "made", *NO_COPIES, lost)
    left = {number for number in range(ALL) if number // 45 not in {3, 11, 12, 26}}
    assert after.messages == {number: before.messages[number] for number in left}
    assert after.logs == {one for one in before.logs if one[0] in left}
    assert after.samples == {one for one in before.samples if one[0] in left}
    assert [count for *_, count in gaps] == [45, 90, ALL - 26 * 45]


def test_what_cannot_be_told_to_belong_to_a_message_does_not_come_back_with_another(
    whole: tuple[Workspace, Content], fast_folder: Path
) -> None:
    """Commits are lost too, so nobody knows how many messages were in which of the lost blocks."""
    before = whole[1]
    lost = ["DELETE FROM message_block WHERE block IN (3, 26)", "DELETE FROM batch_block"]
    after, gaps = salvaged(whole, fast_folder / "made", *NO_COPIES, *lost)
    assert after.messages.keys() == {number for number in range(ALL) if number // 45 not in {3, 26}}
    assert after.messages.items() <= before.messages.items()
    assert {one for one in before.logs if one[0] < 45 * 3} <= after.logs <= before.logs
    assert {one for one in before.samples if one[0] < 45 * 3} <= after.samples <= before.samples
    assert sum(count for *_, count in gaps) == ALL - len(after.messages)


def test_where_commits_are_lost_their_messages_and_samples_come_back(
    whole: tuple[Workspace, Content], fast_folder: Path
) -> None:
    after, gaps = salvaged(whole, fast_folder / "made", "DELETE FROM batch_block WHERE block BETWEEN 1 AND 4")
    assert after == whole[1]
    assert gaps == []


def test_a_form_that_is_lost_twice_costs_its_messages_alone(
    whole: tuple[Workspace, Content], fast_folder: Path
) -> None:
    after, _ = salvaged(whole, fast_folder / "made", *NO_COPIES, "DELETE FROM message_form WHERE id = 7")
    assert after.messages.items() <= whole[1].messages.items()
    assert ALL * 0.9 < len(after.messages) < ALL


def test_a_damaged_column_of_samples_costs_its_series_alone(
    whole: tuple[Workspace, Content], fast_folder: Path
) -> None:
    workspace, before = whole
    (column,) = rows(workspace, 1, "SELECT max(id) FROM sample_column")[0]
    where = f"chunk = {column // 65_536} AND col = {column % 65_536}"
    (values,) = rows(workspace, 1, f"SELECT sum(n) FROM sample_series WHERE {where}")[0]
    after, _ = salvaged(whole, fast_folder / "made", f"UPDATE sample_column SET value = x'00' WHERE id = {column}")
    assert after.messages == before.messages
    assert after.samples < before.samples
    assert len(after.samples) == len(before.samples) - values


DAMAGES = (spoil, zero_page, cut_off, zero_header)


def go_through(whole: tuple[Workspace, Content], folder: Path, count: int) -> None:
    chance, oracle = random.Random(20261128), Oracle(whole[0].segment(1))
    back: Counter[str] = Counter()
    for turn in range(count):
        damage, times = DAMAGES[turn % len(DAMAGES)], chance.choice((1, 1, 2, 5))

        def several(path: Path, damage: Callable[..., None] = damage, times: int = times) -> None:
            for _ in range(times):
                damage(path, chance)

        try:
            back[damage.__name__] += check(whole, oracle, several, folder / f"{turn}")
        except BaseException as error:
            error.add_note(f"damage {turn}: {times} times {damage.__name__}")
            raise
    print({name: f"{messages * len(DAMAGES) / count / ALL:.0%}" for name, messages in back.items()})


def test_after_some_damages_what_is_whole_comes_back(whole: tuple[Workspace, Content], fast_folder: Path) -> None:
    go_through(whole, fast_folder, 12)


@pytest.mark.long
def test_after_three_hundred_damages_what_is_whole_comes_back(
    whole: tuple[Workspace, Content], fast_folder: Path
) -> None:
    go_through(whole, fast_folder, 300)
