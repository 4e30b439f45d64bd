"""Our own topics, as the contract words them."""

import json
import logging

import pytest

from models.domain.messages import Kind, Origin
from models.domain.names import SeriesKind
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import GapCause, Level, Outcome, TaskState
from tests.helpers.reading import ARRIVAL_US, Reading

S = 1_000_000
TS = ARRIVAL_US / S - 0.5


def numbered(seq: int, boot: str = "b1", **more: object) -> dict[str, object]:
    return {"ts": TS, "boot": boot, "seq": seq, "metrics": {"x": seq}, **more}


class TestMetrics:
    def test_names_units_and_kinds(self) -> None:
        reading = Reading()
        metrics = {"process.cpu.utilization": 0.25, "process.memory.usage": 1048576, "agent.request.duration": 0.02,
                   "agent.connection.attempts": 3, "queue_ms": 4}  # fmt: skip
        batch = reading.send("agents/a-1/metrics", {"ts": TS, "boot": "b", "seq": 0, "metrics": metrics})
        at = round(TS * S)
        assert reading.points == [
            ("a-1", "process.cpu.utilization", "1", at, 0.25),
            ("a-1", "process.memory.usage", "By", at, 1048576.0),
            ("a-1", "agent.request.duration", "s", at, 0.02),
            ("a-1", "agent.connection.attempts", "{connection}", at, 3.0),
            ("a-1", "queue_ms", "s", at, 0.004),
        ]
        assert batch.kind == [Kind.METRICS]
        assert reading.names.agents[batch.agent[0]] == "a-1"
        kinds = {key.metric: (key.kind, key.source) for key in reading.names.series[1:]}
        assert kinds["agent.connection.attempts"] == (SeriesKind.COUNTER, "murmurscope")
        assert kinds["queue_ms"] == (SeriesKind.GAUGE, "murmurscope")

    def test_numbers_at_top_level_and_nested(self) -> None:
        reading = Reading()
        reading.send("agents/a/metrics", {"ts": TS, "boot": "b", "seq": 0, "cpu": 12.5, "net": {"rx": {"bytes": 7}}})
        assert [(p.metric, p.unit, p.value) for p in reading.points] == [("cpu", "", 12.5), ("net.rx.bytes", "By", 7.0)]

    @pytest.mark.parametrize(
        "value", ["true", "false", "null", "NaN", "-Infinity", "1e999", '"5"', "[1, 2]", "{}", "9" * 400]
    )
    def test_what_is_no_number_is_no_point_and_harms_no_neighbour(self, value: str) -> None:
        reading = Reading()
        batch = reading.send("agents/a/metrics", f'{{"metrics": {{"bad": {value}, "good": 1}}}}')
        assert [(p.metric, p.value) for p in reading.points] == [("good", 1.0)]
        assert not batch.unreadable

    def test_large_integers_are_doubles(self) -> None:
        reading = Reading()
        reading.send("agents/a/metrics", {"metrics": {"n": 2**53 + 1, "m": 2**70}})
        assert [p.value for p in reading.points] == [float(2**53), float(2**70)]

    @pytest.mark.parametrize(
        ("ts", "time_us"),
        [
            (TS, round(TS * S)), (int(TS), int(TS) * S), ("2026-11-23T07:47:00Z", 1_795_420_020 * S),
            (None, ARRIVAL_US), (5, ARRIVAL_US), (True, ARRIVAL_US), (1e300, ARRIVAL_US), ([], ARRIVAL_US),
            (TS + 11 * 365 * 86_400, ARRIVAL_US), (-1, ARRIVAL_US),
        ],
    )  # fmt: skip
    def test_own_time_where_plausible_else_arrival(self, ts: object, time_us: int) -> None:
        reading = Reading()
        reading.send("agents/a/metrics", {"ts": ts, "metrics": {"x": 1}})
        assert [p.time_us for p in reading.points] == [time_us]

    def test_series_follow_when_names_change_and_come_back(self) -> None:
        reading = Reading()
        for metrics in ({"a": 1, "b": 2}, {"b": 3}, {"b": 4, "a": 5}, {"a": 6, "b": 7}):
            reading.send("agents/a/metrics", {"metrics": metrics})
        assert [(p.metric, p.value) for p in reading.points] == [
            ("a", 1), ("b", 2), ("b", 3), ("b", 4), ("a", 5), ("a", 6), ("b", 7),
        ]  # fmt: skip
        assert len(reading.names.series) == 3

    def test_two_thousand_series_an_agent_then_counted(self) -> None:
        reading = Reading()
        first = reading.send("agents/a/metrics", {"metrics": {f"m{i}": i for i in range(2001)}})
        assert len(first.sample_value) == 2000
        assert [one.reason for one in first.unreadable] == ["too-many-series"]
        assert not reading.send("agents/b/metrics", {"metrics": {"m0": 1}}).unreadable

    def test_a_name_too_long_is_no_series(self) -> None:
        reading = Reading()
        batch = reading.send("agents/a/metrics", {"metrics": {"x" * 201: 1, "": 2, "y": 3}})
        assert [p.metric for p in reading.points] == ["y"]
        assert len(batch.unreadable) == 1

    @pytest.mark.parametrize(
        ("payload", "reason"),
        [
            (b"", "empty"), (b"\x00\xff\x80", "binary"), (b"{", "json"), (b"[1]", "shape"), (b"5", "shape"),
            (b"[" * 100_000, "too-deep"), (b'{"a":' * 100_000, "too-deep"), (b"soon", "json"),
        ],
    )  # fmt: skip
    def test_unreadable_ones_are_counted_and_the_batch_goes_on(self, payload: bytes, reason: str) -> None:
        reading = Reading()
        good = reading.message("agents/a/metrics", {"metrics": {"x": 1}})
        batch = reading.read(good, reading.message("agents/a/metrics", payload), good)
        assert [(one.row, one.reason) for one in batch.unreadable] == [(1, reason)]
        assert batch.stamp_row == [0, 2]


