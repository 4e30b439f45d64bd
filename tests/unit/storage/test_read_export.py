"""Every dataset comes out exactly as stored, in the columns, cells and order of the contract."""

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain.messages import Kind, Origin, Properties
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.problems import EnvironmentProblem
from models.domain.queries import Cancelled, CancelToken
from models.domain.records import (
    Attempt,
    Gap,
    GapCause,
    Interaction,
    Level,
    LogRow,
    Outcome,
    PresenceChange,
    TaskReport,
    TaskState,
    Unreadable,
)
from models.storage.export import scope as export_scope
from models.storage.export.cells import TimeText, float_text, float_texts, text_cell
from models.storage.export.run import DATASETS, export, export_file
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.history_builder import HistoryBuilder, raw

S = 1_000_000
ZERO = "2026-01-01T00:00:0"


def written(build: HistoryBuilder, dataset: str, **options: Any) -> str:
    out = io.BytesIO()
    rows = export(build.workspace, dataset, out, clock=FakeClock(), **options)
    text = out.getvalue().decode("utf-8")
    if options.get("format") == "jsonl":
        assert rows == text.count("\n")
    else:
        assert rows == len(table(text))
    return text


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def rows(build: HistoryBuilder, dataset: str, **options: Any) -> list[dict[str, str]]:
    return table(written(build, dataset, **options))


def objects(build: HistoryBuilder, dataset: str, **options: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written(build, dataset, format="jsonl", **options).split("\n")[:-1]]


def unguarded(cell: str) -> str:
    return cell.removeprefix("'")


CONTRACT = {
    "messages": "time, topic, agent, kind, origin, qos, retain, duplicate, size, payload, payload_encoding, content_type, response_topic, correlation, user_properties",
    "samples": "time, received, agent, metric, unit, value, labels",
    "logs": "time, received, agent, level, logger, text, error, stack, attributes",
    "presence": "agent, presence, condition, cause, since, until",
    "agents": "agent, name, group, convention, presence, condition, cause, as_of, first_seen, last_seen, messages",
    "tasks": "task, parent, agent, requester, type, state, submitted, started, ended, attempt, result, error",
    "interactions": "time, from, to, kind, id, reply_ms, outcome",
    "connections": "time, agent, outcome, error, duration_ms, target",
    "gaps": "since, until, agent, cause, count",
    "unreadable": "topic, count, last_time, last_reason",
    "annotations": "since, until, agent, text, tags",
}


@pytest.mark.parametrize("dataset", CONTRACT)
def test_an_empty_dataset_is_its_header(build: HistoryBuilder, dataset: str) -> None:
    assert written(build, dataset) == CONTRACT[dataset].replace(", ", ",") + "\r\n"
    assert written(build, dataset, format="jsonl") == ""


def test_there_are_no_other_datasets() -> None:
    assert DATASETS.keys() == CONTRACT.keys()


# ------------------------------------------------------------------ cells


@given(st.text(st.characters(codec="utf-8")))
def test_a_text_cell_reads_back_and_is_no_formula(text: str) -> None:
    line = f"x,{text_cell(text)},y\r\n"
    (read,) = csv.reader(io.StringIO(line, newline=""), strict=True)
    assert len(read) == 3
    if text[:1] and text[0] in "=+-@\t\r'":
        assert read[1] == "'" + text
    else:
        assert read[1] == text


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_are_exact_and_short(values: list[float]) -> None:
    texts = float_texts(values)
    assert [float(text) for text in texts] == values
    assert texts == [float_text(value) for value in values]
    for text, value in zip(texts, values, strict=True):
        assert digits(text) == digits(repr(value))  # the fewest that tell this number from its neighbours


def digits(text: str) -> str:
    return text.split("e", maxsplit=1)[0].replace(".", "").replace("-", "").strip("0")


def test_whole_numbers_have_no_point() -> None:
    assert float_texts([1.0, 100.0, -3.0, 0.5, 1e22]) == ["1", "100", "-3", "0.5", "1e22"]


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (T0 + 1, "2026-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (2**62, "9999-12-31T23:59:59.387904Z"),
        (-62_000_000_000_000_000, "0005-04-19T09:46:40.000000Z"),
    ],
)
def test_times_are_utc_with_microseconds(us: int, text: str) -> None:
    assert TimeText()(us) == text


# ------------------------------------------------------------------ messages

