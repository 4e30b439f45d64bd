"""Recorded traffic through reading and presence into a store, as the command and the recorder do it."""

import base64
import csv
import io
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.recorder.import_run import Importer, at_once
from models.domain.clock import SystemClock
from models.domain.masking import Masking
from models.domain.problems import EnvironmentProblem, trouble
from models.domain.recorded import ImportProgress, ImportResult
from models.domain.rules import Rules
from models.storage.export.run import export
from models.storage.segments.segment_file import SegmentFile
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from mqtt.recorded_files import SLICE_BYTES
from mqtt.recorded_files import SLICE_MESSAGES as SLICE
from tests.helpers.clock import FakeClock
from tests.helpers.recording import payload_of, unguarded
from tests.helpers.store import rows

RECORDINGS = sorted((Path(__file__).resolve().parents[2] / "recordings").glob("*.jsonl"))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Bench:
    def __init__(self, root: Path, clock: FakeClock) -> None:
        self.workspace = Workspace.at(root)
        self.clock = clock
        self.store = StoreWriter(self.workspace, clock)
        self.masking = Masking(())

    def bring(self, *paths: Path, on_progress: Callable[[ImportProgress], None] = lambda _: None) -> ImportResult:
        return Importer(self.store, at_once, self.clock, self.masking, Rules).run(
            paths, "agents", on_progress, again=True
        )

    def export(self, dataset: str) -> list[dict[str, str]]:
        written = io.BytesIO()
        export(self.workspace, dataset, written, clock=self.clock)
        return list(csv.DictReader(io.StringIO(written.getvalue().decode(), newline="")))

    def presence(self) -> dict[str, tuple[str, str]]:
        return {row["agent"]: (row["presence"], row["cause"]) for row in self.export("agents")}

    def is_empty(self) -> bool:
        left = list(self.workspace.segments.iterdir())
        return not left and rows(self.workspace, "catalogue", "SELECT * FROM segment, capture, agent") == []


@pytest.fixture
def bench(tmp_path: Path, clock: FakeClock) -> Iterator[Bench]:
    one = Bench(tmp_path / "ws", clock)
    yield one
    one.store.close()


def record(path: Path, *told: tuple[float, str, object]) -> Path:
    lines = (
        {"ts": at_s, "topic": topic, "payload_b64": base64.b64encode(json.dumps(body).encode()).decode()}
        for at_s, topic, body in told
    )
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return path


