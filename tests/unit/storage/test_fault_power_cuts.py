"""The power goes at any moment: what `commit` answered for is there after the next start, once, and recording goes on."""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import apsw
import pytest

from models.domain.batch import RecordBatch
from models.domain.messages import Origin
from models.domain.recorded import ImportedFile
from models.storage.verify import verify
from models.storage.workspace import Workspace
from models.storage.writer import StoreLimits, StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.faulty_disk import FaultyDisk
from tests.helpers.faulty_disk_picture import SHAPES, Picture
from tests.helpers.store import batch_of, message, rows

SECOND = 1_000_000
BATCH = 3
IMPORTED = 40
LIMITS = StoreLimits(segment_bytes=260_000, retention_bytes=1_600_000)
FILE = ImportedFile("/data/monday.jsonl", "abc", 1_000)
FIND = "SELECT id FROM segment WHERE state <> 'removed' ORDER BY id"


class Told(NamedTuple):
    """What had been answered for at one moment."""

    messages: int = 0
    imported: bool = False
    name: str = ""


class Life:
    """A recorder on a disk that is photographed at some of its calls."""

    def __init__(self, workspace: Workspace, chance: random.Random, share: float) -> None:
        self.workspace, self.clock = workspace, FakeClock()
        self.told = Told()
        self.pictures: list[tuple[Picture, Told]] = []
        workspace.root.mkdir(parents=True)
        self._chance, self._share = chance, share
        self.disk = FaultyDisk(workspace.root)
        self.disk.before_change = self._look

    def _look(self) -> None:
        if self._chance.random() < self._share:
            self.pictures.append((self.disk.picture(), self.told))

    def open(self) -> StoreWriter:
        writer = StoreWriter(self.workspace, self.clock, LIMITS)
        writer.begin_capture("mqtt://broker", "client")
        return writer

    def record(self, writer: StoreWriter, batches: int) -> None:
        for _ in range(batches):
            first = self.told.messages
            writer.commit(numbered(writer, self.clock, first))
            self.told = self.told._replace(messages=first + BATCH)
            self.clock.advance(1_100_000)
            writer.housekeep()

    def bring(self, writer: StoreWriter) -> None:
        run = writer.begin_import([FILE])
        for at in range(0, IMPORTED, 4):
            some = [message(T0 - 10**12 + at + n, b"old", b"x" * 9_000, origin=Origin.IMPORTED) for n in range(4)]
            run.commit(batch_of(run.names, some, ["old"] * 4, [(0, "cpu_percent", 1.0)]))
            run.sum_up()
        run.finish([FILE])
        self.told = self.told._replace(imported=True)


def kill(writer: StoreWriter) -> None:
    """Let go of all files and leave them as they are, for the next start to mend."""
    connections = [taker.segment.connection for taker in writer._upkeep._takers]
    for connection in (*connections, writer._catalogue):
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    writer._upkeep.release()
    writer._database.close()


def numbered(writer: StoreWriter, clock: FakeClock, first: int) -> RecordBatch:
    """Messages that carry their number, of sizes that meet page borders differently."""
    payloads = [b"%d" % (first + n) + b"." * (37 * (first + n) % 9_000) for n in range(BATCH)]
    some = [message(clock.wall_us() + n, b"t%d" % n, payloads[n], packet_id=first + n + 1) for n in range(BATCH)]
    return batch_of(writer.names, some, ["a", f"agent-{first % 7}", ""], [(0, "cpu_percent", float(first))])


def recording(life: Life) -> None:
    """Segments close and the oldest go; a name is given; the program ends or is killed, and starts."""
    for turn in range(4):
        writer = life.open()
        life.record(writer, 9)
        name = f"name-{turn}"
        writer.submit([{"do": "agent.rename", "agent": "a", "name": name}])
        life.told = life.told._replace(name=name)
        life.record(writer, 3)
        (kill if turn % 2 else StoreWriter.close)(writer)


def making(life: Life) -> None:
    """The first start of all."""
    life.open().close()


def importing(life: Life) -> None:
    """Beside what is recorded."""
    writer = life.open()
    life.record(writer, 2)
    life.bring(writer)
    life.record(writer, 2)
    writer.close()


def stored(workspace: Workspace) -> tuple[list[int], int]:
    """Numbers of what was recorded, in order, and how many imported messages there are."""
    numbers: list[int] = []
    imported = 0
    for (id_,) in rows(workspace, "catalogue", FIND):
        found = rows(workspace, id_, "SELECT payload, flags & 48 FROM message ORDER BY seq")
        mine = [payload for payload, origin in found if origin != Origin.IMPORTED << 4]
        numbers += [int(payload.rstrip(b".")) for payload in mine]
        imported += len(found) - len(mine)
    return numbers, imported


def check(workspace: Workspace, told: Told) -> None:
    """Start after the cut, go on recording, look at everything."""
    clock = FakeClock(T0 + 10**9)
    writer = StoreWriter(workspace, clock, LIMITS)
    assert writer.problems == []
    writer.begin_capture("mqtt://broker", "client")
    numbers, imported = stored(workspace)
    gone = rows(workspace, "catalogue", "SELECT coalesce(sum(count), 0) FROM gap WHERE cause = 'retention'")[0][0]
    end = gone + len(numbers)
    assert numbers == list(range(gone, end)), "nothing twice, nothing missing between"
    assert end in (told.messages, told.messages + BATCH), (
        "all that was answered for, and what was under way whole or not"
    )
    assert imported == IMPORTED if told.imported else imported in (0, IMPORTED)
    if told.name:
        assert rows(workspace, "catalogue", "SELECT given_name FROM agent WHERE name = 'a'")[0][0] >= told.name
    writer.commit(numbered(writer, clock, end))
    writer.close()
    assert list(verify(workspace)) == []
    assert stored(workspace)[0][-BATCH:] == list(range(end, end + BATCH))


def pictures(
    folder: Path, work: Callable[[Life], None], chance: random.Random, share: float
) -> Iterator[tuple[Picture, Told]]:
    """Lives without end, photographed at about `share` of the calls that change something."""
    while True:
        life = Life(Workspace.at(folder / "living"), chance, share)
        with life.disk.installed():
            work(life)
        shutil.rmtree(life.workspace.root)
        chance.shuffle(life.pictures)
        yield from life.pictures


def cut(tmp_path: Path, work: Callable[[Life], None], moments: int, share: float) -> None:
    chance = random.Random(20261127)
    some = pictures(tmp_path, work, chance, share)
    for _ in range(moments):
        picture, told = next(some)
        for shape in SHAPES:
            target = Workspace.at(tmp_path / shape)
            picture.after_power_cut(shape, chance, target.root)
            check(target, told)
            shutil.rmtree(target.root)


WORKS = [(recording, 0.01, 8, 170), (importing, 0.03, 3, 40), (making, 1.0, 8, 40)]


@pytest.mark.parametrize(("work", "share", "moments"), [(work, share, few) for work, share, few, _ in WORKS])
def test_some_power_cuts(tmp_path: Path, work: Callable[[Life], None], share: float, moments: int) -> None:
    cut(tmp_path, work, moments, share)


@pytest.mark.long
@pytest.mark.parametrize(("work", "share", "moments"), [(work, share, many) for work, share, _, many in WORKS])
def test_a_thousand_power_cuts(tmp_path: Path, work: Callable[[Life], None], share: float, moments: int) -> None:
    cut(tmp_path, work, moments, share)