texts = st.text(st.characters(codec="utf-8"), max_size=30)
some_properties = st.none() | st.builds(
    Properties, st.none() | texts, st.none() | texts, st.none() | st.binary(max_size=9), st.none(),
    st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
)  # fmt: skip
some_message = st.builds(
    raw, topic=st.binary(min_size=1, max_size=20), payload=st.binary(max_size=40) | texts.map(str.encode),
    at_us=st.integers(T0, T0 + 10**12), properties=some_properties, origin=st.sampled_from(Origin),
    qos=st.integers(0, 2), retain=st.booleans(),
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(some_message, min_size=1, max_size=12), st.sampled_from(Kind), texts.filter(bool))
def test_messages_come_back_as_they_were(messages: list, kind: Kind, name: str) -> None:
    messages.sort(key=lambda message: message.received_us)
    with tempfile.TemporaryDirectory() as folder:
        build = HistoryBuilder(Workspace.at(folder))
        build.segment().write(build.messages(messages, build.agent(name), kind))
        found, typed = rows(build, "messages"), objects(build, "messages")
        build.close()
    assert len(found) == len(typed) == len(messages)
    for message, row, one in zip(messages, found, typed, strict=True):
        topic = message.topic.decode("utf-8", "backslashreplace")
        assert unguarded(row["topic"]) == topic == one["topic"] or row["topic"] == topic
        assert unguarded(row["agent"]) == name.removeprefix("'") or unguarded(row["agent"]) == name
        assert one["agent"] == name
        assert row["time"] == TimeText()(message.received_us) == one["time"]
        assert (row["kind"], row["origin"]) == (kind.name.lower(), message.origin.name.lower())
        assert (row["qos"], row["retain"]) == (str(message.qos), str(message.retain).lower())
        assert (one["qos"], one["retain"], one["duplicate"]) == (message.qos, message.retain, False)
        assert int(row["size"]) == one["size"] == len(message.payload)
        check_payload(message.payload, row, one)
        check_properties(message.properties or Properties(), one)
        assert (row["correlation"] == "") == (not one["correlation"])


def check_payload(payload: bytes, row: dict[str, str], one: dict[str, Any]) -> None:
    import base64

    try:
        expected, encoding = payload.decode(), "utf-8"
    except UnicodeDecodeError:
        expected, encoding = base64.b64encode(payload).decode(), "base64"
    assert row["payload_encoding"] == one["payload_encoding"] == encoding
    assert one["payload"] == expected
    assert row["payload"] == ("'" + expected if expected[:1] and expected[0] in "=+-@\t\r'" else expected)


def check_properties(properties: Properties, one: dict[str, Any]) -> None:
    assert one["content_type"] == properties.content_type
    assert one["response_topic"] == properties.response_topic
    user: dict[str, list[str]] = {}
    for key, value in properties.user:
        user.setdefault(key, []).append(value)
    assert one["user_properties"] == ({k: v[0] if len(v) == 1 else v for k, v in user.items()} or None)


def test_a_message_line_to_the_letter(build: HistoryBuilder) -> None:
    a = build.agent("a")
    properties = Properties("text/plain", "re/ply", b"\x01", None, (("b", "2"), ("a", "1"), ("b", "3")))
    message = raw("agents/a/x", b'{"v": 1}\nnext', T0, properties, retain=True)
    build.segment().write(build.messages([message], a, Kind.LOG))
    assert written(build, "messages").splitlines(keepends=True)[1:] == [
        f'{ZERO}0.000000Z,agents/a/x,a,log,live,1,true,false,13,"{{""v"": 1}}\n',
        'next",utf-8,text/plain,re/ply,AQ==,"{""a"":""1"",""b"":[""2"",""3""]}"\r\n',
    ]


