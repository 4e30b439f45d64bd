"""The power goes at any moment: what `commit` answered for is there after the next start, once, and recording goes on."""

import random
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.recorder.import_run import at_once
from app.recorder.reread_run import HistoryHere, Rereader
from models.domain.rules import Rules
from models.storage import catalogue_file, journal
from models.storage.access import create_private_file
from models.storage.copies.verify import verify
from models.storage.log_copying import LogCopying
from models.storage.sealing.seal import seal
from models.storage.segments import segment_file
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.faulty_disk import FaultyDisk
from tests.helpers.faulty_disk_picture import SHAPES, Picture
from tests.helpers.store import rows
from tests.helpers.store_life import (
    BATCH,
    LIMITS,
    Told,
    bring,
    bring_back,
    check_survived,
    keep,
    kill,
    numbered,
    stored,
)


class AtOnce(Executor):
    """Another thread, which is done before anybody looks."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(work(*arguments, **named))
        return future


class Life:
    """A recorder on a disk that is photographed at some of its calls."""

    def __init__(self, workspace: Workspace, chance: random.Random, share: float) -> None:
        self.workspace, self.clock = workspace, FakeClock()
        self.told = Told()
        self.pictures: list[tuple[Picture, Told]] = []
        workspace.root.mkdir(parents=True)
        self._chance, self.share = chance, share
        self.disk = FaultyDisk(workspace.root)
        self.disk.before_change = self._look
        self.aside: AtOnce | None = None

    def _look(self) -> None:
        if self._chance.random() < self.share:
            self.pictures.append((self.disk.picture(), self.told))

    def open(self) -> StoreWriter:
        writer = StoreWriter(self.workspace, self.clock, LIMITS, self.aside)
        writer.begin_capture("mqtt://broker", "client")
        return writer

    def record(self, writer: StoreWriter, batches: int) -> None:
        for _ in range(batches):
            first = self.told.messages
            writer.commit(numbered(writer, self.clock, first))
            self.told = self.told._replace(messages=first + BATCH)
            self.clock.advance(1_100_000)
            writer.housekeep()


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


def copying(life: Life) -> None:
    """As above; short logs are copied beside the commits, again and again."""
    life.aside = AtOnce()
    with pytest.MonkeyPatch.context() as patch:
        for module in (segment_file, catalogue_file):
            patch.setattr(module, "LogCopying", partial(LogCopying, log_pages=8))
        recording(life)


def making(life: Life) -> None:
    """The first start of all."""
    life.open().close()


def importing(life: Life) -> None:
    """Beside what is recorded."""
    writer = life.open()
    life.record(writer, 2)
    bring(writer)
    life.told = life.told._replace(imported=True)
    life.record(writer, 2)
    writer.close()


def sealing(life: Life) -> None:
    """Closed segments are written anew and swapped in beside what is recorded; one of them is left half written by a kill, one
    whole and not swapped in."""
    for left in ("nothing", "half", "whole", "nothing"):
        writer = life.open()
        life.record(writer, 2)
        for id_ in writer.sealing.waiting():
            if left == "half":
                create_private_file(life.workspace.sealing(id_))
                break
            seal(life.workspace.segment(id_), life.workspace.sealing(id_))
            life.record(writer, 1)
            if left == "whole":
                break
            share, life.share = life.share, 0.5  # as few calls as a swap has
            writer.sealing.swap_in(id_)
            life.share = share
            life.record(writer, 1)
        (StoreWriter.close if left == "nothing" else kill)(writer)


def rereading(life: Life) -> None:
    """History is read again, by a recorder that goes on afterwards, or is killed."""
    for turn in range(3):
        writer = life.open()
        life.record(writer, 3)

        def hand_over(job: Callable[[], Any], meanwhile: Callable[[], None]) -> Any:
            life.clock.advance(1_100_000)
            writer.housekeep()  # noqa: B023 - called within this turn
            share, life.share = life.share, 0.3 if getattr(job, "__name__", "") == "swap_in" else life.share
            try:
                return at_once(job, meanwhile)
            finally:
                life.share = share

        history = HistoryHere(life.workspace, Rules(), life.clock)
        Rereader(writer, history, hand_over, lambda *_: None).run(0, 0, "agents", lambda _: None)
        life.record(writer, 1)
        (kill if turn % 2 else StoreWriter.close)(writer)


def keeping(life: Life) -> None:
    """What comes is kept in the journal and answered for; now and then a kill leaves some of it for the next start to store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "TURN_BYTES", 60_000)
        for turn in range(4):
            writer = life.open()
            bring_back(writer)
            for _ in range(4):
                waiting = []
                for _ in range(3):
                    waiting.append(numbered(writer, life.clock, life.told.messages))
                    assert keep(writer, waiting[-1])
                    life.told = life.told._replace(messages=life.told.messages + BATCH)
                for batch in waiting:
                    writer.commit(batch)
                    life.clock.advance(400_000)
                writer.housekeep()
            for _ in range(turn):
                assert keep(writer, numbered(writer, life.clock, life.told.messages))
                life.told = life.told._replace(messages=life.told.messages + BATCH)
            kill(writer)


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


