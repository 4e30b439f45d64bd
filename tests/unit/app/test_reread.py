"""History read again is what a fresh import of the same traffic under the same rules would be, byte for byte."""

import contextlib
import io
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import apsw
import pytest

from app.recorder.import_run import Importer, at_once
from app.recorder.reread_run import HistoryHere, Rereader
from models.domain.annotations import Annotation, new_id, put_command
from models.domain.clock import Instant
from models.domain.masking import Masking
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Presence
from models.domain.problems import EnvironmentProblem
from models.domain.recorded import RereadProgress, RereadResult
from models.domain.records import Gap, GapCause
from models.domain.rules import Rules, rule_of
from models.storage.copies.verify import verify
from models.storage.export.run import DATASETS, export
from models.storage.history.store_view import StoreView
from models.storage.keeping.hour_store import HourStore
from models.storage.keeping.pins import pinned
from models.storage.keeping.retention import StoreLimits
from models.storage.rereading import reread_writer, segment_anew, swap
from models.storage.rereading.segment_anew import SegmentAnew
from models.storage.rereading.shadow import Shadow
from models.storage.rereading.taking_in import TakingIn
from models.storage.sealing.seal import seal
from models.storage.segments.segment_file import SegmentFile
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from mqtt.reading.reader import Reader
from tests.helpers.clock import FakeClock
from tests.helpers.reading import recorded
from tests.helpers.recorded_store import as_live, of_our_own_agents, record
from tests.helpers.store import batch_of, catalogue_now, message, put_back, rows

RECORDINGS = sorted((Path(__file__).resolve().parents[2] / "recordings").glob("*.jsonl"))
SMALL = StoreLimits(segment_bytes=300_000)
NOBODY = Rules()
T = TypeVar("T")
MINE = Rules(
    tuple(
        rule_of(one)
        for one in (
            {"topic": "$SYS/broker/{metric}/{kind}", "means": "number", "agent": "the-broker", "metric": "{metric}.{kind}"},
            {"topic": "telegraf/#", "means": "ignore"},
            {"topic": "tele/{agent}/#", "means": "agent", "agent": "plug {agent}"},
        )
    )
)  # fmt: skip


class Bench:
    def __init__(self, root: Path, limits: StoreLimits = SMALL) -> None:
        self.workspace, self.clock = Workspace.at(root), FakeClock()
        self.store = StoreWriter(self.workspace, self.clock, limits)

    def bring(self, paths: Sequence[Path], rules: Rules, *, together: bool = False) -> None:
        importer = Importer(self.store, at_once, self.clock, Masking(()), lambda: rules)
        for some in [paths] if together else [[path] for path in paths]:
            importer.run(some, "agents", lambda _: None)

    def reread(
        self, rules: Rules, on_progress: Callable[[RereadProgress], None] = lambda _: None, since_us: int = 0
    ) -> RereadResult:
        history = HistoryHere(self.workspace, rules, self.clock)
        return Rereader(self.store, history, at_once, lambda *_: None).run(since_us, 0, "agents", on_progress)

    def exported(self) -> dict[str, bytes]:
        found = {}
        for dataset in DATASETS:
            out = io.BytesIO()
            export(self.workspace, dataset, out, clock=self.clock)
            found[dataset] = out.getvalue()
        return found

    def seal(self, ids: Sequence[int]) -> None:
        for id_ in ids:
            seal(self.workspace.segment(id_), self.workspace.sealing(id_))
            self.store.sealing.swap_in(id_)

    def ask(self, query: str) -> list[tuple]:
        return rows(self.workspace, "catalogue", query)


def same(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    for dataset, data in one.items():
        assert data.decode().splitlines() == other[dataset].decode().splitlines(), dataset


def whole(bench: Bench) -> None:
    assert list(verify(bench.workspace)) == []
    assert not bench.workspace.rereading.exists()
    assert bench.ask("SELECT sum(messages) FROM topic_total") == bench.ask("SELECT sum(messages) FROM segment")
    assert not list(bench.workspace.segments.glob("*.sealing*"))


LONG = pytest.mark.long
WAYS = [
    pytest.param(before, after, together, sealed, marks=() if together != sealed else LONG)
    for before, after, together, sealed in (
        (NOBODY, MINE, False, True), (MINE, NOBODY, True, False), (NOBODY, MINE, True, True), (MINE, NOBODY, False, False),
    )
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "together", "sealed"), WAYS)
def test_is_as_a_fresh_import(before: Rules, after: Rules, together: bool, sealed: bool, tmp_path: Path) -> None:
    bench, fresh = Bench(tmp_path / "ws"), Bench(tmp_path / "fresh", StoreLimits())
    bench.bring(RECORDINGS, before, together=together)
    if sealed:
        bench.seal([id_ for (id_,) in bench.ask("SELECT id FROM segment WHERE id % 2")])
    fresh.bring(RECORDINGS, after, together=together)
    assert bench.exported() != fresh.exported()
    result = bench.reread(after)
    assert result.messages == sum(n for (n,) in bench.ask("SELECT messages FROM segment"))
    same(bench.exported(), fresh.exported())
    whole(bench)
    bench.store.close()
    fresh.store.close()
    again = Bench(tmp_path / "ws")
    same(again.exported(), fresh.exported())
    again.store.close()


