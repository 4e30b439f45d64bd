"""Files of recorded traffic: what is one, what is left out of it, and in which order it comes."""

import contextlib
import gzip
import itertools
import json
import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.domain.problems import EnvironmentProblem
from mqtt import recorded_files
from mqtt.recorded_files import SLICE_BYTES, SLICE_MESSAGES, RecordedTraffic, Slice, survey

SECOND = 1_000_000


def line(at_s: float, topic: str = "a", payload_b64: str = "eA==") -> bytes:
    return json.dumps({"ts": at_s, "topic": topic, "qos": 0, "retain": False, "payload_b64": payload_b64}).encode()


def written(path: Path, *lines: bytes, end: bytes = b"\n") -> Path:
    path.write_bytes(b"\n".join(lines) + end)
    return path


def read(*paths: Path) -> tuple[RecordedTraffic, list[Slice]]:
    traffic = RecordedTraffic(survey(paths))
    return traffic, list(traffic.slices())


def times_s(slices: Sequence[Slice]) -> list[float]:
    return [one.received_us / SECOND for slice_ in slices for one in slice_.messages]


def refused(path: Path) -> tuple[str, str]:
    with pytest.raises(EnvironmentProblem) as raised:
        survey([path])
    problem = raised.value.problem
    assert problem.params["path"] == str(path)
    return problem.code, str(problem.params["detail"])


def test_every_line_is_read(tmp_path: Path) -> None:
    traffic, slices = read(written(tmp_path / "a", *(line(n / 2) for n in range(2 * SLICE_MESSAGES + 34))))
    assert times_s(slices) == [n / 2 for n in range(2 * SLICE_MESSAGES + 34)]
    assert [len(one.messages) for one in slices] == [SLICE_MESSAGES, SLICE_MESSAGES, 34]
    assert traffic.bytes_done == traffic.bytes_total == (tmp_path / "a").stat().st_size
    assert (traffic.skipped, traffic.first_skipped) == (0, None)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n \t\n"])
def test_how_the_file_ends_does_not_matter(tmp_path: Path, end: bytes) -> None:
    traffic, slices = read(written(tmp_path / "a", b"", b"  ", line(1), b"", line(2), end=end))
    assert (times_s(slices), traffic.skipped) == ([1, 2], 0)


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    assert times_s(read(written(tmp_path / "a", b"\xef\xbb\xbf" + line(1)))[1]) == [1]


