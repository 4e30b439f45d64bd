"""A damaged segment: what can still be read of it comes back as one of its own, and the damaged file stays as it is."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from app.recorder.import_run import at_once
from app.recorder.merge_run import Merger
from models.domain.records import Level, LogRow
from models.storage.copies.salvage import damaged_segments, salvage
from models.storage.copies.verify import DAMAGE_CODES, verify
from models.storage.sealing.seal import seal
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.damage import cut_off, spoil, zero_header
from tests.helpers.store import batch_of, message, rows

BATCHES, IN_BATCH = 30, 40
ALL = BATCHES * IN_BATCH


@pytest.fixture
def workspace(tmp_path: Path, clock: FakeClock) -> Workspace:
    """One closed segment of 1,200 numbered messages, each with a sample, every tenth with a log record."""
    found = Workspace.at(tmp_path / "ws")
    writer = StoreWriter(found, clock)
    writer.begin_capture("mqtt://broker", "client")
    for turn in range(BATCHES):
        writer.commit(lively(writer, clock, turn))
        clock.advance(1_100_000)
        writer.housekeep()
    writer.close()
    return found


def lively(writer: StoreWriter, clock: FakeClock, turn: int) -> object:
    numbers = range(turn * IN_BATCH, (turn + 1) * IN_BATCH)
    some = [
        message(clock.wall_us() + n, b"t%d" % (n % 7), b"%d" % n + b"." * (0 if n % 50 else 9_000)) for n in numbers
    ]
    agents = [f"agent-{n % 3}" for n in numbers]
    batch = batch_of(writer.names, some, agents, [(row, "cpu_percent", float(n)) for row, n in enumerate(numbers)])
    for row in range(0, IN_BATCH, 10):
        batch.logs.append(LogRow(row, clock.wall_us(), batch.agent[row], Level.ERROR, None, f"bad {turn}"))
    return batch


def bring_back(workspace: Workspace, clock: FakeClock, folder: Path) -> tuple[int, int]:
    """As `verify --salvage` does. Messages that came back, and that there were."""
    found = {finding.segment for finding in verify(workspace) if finding.code in DAMAGE_CODES}
    done = salvage(workspace, folder, damaged_segments(workspace, found), clock, lambda *_: None)
    if any(one.saved.messages for one in done):
        writer = StoreWriter(workspace, clock)
        Merger(workspace, writer, at_once, clock).run(folder, lambda _: None)
        writer.close()
    return sum(one.saved.messages for one in done), sum(one.saved.of for one in done)


def numbers_of(workspace: Workspace, segment: int) -> list[int]:
    found = rows(workspace, segment, "SELECT payload FROM message ORDER BY seq")
    return [int(payload.rstrip(b".")) for (payload,) in found]


def states(workspace: Workspace) -> list[tuple]:
    return rows(workspace, "catalogue", "SELECT id, state, messages FROM segment ORDER BY id")


def test_what_a_spoilt_segment_still_holds_comes_back(workspace: Workspace, clock: FakeClock, tmp_path: Path) -> None:
    before = rows(workspace, "catalogue", "SELECT agent_id, messages FROM agent_now ORDER BY 1")
    spoil(workspace.segment(1), random.Random(5), 4)
    damaged = workspace.segment(1).read_bytes()
    back, of = bring_back(workspace, clock, tmp_path / "found")
    assert of == ALL
    assert ALL * 0.8 < back < ALL
    assert states(workspace) == [(1, "quarantined", ALL), (2, "closed", back)]
    assert workspace.segment(1).read_bytes() == damaged
    assert [one.code for one in verify(workspace)] == ["set-aside"]
    numbers = numbers_of(workspace, 2)
    assert numbers == sorted(set(numbers))
    gaps = rows(
        workspace, "catalogue", "SELECT sum(count), count(*), sum(segment_id = 2) FROM gap WHERE cause = 'damaged'"
    )
    assert gaps[0][0] == ALL - back
    assert gaps[0][1] == gaps[0][2] >= 1
    assert rows(workspace, "catalogue", "SELECT agent_id, messages FROM agent_now ORDER BY 1") == before
    samples = rows(workspace, "catalogue", "SELECT samples, logs FROM segment WHERE id = 2")[0]
    assert samples[0] > ALL * 0.7
    assert {oct(path.stat().st_mode & 0o077) for path in workspace.root.rglob("*")} == {"0o0"}, "for its owner alone"
    assert samples[1] == len(rows(workspace, 2, "SELECT 1 FROM log JOIN message USING (seq)"))


def test_it_is_brought_back_once(workspace: Workspace, clock: FakeClock, tmp_path: Path) -> None:
    spoil(workspace.segment(1), random.Random(5), 4)
    bring_back(workspace, clock, tmp_path / "found")
    assert bring_back(workspace, clock, tmp_path / "again") == (0, 0)
    assert len(states(workspace)) == 2


def test_a_segment_without_its_first_pages_comes_back(workspace: Workspace, clock: FakeClock, tmp_path: Path) -> None:
    """Neither header nor schema, topics and `meta` are left: the catalogue knows them."""
    data = bytearray(workspace.segment(1).read_bytes())
    data[: 4096 * 3] = bytes(4096 * 3)
    workspace.segment(1).write_bytes(data)
    assert bring_back(workspace, clock, tmp_path / "found") == (ALL, ALL)
    assert numbers_of(workspace, 2) == list(range(ALL))
    assert rows(workspace, "catalogue", "SELECT count(*) FROM gap WHERE cause = 'damaged'") == [(0,)]


def test_a_false_payload_does_not_come_back(workspace: Workspace, clock: FakeClock, tmp_path: Path) -> None:
    data = workspace.segment(1).read_bytes()
    workspace.segment(1).write_bytes(data.replace(b"1150" + b"." * 100, b"1150" + b"!" * 100))
    assert bring_back(workspace, clock, tmp_path / "found") == (ALL - 1, ALL)
    assert 1150 not in numbers_of(workspace, 2)
    around = rows(workspace, "catalogue", "SELECT until_us - since_us, count FROM gap WHERE cause = 'damaged'")
    assert around == [(2, 1)]


@pytest.mark.parametrize("sealed", [False, True])
def test_a_segment_whose_catalogue_was_lost_comes_back_under_its_own_names(
    sealed: bool, workspace: Workspace, clock: FakeClock, tmp_path: Path
) -> None:
    if sealed:
        seal_it(workspace, clock)
    zero_header(workspace.segment(1), random.Random(1))
    for path in workspace.root.glob("catalogue.db*"):
        path.unlink()
    clock.advance(86_400_000_000)
    writer = StoreWriter(workspace, clock)
    assert [one.code for one in writer.problems] == ["store.corrupt"]
    writer.close()
    back, of = bring_back(workspace, clock, tmp_path / "found")
    assert back == of > ALL * 0.9
    assert set(numbers_of(workspace, 2)) <= set(range(ALL))
    topics = rows(workspace, 2, "SELECT name FROM topic ORDER BY name")
    assert topics == [(b"t%d" % n,) for n in range(7)]
    assert rows(workspace, "catalogue", "SELECT first_us > 0 FROM segment WHERE id = 2") == [(1,)]


def test_a_sealed_one_comes_back_as_one_that_can_be_sealed(
    workspace: Workspace, clock: FakeClock, tmp_path: Path
) -> None:
    logs = rows(workspace, 1, "SELECT seq, text FROM log ORDER BY id")
    samples = rows(workspace, "catalogue", "SELECT samples FROM segment")
    seal_it(workspace, clock)
    hours = rows(workspace, "catalogue", "SELECT week, bucket, parts FROM hours ORDER BY 1, 2")
    data = bytes(4096) + workspace.segment(1).read_bytes()[4096:]
    workspace.segment(1).write_bytes(data)
    assert bring_back(workspace, clock, tmp_path / "found") == (ALL, ALL)
    assert bring_back(workspace, clock, tmp_path / "again") == (0, 0)
    assert states(workspace) == [(1, "quarantined", ALL), (2, "closed", ALL)]
    assert workspace.segment(1).read_bytes() == data
    assert numbers_of(workspace, 2) == list(range(ALL))
    assert rows(workspace, 2, "SELECT seq, text FROM log ORDER BY id") == logs
    assert rows(workspace, "catalogue", "SELECT samples FROM segment WHERE id = 2") == samples
    seal_it(workspace, clock, 2)
    assert hours == rows(workspace, "catalogue", "SELECT week, bucket, parts FROM hours ORDER BY 1, 2")
    assert [one.code for one in verify(workspace)] == ["set-aside"]


def seal_it(workspace: Workspace, clock: FakeClock, segment: int = 1) -> None:
    writer = StoreWriter(workspace, clock)
    seal(workspace.segment(segment), workspace.sealing(segment))
    writer.sealing.swap_in(segment)
    writer.close()


def test_nothing_is_made_of_nothing(workspace: Workspace, clock: FakeClock, tmp_path: Path) -> None:
    size = workspace.segment(1).stat().st_size
    workspace.segment(1).write_bytes(b"\xa5" * size)
    assert bring_back(workspace, clock, tmp_path / "found") == (0, ALL)
    assert states(workspace) == [(1, "closed", ALL)]
    assert workspace.segment(1).stat().st_size == size


@pytest.mark.parametrize("damage", [spoil, cut_off, zero_header])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_happened_to_it(
    workspace: Workspace, clock: FakeClock, tmp_path: Path, damage: Callable[..., None], seed: int
) -> None:
    """What comes back is in order, once, as it came, and fits."""
    damage(workspace.segment(1), random.Random(seed))
    back, _of = bring_back(workspace, clock, tmp_path / "found")
    assert {one.code for one in verify(workspace)} <= {"set-aside", *DAMAGE_CODES}
    if back:
        assert [one for one in verify(workspace) if one.segment != 1] == []
        numbers = numbers_of(workspace, 2)
        assert numbers == sorted(set(numbers))
        assert set(numbers) <= set(range(ALL))