def iso(time_us: int) -> str:
    return (EPOCH + timedelta(microseconds=time_us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_secrets_of_a_recording_are_not_stored(bench: Bench) -> None:
    bench.masking = Masking()
    bench.bring(*(path for path in RECORDINGS if "dynsec" in path.stem))
    payloads = [payload_of(row) for row in bench.export("messages")]
    assert sum(b'"password": "***"' in one for one in payloads) > 0
    assert not any(b'"pw1"' in one for one in payloads)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_every_recording_comes_in_whole(bench: Bench, path: Path) -> None:
    told = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    result = bench.bring(path)
    assert (result.messages, result.skipped) == (len(told), 0)
    told.sort(key=lambda one: one["ts"])
    found = bench.export("messages")
    assert [(row["time"], unguarded(row["topic"]), row["qos"], payload_of(row)) for row in found] == [
        (iso(round(one["ts"] * 1e6)), one["topic"], str(one["qos"]), base64.b64decode(one["payload_b64"])) for one in told
    ]  # fmt: skip
    assert [row["origin"] for row in found] == [
        "replay" if one.get("origin") == "replay" else "imported" for one in told
    ]
    assert len(bench.export("samples")) == result.samples
    assert len(bench.export("logs")) == result.logs
    assert sum(int(row["count"]) for row in bench.export("unreadable")) == sum(result.unreadable.values())
    assert "bug" not in result.unreadable
    assert (result.since_us, result.until_us) == (round(told[0]["ts"] * 1e6), round(told[-1]["ts"] * 1e6))


def test_a_recording_goes_on_with_what_another_declared(bench: Bench, tmp_path: Path) -> None:
    config = {"name": "Load", "stat_t": "odd/7", "unit_of_meas": "%", "dev": {"ids": "box-7"}}
    at_s = bench.clock.wall_us() / 1e6 - 1_000
    bench.bring(record(tmp_path / "1", (at_s, "homeassistant/sensor/x/config", config)))
    bench.bring(record(tmp_path / "2", (at_s + 1, "odd/7", 5)))
    assert [(row["agent"], row["metric"], row["value"]) for row in bench.export("samples")] == [
        ("box-7", "Load", "0.05")
    ]


def test_presence_at_the_end_of_recordings(bench: Bench) -> None:
    for name in ("homie4-clean-stop", "winston-json-logs", "mqtt-io-2.7", "glances-per-plugin", "collectd-5.12"):
        bench.bring(next(path for path in RECORDINGS if path.stem == name))
    assert bench.presence() == {
        "planner-01": ("offline", "will"), "crawler-1": ("offline", "will"), "io-5": ("stopped", "goodbye"),
        "build-host-1": ("offline", "replayed"), "build-host-2": ("offline", "will"), "edge-box-7": ("online", "heard"),
    }  # fmt: skip


def test_silence_counts_on_the_recording_s_clock_and_not_beyond_it(bench: Bench, tmp_path: Path) -> None:
    status = {"state": "online", "interval_s": 10}
    path = record(
        tmp_path / "a",
        (1_000, "agents/dies/status", status), (1_000, "agents/lives/status", status),
        *((1_000 + 10 * n, "agents/lives/status", status) for n in range(1, 8)),
    )  # fmt: skip
    bench.bring(path)
    assert bench.presence() == {"dies": ("offline", "silence"), "lives": ("online", "status")}
    changes = [row for row in bench.export("presence") if row["agent"] == "dies"]
    assert [(row["presence"], row["since"]) for row in changes] == [
        ("online", iso(1_000_000_000)), ("late", iso(1_015_000_000)), ("offline", iso(1_030_000_000)),
    ]  # fmt: skip
    assert changes[-1]["until"] == ""


def test_numbering_goes_on_over_the_files_of_one_import(bench: Bench, tmp_path: Path) -> None:
    def told(at_s: float, seq: int) -> tuple[float, str, object]:
        return at_s, "agents/a/metrics", {"boot": "b", "seq": seq, "metrics": {"cpu": 0.5}}

    first = record(tmp_path / "monday", told(1, 0), told(2, 1))
    second = record(tmp_path / "tuesday", told(3, 1), told(4, 4))
    result = bench.bring(second, first)
    assert (result.messages, result.samples) == (4, 3)  # one of them came twice
    assert [row["duplicate"] for row in bench.export("messages")] == ["false", "false", "true", "false"]
    assert [(row["agent"], row["cause"], row["count"]) for row in bench.export("gaps")] == [("a", "sequence", "2")]
    assert rows(bench.workspace, "catalogue", "SELECT capture_id, path FROM imported_file ORDER BY id") == [
        (1, str(first)), (1, str(second))
    ]  # fmt: skip


def test_nothing_mixes_with_what_is_live(bench: Bench, tmp_path: Path) -> None:
    """A live request is not answered by a recorded reply, nor a live number taken for a repeat."""
    bench.store.begin_capture("mqtt://b", "c")
    before = len(bench.store.names.agents)
    bench.bring(record(tmp_path / "a", (1, "agents/b/inbox/a", {"id": "q", "type": "ask"})))
    bench.bring(record(tmp_path / "b", (2, "agents/a/inbox/b", {"id": "r", "reply_to": "q", "type": "answer"})))
    assert [row["outcome"] for row in bench.export("interactions") if row["reply_ms"]] == []
    assert len(bench.store.names.agents) == before + 2


class StopError(Exception):
    pass


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4, 9])
def test_whoever_watches_may_stop_it_and_nothing_is_left(bench: Bench, tmp_path: Path, after: int) -> None:
    path = record(
        tmp_path / "a", *((n, "agents/a/log", {"level": "info", "message": str(n)}) for n in range(4 * SLICE + 1))
    )
    seen: list[ImportProgress] = []

    def told(progress: ImportProgress) -> None:
        seen.append(progress)
        if len(seen) > after:
            raise StopError

    with pytest.raises(StopError):
        bench.bring(path, on_progress=told)
    assert bench.is_empty()
    assert len(seen) == after + 1, "it stops at once"
    assert bench.bring(path).messages == 4 * SLICE + 1