def test_gzipped_files_are_known_by_their_content(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"  # as some logger names it
    path.write_bytes(gzip.compress(b"\n".join(line(n, payload_b64="eHh4" * 50) for n in range(2_000))))
    traffic, slices = read(path)
    assert len(times_s(slices)) == 2_000
    assert traffic.bytes_done == traffic.bytes_total == path.stat().st_size


def test_a_half_line_at_the_end_is_left_out_and_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a", line(1), line(2), line(3)[:30], end=b"")
    traffic, slices = read(path)
    assert (times_s(slices), traffic.skipped) == ([1, 2], 1)
    assert traffic.first_skipped is not None
    assert (traffic.first_skipped.path, traffic.first_skipped.line) == (str(path), 3)
    assert traffic.first_skipped.detail.startswith("cut off")


def test_broken_lines_are_counted_and_the_first_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a", line(1), b"\xff\x00garbage", line(2), b'{"ts":3}', line(4))
    traffic, slices = read(path)
    assert (times_s(slices), traffic.skipped) == ([1, 2, 4], 2)
    assert traffic.first_skipped is not None
    assert traffic.first_skipped.line == 2


def test_a_damaged_archive_is_read_up_to_there(tmp_path: Path) -> None:
    chance = random.Random(7)
    whole = gzip.compress(b"\n".join(line(n, payload_b64=chance.randbytes(60).hex()) for n in range(3_000)))
    path = tmp_path / "a.gz"
    path.write_bytes(whole[: len(whole) // 2])
    traffic, slices = read(path)
    found = times_s(slices)
    assert found == list(range(len(found)))
    assert found
    assert traffic.skipped
    damaged = bytearray(whole)
    damaged[len(whole) // 2 : len(whole) // 2 + 40] = bytes(40)
    path.write_bytes(damaged)
    traffic, slices = read(path)
    assert traffic.skipped
    assert slices


def test_what_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for content, detail in (
        (b"", "it is empty"),
        (b"\n \n", "it is empty"),
        (b"# Notes\n" + line(1), "line 1 is no record, JSON is malformed"),
        (b'\n{"level":"info"}\n', "line 2 is no record, it has neither “payload_b64” nor “tst”"),
        (line(1)[:20], "line 1 is no record"),
        (b"\x89PNG\r\n" + bytes(5_000_000), "line 1 is no record"),
        (b"SQLite format 3\0" + bytes(4_000), "line 1 is no record"),
        (b"\x1f\x8b\x08broken", "the archive is damaged"),
        (gzip.compress(b"hello"), "line 1 is no record"),
        (b"{" + b" " * 5_000_000, "line 1 is no record"),
    ):
        path.write_bytes(content)
        code, told = refused(path)
        assert code == "import.no-recording"
        assert told.startswith(detail), (content[:20], told)


def test_what_is_no_file(tmp_path: Path) -> None:
    assert refused(tmp_path) == ("file.unusable", "Is a directory")
    assert refused(tmp_path / "none") == ("file.unusable", "No such file or directory")
    assert refused(Path("/dev/null")) == ("file.unusable", "it is no regular file")
    os.mkfifo(tmp_path / "pipe")  # that nobody writes to
    assert refused(tmp_path / "pipe") == ("file.unusable", "it is no regular file")


def test_a_line_without_end_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_files, "LONGEST_LINE_BYTES", 1_000)
    path = written(tmp_path / "a", line(1), b'{"ts":2,"payload_b64":"' + b"A" * 3_500, line(3), b"x" * 1_000, line(4))
    traffic, slices = read(path)
    assert (times_s(slices), traffic.skipped) == ([1, 3, 4], 2)


def test_how_far_it_is_can_be_told_while_there_is_nothing_but_lines_to_leave_out(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a",
        line(1),
        *[b'{"ts":3, "nothing": "' + b"x" * (recorded_files.SLICE_BYTES // 100) + b'"}'] * 350,
        line(2),
    )
    traffic = RecordedTraffic(survey([path]))
    seen = [(traffic.bytes_done, traffic.skipped, len(slice_.messages)) for slice_ in traffic.slices()]
    assert seen == sorted(seen, key=lambda one: one[:2])
    assert [messages for *_, messages in seen] == [1, 0, 0, 1]
    assert seen[-1][:2] == (path.stat().st_size, 350)


def test_large_messages_make_small_slices(tmp_path: Path) -> None:
    large = "A" * (SLICE_BYTES // 5 * 2)
    slices = read(written(tmp_path / "a", *(line(n, payload_b64=large) for n in range(7))))[1]
    assert [len(one.messages) for one in slices] == [3, 3, 1]


def test_files_come_in_the_order_of_their_first_records(tmp_path: Path) -> None:
    late = written(tmp_path / "a", line(50), line(60))
    early = written(tmp_path / "b", line(1), line(2))
    traffic, slices = read(late, early)
    assert times_s(slices) == [1, 2, 50, 60]
    assert not any(one.steps_back for one in slices)
    assert traffic.bytes_total == late.stat().st_size + early.stat().st_size


def test_a_little_disorder_is_put_in_order(tmp_path: Path) -> None:
    slices = read(written(tmp_path / "a", *(line(at) for at in (1, 3, 2.5, 2, 4))))[1]
    assert times_s(slices) == [1, 2, 2.5, 3, 4]
    assert [one.steps_back for one in slices] == [False]


def test_equal_times_keep_their_order(tmp_path: Path) -> None:
    slices = read(written(tmp_path / "a", *(line(1, f"t{n}") for n in range(20))))[1]
    assert [one.topic for one in slices[0].messages] == [b"t%d" % n for n in range(20)]


def test_time_that_begins_again_is_told(tmp_path: Path) -> None:
    lines = [*(line(10_000 + n) for n in range(2_200)), *(line(n) for n in range(2_200))]
    slices = read(written(tmp_path / "a", *lines))[1]
    assert sorted(times_s(slices)) == sorted([*range(10_000, 12_200), *range(2_200)])
    steps = [at for at, one in enumerate(slices) if one.steps_back]
    assert steps
    for one in slices:
        times = [message.received_us for message in one.messages]
        assert times == sorted(times)
    for before, after in itertools.pairwise(slices):
        if not after.steps_back:
            assert after.messages[0].received_us >= before.messages[-1].received_us - SECOND


def test_a_shuffled_file_makes_few_steps(tmp_path: Path) -> None:
    times = list(range(60_000))
    random.Random(1).shuffle(times)
    slices = read(written(tmp_path / "a", *(line(at) for at in times)))[1]
    assert sorted(times_s(slices)) == list(range(60_000))
    assert sum(one.steps_back for one in slices) <= 4


def test_a_slice_holds_no_more_than_an_hour(tmp_path: Path) -> None:
    slices = read(written(tmp_path / "a", *(line(600 * n) for n in range(100))))[1]
    assert times_s(slices) == [600 * n for n in range(100)]
    assert max(one.messages[-1].received_us - one.messages[0].received_us for one in slices) == 3_600 * SECOND


def test_one_file_is_told_from_another(tmp_path: Path) -> None:
    one = written(tmp_path / "a", line(1), line(2))
    same = written(tmp_path / "b", line(1), line(2))
    other = written(tmp_path / "c", line(1), line(3))
    digests = [survey([path])[0].told.digest for path in (one, same, other)]
    assert digests[0] == digests[1] != digests[2]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    data=st.lists(st.one_of(st.binary(max_size=60), st.integers(0, 5_000).map(line)), max_size=12), packed=st.booleans()
)
def test_nothing_but_a_problem_escapes(tmp_path: Path, data: list[bytes], packed: bool) -> None:
    path = tmp_path / "fuzz"
    content = b"\n".join(data)
    path.write_bytes(gzip.compress(content) if packed else content)
    with contextlib.suppress(EnvironmentProblem):
        traffic, slices = read(path)
        assert len(times_s(slices)) + traffic.skipped <= content.count(b"\n") + 1


def picked(path: Path) -> list[tuple[bytes, bytes]]:
    traffic = RecordedTraffic(survey([path]))
    told = [one for some in traffic.picked(lambda topic: topic.endswith(b"/x")) for one in some]
    assert told == [
        one for slice_ in RecordedTraffic(survey([path])).slices() for one in slice_.messages if one in told
    ]
    return [(one.topic, one.payload) for one in told]


def test_only_some_topics_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_files, "_MOST_TOPICS", 3)
    many = [line(n, f"{n % 7}/{'xy'[n % 2]}") for n in range(5_000)]
    assert len(picked(written(tmp_path / "a", *many))) == 2_500
    assert picked(written(tmp_path / "b", line(1, "a/x").replace(b"a/x", b"a\\/\\u0078"), line(2, "x"), b"{", line(3, "b/x")[:-1])) == [
        (b"a/x", b"x"),
    ]  # fmt: skip


def test_what_mosquitto_printed_of_bytes_is_read_as_well(tmp_path: Path) -> None:
    told = b'{"tst":"2026-11-23T07:47:34.913471Z","topic":"%b","qos":0,"retain":0,"payloadlen":2,"payload":"%b"}'
    some = [(b"a/y", b"ok"), (b"a/x", b"\xff\xfe"), (b"\xff/x", b"ok"), (b"b/x", b"ok")]
    path = written(tmp_path / "a", *(told % one for one in some))
    assert picked(path) == some[1:]