def cut(fast_folder: Path, work: Callable[[Life], None], moments: int, share: float) -> None:
    chance = random.Random(20261127)
    some = pictures(fast_folder, work, chance, share)
    for _ in range(moments):
        picture, told = next(some)
        for shape in SHAPES:
            target = Workspace.at(fast_folder / shape)
            picture.after_power_cut(shape, chance, target.root)
            check_survived(target, told)
            if work is sealing:
                check_sealing_goes_on(target)
            if work is rereading:
                check_all_of_it_is_of_one_reading(target)
            shutil.rmtree(target.root)


def check_sealing_goes_on(workspace: Workspace) -> None:
    """Of every segment there is one file, which is what the catalogue says it is, and those that wait are sealed."""
    before = stored(workspace)
    writer = StoreWriter(workspace, FakeClock(T0 + 2 * 10**9), LIMITS)
    kept = rows(workspace, "catalogue", "SELECT id, layout FROM segment WHERE state = 'closed'")
    assert {path.name for path in workspace.segments.iterdir()} == {f"{id_}.db" for id_, _ in kept}
    for id_, layout in kept:
        assert rows(workspace, id_, "SELECT value FROM meta WHERE key = 'layout'") == [(str(layout),)]
    for id_ in writer.sealing.waiting():
        seal(workspace.segment(id_), workspace.sealing(id_))
        writer.sealing.swap_in(id_)
    writer.close()
    assert rows(workspace, "catalogue", "SELECT DISTINCT layout FROM segment WHERE state = 'closed'") == [(2,)]
    assert stored(workspace) == before
    assert list(verify(workspace)) == []


def check_all_of_it_is_of_one_reading(workspace: Workspace) -> None:
    """The files are what the catalogue says they are, and of those that were there nothing is older than what came later."""
    known = rows(workspace, "catalogue", "SELECT id, generation FROM segment WHERE state = 'closed' ORDER BY id")
    of_files = [
        (id_, int((rows(workspace, id_, "SELECT value FROM meta WHERE key = 'generation'") or [("0",)])[0][0]))
        for id_, _ in known
    ]
    assert of_files == known
    assert [one for _, one in known] == sorted((one for _, one in known), reverse=True)
    assert not workspace.rereading.exists()


WORKS = [
    (recording, 0.01, 8, 130),
    (copying, 0.01, 4, 40),
    (importing, 0.03, 3, 40),
    (making, 1.0, 8, 40),
    (sealing, 0.02, 5, 60),
    (keeping, 0.03, 6, 60),
    (rereading, 0.01, 6, 60),
]


@pytest.mark.parametrize(("work", "share", "moments"), [(work, share, few) for work, share, few, _ in WORKS])
def test_some_power_cuts(fast_folder: Path, work: Callable[[Life], None], share: float, moments: int) -> None:
    cut(fast_folder, work, moments, share)


@pytest.mark.long
@pytest.mark.parametrize(("work", "share", "moments"), [(work, share, many) for work, share, _, many in WORKS])
def test_a_thousand_power_cuts(fast_folder: Path, work: Callable[[Life], None], share: float, moments: int) -> None:
    cut(fast_folder, work, moments, share)