class TestNumbering:
    def test_repeats_are_stored_and_derive_nothing(self) -> None:
        reading = Reading()
        batch = reading.read(*(reading.message("agents/a/metrics", numbered(i)) for i in (0, 1, 1, 0, 2)))
        assert batch.duplicate == [False, False, True, True, False]
        assert [p.value for p in reading.points] == [0, 1, 2]
        assert not batch.gaps

    def test_a_jump_is_a_gap_with_its_size(self) -> None:
        reading = Reading()
        reading.send("agents/a/metrics", numbered(0))
        reading.now_us += S
        batch = reading.send("agents/a/metrics", numbered(5))
        [gap] = batch.gaps
        assert (gap.cause, reading.names.agents[gap.agent], gap.missing) == (GapCause.SEQUENCE, "a", 4)
        assert (gap.since_us, gap.until_us) == (ARRIVAL_US, ARRIVAL_US + S)
        late = reading.send("agents/a/metrics", numbered(3))
        assert late.duplicate == [False]
        assert reading.send("agents/a/metrics", numbered(3)).duplicate == [True]
        assert not late.gaps

    def test_changing_places_within_a_batch_is_no_gap(self) -> None:
        reading = Reading()
        batch = reading.read(*(reading.message("agents/a/metrics", numbered(i)) for i in (0, 2, 1, 3)))
        assert not batch.gaps
        assert not any(batch.duplicate)

    def test_a_new_boot_starts_from_zero_and_the_old_one_is_remembered(self) -> None:
        reading = Reading()
        reading.read(*(reading.message("agents/a/metrics", numbered(i)) for i in range(3)))
        batch = reading.read(
            reading.message("agents/a/metrics", numbered(0, "b2")),
            reading.message("agents/a/metrics", numbered(2, "b1")),
            reading.message("agents/a/metrics", numbered(1, "b2")),
        )
        assert batch.duplicate == [False, True, False]
        assert not batch.gaps
        assert [gap.missing for gap in reading.send("agents/a/metrics", numbered(2, "b3")).gaps] == [2]

    def test_starting_to_listen_in_the_middle_is_no_gap(self) -> None:
        reading = Reading()
        batch = reading.read(*(reading.message("agents/a/metrics", numbered(i)) for i in (70, 69, 71)))
        assert not batch.gaps
        assert batch.duplicate == [False] * 3

    def test_topics_number_for_themselves_and_nothing_is_counted_without_boot(self) -> None:
        reading = Reading()
        log = {"boot": "b1", "seq": 0, "level": "info", "message": "m"}
        batch = reading.read(
            reading.message("agents/a/metrics", numbered(0)),
            reading.message("agents/a/log", log),
            reading.message("agents/a/log", log),
            *[reading.message("agents/b/metrics", {"seq": 0, "metrics": {"x": 1}})] * 2,
        )
        assert batch.duplicate == [False, False, True, False, False]
        assert len(batch.logs) == 1

    @pytest.mark.parametrize("seq", [-1, 1.5, "1", True, None, 2**80, [], float("1e30")])
    def test_odd_numbers_do_no_harm(self, seq: object) -> None:
        reading = Reading()
        reading.send("agents/a/metrics", numbered(0))
        batch = reading.send("agents/a/metrics", {"boot": "b1", "seq": seq, "metrics": {"x": 1}})
        assert batch.duplicate == [False]
        assert len(batch.sample_value) == 1
        assert not batch.gaps

    def test_a_numbering_that_starts_again_far_back_is_no_flood_of_repeats(self) -> None:
        reading = Reading()
        reading.send("agents/a/metrics", numbered(1_000_000))
        batch = reading.read(*(reading.message("agents/a/metrics", numbered(i)) for i in range(3)))
        assert batch.duplicate == [False] * 3