@pytest.mark.parametrize("name", [path.stem for path in RECORDINGS] + ["simulated-fleet"])
def test_what_was_recorded_stays_under_the_same_rules(name: str, tmp_path: Path) -> None:
    messages = of_our_own_agents() if name == "simulated-fleet" else as_live(recorded(name))
    record(tmp_path / "ws", messages)
    bench = Bench(tmp_path / "ws")
    before = bench.exported()
    assert bench.reread(NOBODY).messages == len(messages)
    same(bench.exported(), before)
    whole(bench)
    bench.store.close()


class Kills:
    """Copies of the workspace as a kill would leave it, at every step."""

    def __init__(self, bench: Bench, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._root, self._folder, self._monkeypatch = bench.workspace.root, folder, monkeypatch
        self.taken: list[Path] = []
        self.decided_at = 0

    def take(self) -> None:
        shutil.copytree(self._root, self._folder / str(len(self.taken)))
        self.taken.append(self._folder / str(len(self.taken)))

    def around(self, owner: object, name: str) -> None:
        real = getattr(owner, name)

        def wrapped(*args: object, **kwargs: object) -> object:
            if name != "replace" or "rereading" in str(args[0]):
                self.take()
            if name == "decide":
                self.decided_at = len(self.taken)
            found = real(*args, **kwargs)
            if name != "replace" or "rereading" in str(args[0]):
                self.take()
            return found

        self._monkeypatch.setattr(owner, name, wrapped)


def small_history(root: Path) -> Bench:
    """A few segments, two of them sealed."""
    bench = Bench(root, StoreLimits(segment_bytes=150_000))
    bench.bring(
        [path for path in RECORDINGS if path.stem.startswith(("winston", "synthetic-tas", "mosquitto"))], NOBODY
    )
    bench.seal([1, 2])
    return bench


def test_killed_at_any_step_it_is_as_it_was_or_all_of_it_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = small_history(tmp_path / "ws")
    before = bench.exported()
    kills = Kills(bench, tmp_path / "kills", monkeypatch)
    with monkeypatch.context() as patch:
        kills._monkeypatch = patch
        for owner, name in (
            (SegmentAnew, "end"), (Shadow, "settle"), (Shadow, "decide"), (Path, "replace"), (HourStore, "take"),
            (swap, "load_headlines"), (swap._Swap, "run"), (reread_writer, "throw_away"),
        ):  # fmt: skip
            kills.around(owner, name)
        bench.reread(MINE)
    after = bench.exported()
    assert before != after
    assert len(kills.taken) > 30
    bench.store.close()
    for number, root in enumerate(kills.taken):
        one = Bench(root)
        assert one.store.problems == [], number
        same(one.exported(), after if number >= kills.decided_at else before)
        whole(one)
        one.store.close()
        again = Bench(root)
        same(again.exported(), after if number >= kills.decided_at else before)
        again.store.close()


def test_cancelled_at_any_step_history_stays_as_it_was(tmp_path: Path) -> None:
    bench = small_history(tmp_path / "ws")
    before = bench.exported()
    files = {path.name: path.read_bytes() for path in bench.workspace.segments.iterdir()}
    told: list[RereadProgress] = []
    for number in (1, 2, 7):

        def stop(progress: RereadProgress, number: int = number) -> None:
            told.append(progress)
            if len(told) % number == 0:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            bench.reread(MINE, stop)
        same(bench.exported(), before)
        assert {path.name: path.read_bytes() for path in bench.workspace.segments.iterdir()} == files
        whole(bench)
    assert bench.reread(MINE).messages
    assert bench.exported() != before
    bench.store.close()


def test_a_full_disk_leaves_history_as_it_was_and_once_decided_it_is_brought_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = small_history(tmp_path / "ws")
    before = bench.exported()

    def full(*_: object, **__: object) -> None:
        raise apsw.FullError("database or disk is full")

    for owner, name in ((SegmentFile, "write"), (TakingIn, "capture"), (Shadow, "settle"), (Shadow, "decide")):
        with monkeypatch.context() as patch, pytest.raises(EnvironmentProblem) as raised:
            patch.setattr(owner, name, full)
            bench.reread(MINE)
        assert raised.value.problem.code == "store.full"
        same(bench.exported(), before)
        whole(bench)
    with monkeypatch.context() as patch, pytest.raises(EnvironmentProblem) as raised:
        patch.setattr(segment_anew, "KEPT_FREE_BYTES", 1 << 60)
        bench.reread(MINE)
    assert raised.value.problem.code == "reread.no-room"
    same(bench.exported(), before)
    with monkeypatch.context() as patch, pytest.raises(EnvironmentProblem):
        patch.setattr(swap, "load_headlines", full)
        bench.reread(MINE)
    bench.clock.advance(2_000_000)
    bench.store.housekeep()
    fresh = small_history(tmp_path / "fresh")
    fresh.reread(MINE)
    bench.clock.step_wall(-2_000_000)
    same(bench.exported(), fresh.exported())
    whole(bench)
    bench.store.close()
    fresh.store.close()


def test_what_is_decided_and_cannot_be_done_does_not_keep_old_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = small_history(tmp_path / "ws")

    def full(*_: object, **__: object) -> None:
        raise apsw.FullError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(swap, "load_headlines", full)
        with pytest.raises(EnvironmentProblem):
            bench.reread(MINE)
        bench.clock.advance(40 * 86_400_000_000)
        left = len(bench.ask("SELECT id FROM segment WHERE state = 'closed'"))
        bench.store._upkeep.use_limits(StoreLimits(import_s=30 * 86_400))
        for _ in range(3 * left):
            bench.clock.advance(2_000_000)
            with pytest.raises(EnvironmentProblem):
                bench.store.housekeep()
    assert not bench.ask("SELECT id FROM segment WHERE state = 'closed'")
    bench.clock.advance(2_000_000)
    bench.store.housekeep()
    whole(bench)
    bench.store.close()


class Meanwhile(HistoryHere):
    """While history is read, the recorder hears of others, and stores what they say."""

    bench: Bench

    def read(self, segments: Sequence[int], prefix: str, on_progress: Callable[[RereadProgress], None]) -> int:
        left = super().read(segments, prefix, on_progress)
        live(self.bench, 3)
        return left


def live(bench: Bench, count: int) -> None:
    for number in range(count):
        bench.clock.advance(1_100_000)
        one = message(bench.clock.wall_us(), b"live/%d" % number, b"%d" % number)
        bench.store.commit(batch_of(bench.store.names, [one], [f"live-{number}"], [(0, "load", 1.0)]))
        bench.store.housekeep()


def test_a_recorder_that_goes_on_loses_nothing_and_names_get_numbers_of_their_own(tmp_path: Path) -> None:
    bench, fresh = small_history(tmp_path / "ws"), small_history(tmp_path / "fresh")
    fresh.reread(MINE)
    for one in (bench, fresh):
        one.store.begin_capture("mqtt://broker", "client")
    history = Meanwhile(bench.workspace, MINE, bench.clock)
    object.__setattr__(history, "bench", bench)
    gone: list[int] = []

    def wait(job: Callable[[], T], meanwhile: Callable[[], None]) -> T:
        bench.clock.advance(1_100_000)
        bench.store.housekeep()
        return at_once(job, meanwhile)

    Rereader(bench.store, history, wait, lambda some, _: gone.extend(some)).run(0, 0, "agents", lambda _: None)
    live(fresh, 3)
    assert bench.store.names.known_agent("the-broker") > bench.store.names.known_agent("live-2") > 0
    for one in (bench, fresh):
        one.store.close()
    found, wanted = bench.exported(), fresh.exported()
    for dataset in ("samples", "logs", "tasks", "interactions", "connections", "unreadable"):
        assert [without_times(line) for line in found[dataset].splitlines()] == [
            without_times(line) for line in wanted[dataset].splitlines()
        ], dataset
    whole(bench)
    names = {name for (name,) in bench.ask("SELECT name FROM agent JOIN agent_now ON agent_id = agent.id")}
    assert names == {name for (name,) in fresh.ask("SELECT name FROM agent JOIN agent_now ON agent_id = agent.id")}
    counts = "SELECT name, messages FROM agent JOIN agent_now ON agent_id = agent.id ORDER BY 1"
    assert bench.ask(counts) == fresh.ask(counts)


def test_who_only_went_while_history_was_read_is_gone(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "ws")
    reader, keeper = Reader(bench.store.names, "agents", bench.clock), PresenceKeeper()
    bench.store.begin_capture("mqtt://broker", "client")
    keeper.link_up(Instant.now(bench.clock))

    def say(word: bytes) -> None:
        bench.clock.advance(1_100_000)
        batch = reader.read([message(bench.clock.wall_us(), b"lab/box-1/status", word)])
        batch.presence = keeper.observe(batch, Instant.now(bench.clock))
        bench.store.commit(batch)
        bench.store.housekeep()

    class GoneMeanwhile(HistoryHere):
        def read(self, segments: Sequence[int], prefix: str, on_progress: Callable[[RereadProgress], None]) -> int:
            left = super().read(segments, prefix, on_progress)
            say(b"offline")
            return left

    def wait(job: Callable[[], T], meanwhile: Callable[[], None]) -> T:
        bench.clock.advance(1_100_000)
        bench.store.housekeep()
        return at_once(job, meanwhile)

    say(b"online")
    history = GoneMeanwhile(bench.workspace, NOBODY, bench.clock)
    Rereader(bench.store, history, wait, lambda *_: None).run(0, 0, "agents", lambda _: None)
    assert bench.ask("SELECT presence FROM agent_now") == [(int(Presence.OFFLINE),)]
    bench.store.close()


def without_times(line: bytes) -> bytes:
    """Live messages came at other times here and there."""
    return re.sub(rb"2026-01-01T[0-9:.]*Z", b"", line)


def test_who_reads_history_from_first_to_last_gets_all_of_it_as_it_was(tmp_path: Path) -> None:
    bench = small_history(tmp_path / "ws")
    before, waited = bench.exported(), []
    view = StoreView(bench.workspace)
    view.refresh()
    opened = [view.open(row) for row in view.all()]
    kept = contextlib.ExitStack()
    kept.enter_context(pinned(bench.workspace, lambda: [2]))

    def told(progress: RereadProgress) -> None:
        if progress.waiting:
            waited.append(bench.exported())
            kept.close()

    with kept:
        bench.reread(MINE, told)
    assert waited == [before]
    assert all(one.number("select count(*) from message") for one in opened)
    assert [one.generation for one in opened] == [0] * len(opened)
    view.refresh()
    assert {view.open(row).generation for row in view.all()} == {1}
    assert bench.exported() != before
    view.close()
    bench.store.close()


def test_only_what_is_asked_for_is_read_again(tmp_path: Path) -> None:
    bench = small_history(tmp_path / "ws")
    last_us = max(last for (last,) in bench.ask("SELECT last_us FROM segment"))
    some = bench.ask(f"SELECT id FROM segment WHERE last_us >= {last_us}")
    before = bench.ask("SELECT sum(messages) FROM agent_now")
    result = bench.reread(NOBODY, since_us=last_us)
    assert 0 < result.segments == len(some) < len(bench.ask("SELECT id FROM segment"))
    assert bench.ask("SELECT id FROM segment WHERE generation = 1") == some
    assert bench.ask("SELECT sum(messages) FROM agent_now") == before
    assert bench.reread(MINE, since_us=last_us + 1) == RereadResult()
    whole(bench)
    bench.store.close()


def test_a_damaged_file_stays_as_it_is_and_is_told(tmp_path: Path) -> None:
    bench = small_history(tmp_path / "ws")
    path = bench.workspace.segment(2)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    path.write_bytes(bytes(data))
    result = bench.reread(MINE)
    assert result.left_segments == 1
    assert path.read_bytes() == bytes(data)
    assert bench.ask("SELECT id FROM segment WHERE generation = 0") == [(2,)]
    bench.store.close()


def test_a_sealer_that_began_before_does_not_bring_back_what_was(tmp_path: Path) -> None:
    bench = small_history(tmp_path / "ws")
    (last,) = bench.ask("SELECT max(id) FROM segment")[0]
    seal(bench.workspace.segment(last), tmp_path / "sealed")
    bench.reread(MINE)
    after = bench.exported()
    shutil.copy(tmp_path / "sealed", bench.workspace.sealing(last))
    bench.store.sealing.swap_in(last)
    same(bench.exported(), after)
    whole(bench)
    bench.store.close()


def recorded_with_breaks(root: Path) -> None:
    """As a recorder does it: the link breaks, comes back, the recorder ends, and another one goes on."""
    messages = of_our_own_agents(40)
    clock = FakeClock(messages[0].received_us - 1_000_000)
    half = len(messages) // 2
    for part, some in enumerate((messages[:half], messages[half:])):
        if part:
            clock.advance(40_000_000)
        moved_us = max(0, clock.wall_us() - some[0].received_us) + 1_000
        writer = StoreWriter(Workspace.at(root), clock, StoreLimits(segment_bytes=200_000))
        reader, keeper = Reader(writer.names, "agents", clock), PresenceKeeper()
        keeper.load(writer.before.declared_intervals, writer.before.gone)
        writer.begin_capture("mqtt://127.0.0.1:1883", "digests")
        changes = keeper.link_up(Instant.now(clock))
        gaps: list[Gap] = []
        for at in range(0, len(some), 25):
            slice_ = [one._replace(received_us=one.received_us + moved_us) for one in some[at : at + 25]]
            clock.advance(max(0, slice_[-1].received_us + 1_000 - clock.wall_us()))
            batch, now = reader.read(slice_), Instant.now(clock)
            batch.presence, batch.gaps = [*changes, *batch.presence], [*batch.gaps, *gaps]
            batch.presence += keeper.observe(batch, now)
            batch.presence += keeper.tick(now)
            writer.commit(batch)
            changes, gaps = [], []
            writer.housekeep()
            if at in (250, 600):
                clock.advance(1_000)
                since = clock.wall_us()
                changes += keeper.link_down(Instant.now(clock))
                clock.advance(45_000_000)
                moved_us += 45_000_000
                changes += keeper.link_up(Instant.now(clock))
                gaps = [Gap(since, clock.wall_us(), 0, GapCause.NOT_CONNECTED, 0)]
        writer.close()


def test_presence_knows_of_broken_links_and_of_recorders_that_ended(tmp_path: Path) -> None:
    recorded_with_breaks(tmp_path / "ws")
    bench = Bench(tmp_path / "ws")
    before = bench.exported()
    causes = {line.split(",")[3] for line in before["presence"].decode().splitlines()}
    assert {"link-lost", "not-recording", "not-heard", "heard", "status"} <= causes
    assert len(bench.ask("SELECT 1 FROM segment")) > 2
    bench.reread(NOBODY)
    same(bench.exported(), before)
    whole(bench)
    bench.store.close()


def test_a_lost_catalogue_is_made_again_of_what_was_read_again(tmp_path: Path) -> None:
    bench = small_history(tmp_path / "ws")
    bench.reread(MINE)
    before = bench.exported()
    bench.store.close()
    for path in bench.workspace.root.glob("catalogue.db*"):
        path.unlink()
    again = Bench(tmp_path / "ws")
    same(again.exported(), before)
    whole(again)
    again.reread(NOBODY)
    assert again.ask("SELECT DISTINCT generation FROM segment") == [(1,)]
    again.store.close()


def test_an_agent_that_goes_stays_by_name_where_somebody_annotated_it(tmp_path: Path) -> None:
    bench = small_history(tmp_path / "ws")
    named = "SELECT count(*) FROM agent WHERE name = 'the-broker'"
    bench.reread(MINE)
    assert bench.ask(named) == [(1,)]
    bench.reread(NOBODY)
    assert bench.ask(named) == [(0,)], "nobody else knows it"
    bench.reread(MINE)
    bench.store.submit([put_command(Annotation(new_id(1), 1, 1, 0, "the-broker", "mine", (), 0))])
    bench.reread(NOBODY)
    assert bench.ask("SELECT name, text FROM annotation JOIN agent ON agent.id = agent_id") == [("the-broker", "mine")]
    bench.store.close()


def test_a_catalogue_of_before_takes_in_what_was_read_again(tmp_path: Path) -> None:
    bench = small_history(tmp_path / "ws")
    bench.store.submit([{"do": "agent.note", "agent": "crawler-1", "note": "mine"}])
    earlier = catalogue_now(bench.workspace)
    bench.reread(MINE)
    before = bench.exported()
    bench.store.close()
    put_back(bench.workspace, earlier)
    again = Bench(tmp_path / "ws")
    assert again.store.problems == []
    same(again.exported(), before)
    whole(again)
    assert again.ask("SELECT note FROM agent WHERE name = 'crawler-1'") == [("mine",)]
    assert again.ask("SELECT DISTINCT generation, state FROM segment") == [(1, "closed")]
    again.store.close()