# ------------------------------------------------------------------ samples


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 4), st.floats(allow_nan=False, allow_infinity=False)), max_size=6),
        min_size=1, max_size=8,
    ),
    texts.filter(bool),
)  # fmt: skip
def test_samples_come_back_exactly_in_order_of_arrival(told: list, metric: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        build = HistoryBuilder(Workspace.at(folder))
        a = build.agent("a")
        series = [build.series(a, f"{metric}{n}", '{"k":"v"}' if n else "", "By" if n else "") for n in range(5)]
        segment = build.segment()
        expected = []
        for number in range(0, len(told), 2):
            batch = build.messages([raw(at_us=T0 + number * S + n) for n in range(len(told[number : number + 2]))], a)
            for row, samples in enumerate(told[number : number + 2]):
                batch.add_samples(row, T0 + number, [series[n] for n, _ in samples], [value for _, value in samples])
                expected += sorted(((number + row, n, v) for n, v in samples), key=lambda one: one[:2])
            segment.write(batch)
        found, typed = rows(build, "samples"), objects(build, "samples")
        build.close()
    assert [float(row["value"]) for row in found] == [value for _, _, value in expected]
    assert [one["value"] for one in typed] == [value for _, _, value in expected]
    for (number, n, _), row, one in zip(expected, found, typed, strict=True):
        assert one["metric"] == f"{metric}{n}"
        assert one["labels"] == ({"k": "v"} if n else None)
        assert (row["labels"], row["unit"]) == (('{"k":"v"}', "By") if n else ("", ""))
        at = T0 + number // 2 * 2
        assert row["time"] == one["time"] == TimeText()(T0 + number // 2 * 2)
        assert row["received"] == TimeText()(T0 + number // 2 * 2 * S + number % 2)
        assert at


def test_range_and_agent(build: HistoryBuilder) -> None:
    a, b = build.agent("a"), build.agent("b")
    cpu = {a: build.series(a, "cpu"), b: build.series(b, "cpu")}
    for number in range(3):
        segment = build.segment()
        for second in range(10):
            for agent in (a, b):
                at = T0 + (number * 10 + second) * S
                batch = build.messages([raw(at_us=at)], agent)
                batch.add_samples(0, at - 5, [cpu[agent]], [number * 10 + second])
                batch.logs = [LogRow(0, at, agent, Level.INFO, None, "x")]
                segment.write(batch)
        segment.close()
    for dataset in ("messages", "samples", "logs"):
        assert len(rows(build, dataset)) == 60
        assert len(rows(build, dataset, since_us=T0 + 5 * S, until_us=T0 + 25 * S)) == 40
        mine = rows(build, dataset, since_us=T0 + 5 * S, until_us=T0 + 25 * S, agent="b")
        assert len(mine) == 20
        assert {row["agent"] for row in mine} == {"b"}
    assert [row["value"] for row in rows(build, "samples", agent="a", since_us=T0 + 28 * S)] == ["28", "29"]


def test_an_unknown_agent_is_told(build: HistoryBuilder) -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        export(build.workspace, "logs", io.BytesIO(), agent="nobody")
    assert caught.value.problem.code == "agent.unknown"


def test_captures_that_overlap_are_merged_by_arrival(build: HistoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_scope, "PAGE_ROWS", 7)
    a = build.agent("a")
    cpu = build.series(a, "cpu")
    first, second = build.segment(), build.segment(build.capture("import"))
    for n in range(40):
        segment = (first, second)[n % 3 == 0]
        batch = build.messages([raw(at_us=T0 + n * S, payload=b"%d" % n)], a)
        batch.add_samples(0, T0, [cpu], [n])
        segment.write(batch)
    assert [row["payload"] for row in rows(build, "messages")] == [str(n) for n in range(40)]
    assert [row["value"] for row in rows(build, "samples")] == [str(n) for n in range(40)]
    assert [one["value"] for one in objects(build, "samples")] == list(range(40))


# ------------------------------------------------------------------ the other datasets


def test_logs(build: HistoryBuilder) -> None:
    a = build.agent("a")
    batch = build.messages([raw(at_us=T0 + S)], a, Kind.LOG)
    batch.logs = [
        LogRow(0, T0, a, Level.WARN, "l", "=1+1", "E", "a\r\nb", '{"a":[1,{"b":null}]}'),
        LogRow(0, T0, a, Level.FATAL, None, ""),
    ]
    build.segment().write(batch)
    first, second = rows(build, "logs")
    assert list(first.values()) == [
        f"{ZERO}0.000000Z", f"{ZERO}1.000000Z", "a", "warn", "l", "'=1+1", "E", "a\r\nb", '{"a":[1,{"b":null}]}',
    ]  # fmt: skip
    assert (second["level"], second["logger"], second["attributes"]) == ("fatal", "", "")
    typed = objects(build, "logs")
    assert (typed[0]["text"], typed[0]["attributes"]) == ("=1+1", {"a": [1, {"b": None}]})
    assert (typed[1]["text"], typed[1]["error"]) == ("", None)


def test_presence_lasts_until_the_next_change_even_in_another_segment(build: HistoryBuilder) -> None:
    a, b = build.agent("a"), build.agent("b")
    changes = [
        (0, a, Presence.ONLINE, Cause.HEARD),
        (1, b, Presence.ONLINE, Cause.STATUS),
        (5, a, Presence.OFFLINE, Cause.WILL),
        (7, a, Presence.ONLINE, Cause.HEARD),
    ]
    for number, (second, agent, presence, cause) in enumerate(changes):
        batch = build.messages([raw(at_us=T0 + second * S)], agent)
        batch.presence = [PresenceChange(T0 + second * S, agent, presence, Condition.DEGRADED, cause)]
        if number in (0, 2):
            segment = build.segment()
        segment.write(batch)
    found = [tuple(row.values()) for row in rows(build, "presence")]
    at = [f"{ZERO}{second}.000000Z" for second in range(10)]
    assert found == [
        ("a", "online", "degraded", "heard", at[0], at[5]),
        ("b", "online", "degraded", "status", at[1], at[7]),
        ("a", "offline", "degraded", "will", at[5], at[7]),
        ("a", "online", "degraded", "heard", at[7], at[7]),
        ("a", "unknown", "ok", "not-recording", at[7], ""),  # nobody records any more
        ("b", "unknown", "ok", "not-recording", at[7], ""),
    ]
    (one,) = objects(build, "presence", since_us=T0 + 2 * S, until_us=T0 + 6 * S)
    assert (one["presence"], one["until"]) == ("offline", at[7])
    assert objects(build, "presence", agent="b")[-1]["until"] is None


def test_agents(build: HistoryBuilder) -> None:
    a, b, _ = build.agent("a"), build.agent("-b"), build.agent("spoken of, never heard")
    build.update_agent_now(
        a, presence=4, condition=3, cause="silence", first_seen_us=T0, last_seen_us=T0 + S, messages=9
    )
    build.update_agent_now(b, presence=3, cause="not-heard", last_seen_us=T0 + 3 * S)
    second, first = rows(build, "agents")
    assert list(first.values()) == [
        "a", "", "", "", "late", "degraded", "silence", f"{ZERO}0.000000Z", f"{ZERO}0.000000Z", f"{ZERO}1.000000Z", "9",
    ]  # fmt: skip
    assert (second["agent"], second["presence"], second["messages"]) == ("'-b", "unknown", "1")
    assert objects(build, "agents")[0]["name"] is None
    assert len(rows(build, "agents", agent="a")) == 1
    assert [row["agent"] for row in rows(build, "agents", since_us=T0 + 2 * S)] == ["'-b"]


def test_tasks_one_row_each_over_all_their_reports(build: HistoryBuilder) -> None:
    a = build.agent("a")
    segment = build.segment()
    for second, task, state, more in (
        (0, "one", TaskState.SUBMITTED, {"requester": "boss", "parent": "p"}),
        (1, "two", TaskState.INPUT_REQUIRED, {}),
        (2, "one", TaskState.WORKING, {"attempt": 1}),
        (3, "one", TaskState.FAILED, {"error": "no"}),
        (4, "one", TaskState.WORKING, {"attempt": 2}),
        (5, "one", TaskState.COMPLETED, {"result": "42"}),
        (6, "one", TaskState.COMPLETED, {"result": "42"}),
        (6, "one", TaskState.UNKNOWN, {"progress": 1.0}),
    ):
        batch = build.messages([raw(at_us=T0 + second * S)], a)
        batch.tasks = [TaskReport(0, T0 + second * S, a, task, "t", state, **more)]
        segment.write(batch)
    at = [f"{ZERO}{second}.000000Z" for second in range(7)]
    assert [list(row.values()) for row in rows(build, "tasks")] == [
        ["one", "p", "a", "boss", "t", "completed", at[0], at[2], at[5], "2", "42", "no"],
        ["two", "", "a", "", "t", "input-required", "", "", "", "", "", ""],
    ]
    assert objects(build, "tasks")[1]["attempt"] is None


def test_interactions_connections_gaps(build: HistoryBuilder) -> None:
    a, b = build.agent("a"), build.agent("b")
    batch = build.messages([raw(at_us=T0 + S)], a)
    batch.interactions = [
        Interaction(0, T0, a, b, "ask", "7", 1_500, Outcome.OK),
        Interaction(0, T0, b, a, "tell", "8", None, Outcome.TIMEOUT),
    ]
    batch.attempts = [Attempt(0, T0, a, Outcome.REFUSED, "x,y", 2_000_000, "db")]
    batch.gaps = [Gap(T0, T0 + S, 0, GapCause.NOT_CONNECTED, 0), Gap(T0, T0 + S, b, GapCause.SEQUENCE, 4)]
    build.segment().write(batch)
    zero, one = f"{ZERO}0.000000Z", f"{ZERO}1.000000Z"
    assert [list(row.values()) for row in rows(build, "interactions")] == [
        [zero, "a", "b", "ask", "7", "1.5", "ok"], [zero, "b", "a", "tell", "8", "", "timeout"],
    ]  # fmt: skip
    assert objects(build, "interactions")[0]["reply_ms"] == 1.5
    assert list(rows(build, "connections")[0].values()) == [zero, "a", "refused", "x,y", "2000", "db"]
    assert [list(row.values()) for row in rows(build, "gaps")] == [
        [zero, one, "", "not-connected", "0"], [zero, one, "b", "sequence", "4"], [one, "", "", "not-recording", "0"],
    ]  # fmt: skip
    assert len(rows(build, "gaps", agent="a")) == 2


def test_unreadable_by_topic(build: HistoryBuilder) -> None:
    for number in range(2):
        segment = build.segment()
        for second, topic, reason in ((0, b"x", "json"), (1, b"y\xff", "too-deep"), (2, b"x", "utf-8")):
            batch = build.messages([raw(topic, at_us=T0 + (number * 3 + second) * S)])
            batch.unreadable = [Unreadable(0, reason)]
            segment.write(batch)
    assert [list(row.values()) for row in rows(build, "unreadable")] == [
        ["y\\xff", "2", f"{ZERO}4.000000Z", "too-deep"], ["x", "4", f"{ZERO}5.000000Z", "utf-8"],
    ]  # fmt: skip
    assert rows(build, "unreadable", until_us=T0 + 3 * S)[1]["count"] == "2"


# ------------------------------------------------------------------ damage, cancelling, files


def test_damage_is_told_and_the_rest_comes_out(build: HistoryBuilder) -> None:
    for number in range(3):
        segment = build.segment()
        segment.write(build.messages([raw(at_us=T0 + number * S)]))
        segment.close()
    build.workspace.segment(2).unlink()
    told: list[int] = []
    assert len(rows(build, "messages", damaged=lambda segment, _: told.append(segment))) == 2
    assert told == [2]


def test_progress_and_cancelling(build: HistoryBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_scope, "PAGE_ROWS", 10)
    build.segment().write(build.messages([raw(at_us=T0 + n) for n in range(35)]))
    seen: list[tuple[int, int]] = []
    export_file(build.workspace, "messages", tmp_path / "a.csv", progress=lambda *told: seen.append(told))
    assert [rows for rows, _ in seen] == [10, 20, 30, 35]
    assert seen[-1][1] == (tmp_path / "a.csv").stat().st_size
    token = CancelToken()

    def cancel(done: int, _size: int) -> None:
        token.cancelled = done >= 20

    with pytest.raises(Cancelled):
        export_file(build.workspace, "messages", tmp_path / "b.csv", progress=cancel, token=token)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.csv", "w"]


def test_a_file_that_exists_is_replaced_only_on_demand(build: HistoryBuilder, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("mine")
    with pytest.raises(EnvironmentProblem) as caught:
        export_file(build.workspace, "gaps", path)
    assert caught.value.problem.code == "file.exists"
    assert path.read_text() == "mine"
    assert export_file(build.workspace, "gaps", path, overwrite=True) == 0
    assert path.read_text() == "since,until,agent,cause,count\n"
    assert path.stat().st_mode & 0o600 == 0o600


def test_a_folder_that_does_not_exist_is_told(build: HistoryBuilder, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        export_file(build.workspace, "gaps", tmp_path / "no" / "out.csv")
    assert caught.value.problem.code == "file.unusable"


def test_a_disk_that_fills_up_leaves_no_file(build: HistoryBuilder) -> None:
    class Full(io.RawIOBase):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="space"):
        export(build.workspace, "gaps", Full())  # type: ignore[arg-type]


def test_nonsense_is_refused(build: HistoryBuilder) -> None:
    with pytest.raises(ValueError, match="dataset"):
        export(build.workspace, "secrets", io.BytesIO())
    with pytest.raises(ValueError, match="format"):
        export(build.workspace, "logs", io.BytesIO(), format="xml")