class TestStatus:
    def test_birth_with_declaration_only_when_it_changes(self) -> None:
        reading = Reading()
        told = {"state": "online", "name": "Crawler", "group": "web", "interval_s": 30, "capabilities": ["crawl", 5],
                "version": "1.2", "host": "box", "ts": TS, "boot": "b", "seq": 0}  # fmt: skip
        batch = reading.send("agents/a/status", told)
        [one] = batch.declarations
        assert one[2:] == ("murmurscope", "Crawler", "web", 30 * S, "box", "1.2", ("crawl",), False)
        [evidence] = batch.evidence
        assert evidence[2:] == (Presence.ONLINE, Condition.OK, Cause.STATUS, 2)
        assert batch.kind == [Kind.STATUS]
        assert not reading.send("agents/a/status", told | {"seq": 1}).declarations
        assert reading.send("agents/a/status", told | {"seq": 2, "group": "x"}).declarations[0].group == "x"

    @pytest.mark.parametrize(
        ("payload", "presence", "condition", "cause"),
        [
            ({"state": "offline"}, Presence.OFFLINE, Condition.OK, Cause.WILL),
            ({"state": "offline", "ts": TS}, Presence.OFFLINE, Condition.OK, Cause.STATUS),
            ({"state": "stopped", "ts": TS}, Presence.STOPPED, Condition.OK, Cause.GOODBYE),
            ({"state": "degraded", "ts": TS}, Presence.ONLINE, Condition.DEGRADED, Cause.STATUS),
            ({"state": "asleep"}, Presence.ONLINE, Condition.ASLEEP, Cause.STATUS),
            ({"state": "starting"}, Presence.ONLINE, Condition.STARTING, Cause.STATUS),
            ({"status": "busy", "task": "t"}, Presence.ONLINE, Condition.OK, Cause.STATUS),
            ("online", Presence.ONLINE, Condition.OK, Cause.STATUS),
            ("Offline\0", Presence.OFFLINE, Condition.OK, Cause.WILL),
            ('"stopped"', Presence.STOPPED, Condition.OK, Cause.GOODBYE),
            ("", Presence.OFFLINE, Condition.OK, Cause.STATUS),
        ],
    )
    def test_words(self, payload: object, presence: Presence, condition: Condition, cause: Cause) -> None:
        batch = Reading().send("agents/a/status", payload)
        assert [one[2:] for one in batch.evidence] == [(presence, condition, cause, 2)]
        assert not batch.unreadable

    def test_a_replay_declares_and_may_say_offline_but_never_online(self) -> None:
        reading = Reading()
        batch = reading.send("agents/a/status", {"state": "online", "interval_s": 5}, Origin.REPLAY)
        assert batch.declarations[0].interval_us == 5 * S
        assert not batch.evidence
        [one] = reading.send("agents/b/status", {"state": "offline"}, Origin.REPLAY).evidence
        assert (one.presence, one.cause) == (Presence.OFFLINE, Cause.REPLAYED)
        [one] = reading.send("agents/b/status", {"state": "stopped"}, Origin.REPLAY).evidence
        assert (one.presence, one.cause) == (Presence.STOPPED, Cause.REPLAYED)

    @pytest.mark.parametrize("interval", [0, -1, True, "30", float("inf"), 1e12, None])
    def test_odd_intervals_are_none(self, interval: object) -> None:
        batch = Reading().send("agents/a/status", {"state": "online", "name": "x", "interval_s": interval})
        assert batch.declarations[0].interval_us is None

    @pytest.mark.parametrize("payload", [{"state": "purple"}, {"x": 1}, "purple", "true"])
    def test_unknown_words_are_counted(self, payload: object) -> None:
        batch = Reading().send("agents/a/status", payload)
        assert [one.reason for one in batch.unreadable] == ["shape"]
        assert not batch.evidence