def test_lines_to_leave_out_are_told_of_and_stopped_in_like_all_else(bench: Bench, tmp_path: Path) -> None:
    path = record(tmp_path / "a", (1, "t", 1))
    with path.open("a") as file:
        file.write(('{"ts": 3, "nothing": "' + "x" * (SLICE_BYTES // 100) + '"}\n') * 500)
    seen: list[int] = []

    def told(progress: ImportProgress) -> None:
        seen.append(progress.skipped)
        if progress.skipped > 250:
            raise StopError

    with pytest.raises(StopError):
        bench.bring(path, on_progress=told)
    assert [*dict.fromkeys(seen)] == [0, 100, 200, 300]
    assert bench.is_empty()


def test_whoever_stops_it_after_any_step_leaves_the_way_free(bench: Bench, tmp_path: Path) -> None:
    """As where the recorder did a step and finds its client gone."""
    path = record(tmp_path / "a", (1, "t", 1))
    for after in range(4):
        left = [after]

        def stop(_progress: ImportProgress, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise StopError

        def late(job, meanwhile):
            result = job()
            meanwhile()
            return result

        with pytest.raises(StopError):
            Importer(bench.store, late, bench.clock, Masking(), Rules).run([path], "agents", stop)
        assert bench.is_empty()
    assert bench.bring(path).messages == 1


def test_progress_tells_bytes_messages_and_lines_left_out(bench: Bench, tmp_path: Path) -> None:
    path = record(tmp_path / "a", *((n, "t", n) for n in range(2 * SLICE + 100)))
    with path.open("ab") as file:
        file.write(b'{"ts":17')
    seen: list[ImportProgress] = []
    result = bench.bring(path, on_progress=seen.append)
    size = path.stat().st_size
    assert sorted({one.messages for one in seen}) == [0, SLICE, 2 * SLICE, 2 * SLICE + 100]
    assert {one.bytes_total for one in seen} == {size}
    assert [one.bytes_done for one in seen] == sorted(one.bytes_done for one in seen)
    assert seen[-1].skipped == result.skipped == 1
    assert result.first_skipped is not None
    assert result.first_skipped.line == 2 * SLICE + 101


def test_a_failing_disk_in_the_middle_takes_everything_back(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = record(tmp_path / "a", *((n, "t", n) for n in range(4 * SLICE)))
    write, left = SegmentFile.write, [2]

    def failing(*arguments: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return write(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as disk:
        disk.setattr(SegmentFile, "write", failing)
        with pytest.raises(EnvironmentProblem) as raised:
            bench.bring(path)
    assert raised.value.problem.code == "import.disk-full"
    assert bench.is_empty()
    assert bench.bring(path).messages == 4 * SLICE


def test_a_catalogue_that_fails_at_the_last_step_takes_everything_back(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = record(tmp_path / "a", (1, "agents/a/metrics", {"cpu": 1}))

    def failing(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("models.storage.writing.import_writer.add_topics", failing)
        with pytest.raises(EnvironmentProblem):
            bench.bring(path)
    assert bench.is_empty()
    assert bench.bring(path).agents == 1


def test_a_file_that_vanishes_or_is_none_leaves_nothing(bench: Bench, tmp_path: Path) -> None:
    good = record(tmp_path / "a", (1, "t", 1))
    (tmp_path / "notes.txt").write_text("no recording\n")
    with pytest.raises(EnvironmentProblem) as raised:
        bench.bring(good, tmp_path / "notes.txt")
    assert raised.value.problem.code == "import.no-recording"
    assert bench.is_empty()


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="+#\0"), min_size=1, max_size=12)
MESSAGES = st.lists(
    st.tuples(st.integers(0, 4_000_000_000_000_000), TEXT, st.binary(max_size=30)), min_size=1, max_size=8
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(messages=MESSAGES)
def test_what_is_exported_is_what_was_recorded(tmp_path_factory: pytest.TempPathFactory, messages: list) -> None:
    """Exported rows written as a recording bring the same rows again."""
    folder = tmp_path_factory.mktemp("property")
    path = folder / "first"
    path.write_text("".join(line_of(*one) for one in messages))
    wanted = sorted(((at_us, topic, payload) for at_us, topic, payload in messages), key=lambda one: one[0])
    for name in ("one", "two"):
        bench = Bench(folder / name, FakeClock())
        try:
            bench.bring(path)
            found = [(row["time"], unguarded(row["topic"]), payload_of(row)) for row in bench.export("messages")]
        finally:
            bench.store.close()
        assert found == [(iso(at_us), topic, payload) for at_us, topic, payload in wanted]
        path = folder / f"exported-{name}"
        path.write_text("".join(line_of(us_of(time), topic, payload) for time, topic, payload in found))


def line_of(at_us: int, topic: str, payload: bytes) -> str:
    line = {"ts": at_us / 1e6, "topic": topic, "qos": 1, "payload_b64": base64.b64encode(payload).decode()}
    return json.dumps(line) + "\n"


def us_of(time: str) -> int:
    return (datetime.fromisoformat(time) - EPOCH) // timedelta(microseconds=1)


class Elsewhere:
    """Does what is handed over on another thread, as the recorder does."""

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def __call__(self, job, meanwhile):
        done: list = []

        def run() -> None:
            self.threads.add(threading.get_ident())
            try:
                done.append((job(), None))
            except BaseException as error:
                done.append((None, error))

        one = threading.Thread(target=run)
        one.start()
        one.join()
        meanwhile()
        result, error = done[0]
        if error is not None:
            raise error
        return result


def test_a_store_that_ends_meanwhile_is_told(tmp_path: Path) -> None:
    class Gone:
        names = None

        def remembered(self):
            return []

        def begin_import(self, files, *, again=False, make_room=False):
            raise trouble("recorder.died", detail="it ended meanwhile")

    path = record(tmp_path / "a", (1, "t", 1))
    hand_over = Elsewhere()
    with pytest.raises(EnvironmentProblem) as raised:
        Importer(Gone(), hand_over, SystemClock(), Masking(), Rules).run([path], "agents", lambda _: None)
    assert raised.value.problem.code == "recorder.died"
    assert threading.get_ident() not in hand_over.threads


def test_whoever_gives_up_before_it_began_hinders_no_later_one(bench: Bench, tmp_path: Path) -> None:
    """The thread that stores may be busy with a commit when it is asked to begin, and the client be gone by then."""
    later: list[Callable[[], object]] = []

    def hand_over(job, meanwhile):  # type: ignore[no-untyped-def]
        later.append(job)
        try:
            meanwhile()
        finally:
            result = later.pop()()  # what was asked for is done, whether somebody waits or not
        return result

    def gone(_: ImportProgress) -> None:
        raise StopError

    path = record(tmp_path / "a", (1, "t", 1))
    with pytest.raises(StopError):
        Importer(bench.store, hand_over, bench.clock, Masking(), Rules).run([path], "agents", gone)
    assert bench.is_empty()
    assert bench.bring(path).messages == 1