class TestReplays:
    @pytest.mark.parametrize(
        ("topic", "payload"),
        [
            ("agents/a/metrics", {"metrics": {"x": 1}}),
            ("agents/a/log", {"level": "info", "message": "m"}),
            ("agents/a/task", {"task": "t", "state": "working"}),
            ("agents/a/connection", {"outcome": "ok"}),
            ("agents/a/inbox/b", {"type": "event", "body": 1}),
            ("agents/a/tail/app.log", "INFO x"),
            ("lab/crawler-1/metrics", {"x": 1}),
            ("lab/crawler-1/temp", "21.5"),
            ("lab/crawler-1/log", "INFO x"),
        ],
    )
    def test_make_no_history(self, topic: str, payload: object) -> None:
        reading = Reading()
        batch = reading.send(topic, payload, Origin.REPLAY)
        history = (batch.sample_value, batch.logs, batch.tasks, batch.attempts, batch.interactions, batch.unreadable)
        assert not any(history)
        assert any((live := reading.send(topic, payload)) and (
            live.sample_value or live.logs or live.tasks or live.attempts or live.interactions
        ))  # fmt: skip


class TestWork:
    def test_log(self) -> None:
        body = {"ts": TS, "boot": "b", "seq": 0, "level": "WARNING", "message": "slow", "logger": "net", "error": "E: x",
                "stack": "at y", "tries": 3, "where": {"b": 1, "a": [2]}}  # fmt: skip
        [one] = Reading().send("agents/a/log", body).logs
        assert one[1:2] + one[3:] == (
            round(TS * S), Level.WARN, "net", "slow", "E: x", "at y", '{"tries":3,"where":{"a":[2],"b":1}}',
        )  # fmt: skip

    def test_log_without_level_is_info_and_text_is_a_line(self) -> None:
        reading = Reading()
        assert reading.send("agents/a/log", {"message": "m"}).logs[0].level is Level.INFO
        one = reading.send("agents/a/log", "routing key with slashes").logs[0]
        assert (one.level, one.text) == (Level.INFO, "routing key with slashes")

    def test_task(self) -> None:
        body = {"ts": TS, "task": "t1", "type": "sum", "state": "input-required", "parent": "t0", "requester": "boss",
                "attempt": 2, "progress": 0.5, "result": {"b": 1, "a": 2}, "error": None}  # fmt: skip
        [one] = Reading().send("agents/a/task", body).tasks
        assert one[1:2] + one[3:] == (
            round(TS * S), "t1", "sum", TaskState.INPUT_REQUIRED, "t0", "boss", 2, 0.5, '{"a":2,"b":1}', None,
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("word", "state"),
        [("TASK_STATE_WORKING", TaskState.WORKING), ("in_progress", TaskState.WORKING), ("done", TaskState.COMPLETED),
         ("cancelled", TaskState.CANCELED), ("error", TaskState.FAILED), ("odd", TaskState.UNKNOWN), (5, TaskState.UNKNOWN)],
    )  # fmt: skip
    def test_task_words(self, word: object, state: TaskState) -> None:
        assert Reading().send("agents/a/task", {"task": 7, "state": word}).tasks[0][3:6] == ("7", None, state)

    def test_connection(self) -> None:
        reading = Reading()
        body = {"ts": TS, "target": "db", "outcome": "refused", "error": "no", "duration_s": 0.25}
        [one] = reading.send("agents/a/connection", body).attempts
        assert one[1:2] + one[3:] == (round(TS * S), Outcome.REFUSED, "no", 250_000, "db")
        assert reading.send("agents/a/connection", {"error": "x"}).attempts[0].outcome is Outcome.ERROR
        assert reading.send("agents/a/connection", {"target": "x"}).unreadable[0].reason == "shape"

    def test_tail_names_the_agent_by_key_else_by_topic(self) -> None:
        reading = Reading()
        line = {"level": "error", "message": {"agentId": "w-9", "timestamp": "2026-11-23T07:47:30Z",
                "data": {"code": 7, "a": "ü"}}}  # fmt: skip
        batch = reading.send("agents/box/tail/app/out.log", json.dumps(line))
        [one] = batch.logs
        assert reading.names.agents[one.agent] == "w-9"
        assert batch.agent == [one.agent]
        assert (one.time_us, one.level, one.text, one.attributes) == (
            1_795_420_050 * S, Level.ERROR, '{"a":"ü","code":7}', '{"a":"ü","code":7}',
        )  # fmt: skip
        [one] = reading.send("agents/box/tail/app.log", "2026-11-23 07:47:36,459 ERROR plain: step failed").logs
        assert (reading.names.agents[one.agent], one.level, one.logger, one.text) == (
            "box", Level.ERROR, "plain", "step failed",
        )  # fmt: skip
        [one] = reading.send("agents/box/tail/app.log", '{"level": "info", "mess').logs
        assert (one.text, one.logger) == ('{"level": "info", "mess', "app.log")

    def test_other_topics_below_the_prefix_belong_to_their_agent(self) -> None:
        reading = Reading()
        reading.send("agents/io-5/sensor/temp1", "1.00")
        reading.send("agents/io-5/extra", {"agent": "other", "depth": 3})
        assert [(p.agent, p.metric, p.value) for p in reading.points] == [
            ("io-5", "temp1", 1.0),
            ("io-5", "extra.depth", 3),
        ]

    def test_another_prefix(self) -> None:
        reading = Reading("acme/bots")
        reading.send("acme/bots/a/metrics", {"metrics": {"x": 1}})
        assert reading.names.series[1].source == "murmurscope"


def test_a_mistake_of_ours_is_counted_logged_once_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("mqtt.reading.contract.read_status_word", broken)
    reading = Reading()
    with caplog.at_level(logging.ERROR):
        batch = reading.read(
            reading.message("agents/a/status", "online"),
            reading.message("agents/a/status", "online"),
            reading.message("agents/a/metrics", {"metrics": {"x": 1}}),
        )
    assert [one.reason for one in batch.unreadable] == ["bug", "bug"]
    assert batch.sample_value == [1.0]
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info is not None


class TestWhoGivesTasks:
    """It has no status: what it is called stands in what it says."""

    TASK = {"type": "task", "from_name": "Murmurscope", "body": {"task": "t", "type": "sum"}}

    def test_its_name_is_told_once_wherever_it_says_it(self) -> None:
        reading = Reading()
        batch = reading.send("agents/a/inbox/m-5", self.TASK)
        [declared] = batch.declarations
        named = reading.names.agents[declared.agent], declared.convention, declared.name, declared.capabilities
        assert named == ("m-5", "murmurscope", "Murmurscope", None)
        assert reading.send("agents/a/inbox/m-5", self.TASK).declarations == []
        assert reading.send("agents/b/inbox/m-5", self.TASK).declarations == []
        [declared] = reading.send("agents/b/inbox/m-5", {**self.TASK, "from_name": "M"}).declarations
        assert declared.name == "M"

    def test_who_does_not_say_it_keeps_what_it_has(self) -> None:
        assert Reading().send("agents/a/inbox/m-5", {**self.TASK, "from_name": None}).declarations == []
