"""One table of keys for the log records of many libraries."""

import pytest

from models.domain.records import Level
from mqtt.reading.log_levels import level_of
from mqtt.reading.log_lines import read_line
from mqtt.reading.log_shapes import read_log
from tests.helpers.reading import ARRIVAL_US

AT = "2026-11-23T07:47:30Z"
AT_US = 1_795_420_050_000_000
TRACE = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nValueError: bad input: 42'


@pytest.mark.parametrize(
    ("record", "level", "logger", "text", "error", "attributes"),
    [
        ({"level": "info", "message": "m", "service": "web", "timestamp": AT, "ms": 2}, Level.INFO, "web", "m", None, '{"ms":2}'),
        ({"level": 50, "time": AT_US // 1000, "pid": 7, "hostname": "h", "msg": "m", "err": {"type": "E", "message": "x", "stack": "E: x\n at y"}},
         Level.ERROR, None, "m", "E: x", '{"hostname":"h","pid":7}'),
        ({"name": "app", "hostname": "h", "pid": 1, "level": 30, "msg": "m", "time": AT, "v": 0},
         Level.INFO, "app", "m", None, '{"hostname":"h","pid":1}'),
        ({"event": "m", "level": "warning", "timestamp": AT, "logger": "l", "step": 0}, Level.WARN, "l", "m", None, '{"step":0}'),
        ({"asctime": "2026-11-23 07:47:30,000", "levelname": "CRITICAL", "name": "n", "message": "m"},
         Level.FATAL, "n", "m", None, None),
        ({"@timestamp": AT, "log.level": "error", "message": "m", "log": {"logger": "l"}, "error": {"message": "x", "type": "E"}},
         Level.ERROR, "l", "m", "E: x", None),
        ({"@timestamp": AT, "log": {"level": "debug", "logger": "l"}, "message": "m"}, Level.DEBUG, "l", "m", None, None),
        ({"version": "1.1", "short_message": "m", "timestamp": AT_US / 1e6, "level": 3, "host": "h", "_line": 3},
         Level.ERROR, None, "m", None, '{"host":"h","line":3}'),
        ({"level": "INFO", "ts": AT_US / 1e6, "msg": "m", "logger": "l", "n": None}, Level.INFO, "l", "m", None, None),
        ({"timestamp": AT, "level": "INFO", "fields": {"message": "m"}, "target": "t"}, Level.INFO, "t", "m", None, None),
        ({"@t": AT, "@l": "Warning", "@mt": "m", "SourceContext": "c"}, Level.WARN, "c", "m", None, None),
        ({"@t": AT, "@mt": "m"}, Level.INFO, None, "m", None, None),
        ({"level": "verbose", "message": "m", "time": AT}, Level.DEBUG, None, "m", None, '{"level":"verbose"}'),
    ],
)  # fmt: skip
def test_shapes(
    record: dict[str, object], level: Level, logger: str | None, text: str, error: str | None, attributes: str | None
) -> None:
    found = read_log(record, ARRIVAL_US)
    assert found is not None
    assert found[:5] == (level, AT_US, logger, text, error)
    assert found.attributes == attributes


@pytest.mark.parametrize(
    "record", [{"level": 73.2, "message": "tank"}, {"level": "high", "message": "m"}, {"level": "info"}, {"message": "m"},
               {"level": "info", "cpu": 5}, {"level": 500, "msg": "m"}, {"level": True, "msg": "m"}, {"level": None, "msg": "m"}]
)  # fmt: skip
def test_what_is_no_log_record(record: dict[str, object]) -> None:
    assert read_log(record, ARRIVAL_US) is None


@pytest.mark.parametrize("key", ["stack", "exc_info", "exception", "stacktrace", "full_message", "@x"])
def test_a_traceback_is_the_stack_and_its_last_line_the_error(key: str) -> None:
    found = read_log({"level": "error", "message": "m", key: TRACE}, ARRIVAL_US)
    assert found is not None
    assert (found.stack, found.error) == (TRACE, "ValueError: bad input: 42")


@pytest.mark.parametrize(
    ("value", "keys", "level"),
    [
        (30, {"msg": 1, "time": 1}, Level.INFO), (30, {"levelno": 30}, Level.WARN), (50, {"levelname": "x"}, Level.FATAL),
        (30, {}, Level.INFO), (35, {}, Level.INFO), (60, {}, Level.FATAL), (10, {}, Level.TRACE), (10, {"levelno": 10}, Level.DEBUG),
        (3, {"short_message": ""}, Level.ERROR), (7, {"version": "1.1"}, Level.DEBUG), (0, {"version": "1.1"}, Level.FATAL),
        (9, {"severityNumber": 9}, Level.INFO), (24, {"severityNumber": 24}, Level.FATAL), (25, {"severityNumber": 25}, None),
        ("30", {}, Level.INFO), ("silly", {}, Level.TRACE), ("NOTICE", {}, Level.INFO), ("emerg", {}, Level.FATAL),
        (8, {}, None), (-1, {}, None), (10**30, {}, None), ([], {}, None),
    ],
)  # fmt: skip
def test_levels(value: object, keys: dict[str, object], level: Level | None) -> None:
    assert level_of(value, keys) is level


def test_a_python_line_with_its_traceback() -> None:
    found = read_line(f"2026-11-23 07:47:30,000 ERROR app.net: step failed\n{TRACE}", ARRIVAL_US, certain=False)
    assert found is not None
    assert found[:6] == (Level.ERROR, AT_US, "app.net", "step failed", "ValueError: bad input: 42", TRACE)


@pytest.mark.parametrize(
    "text", ["no errors found", "the INFO desk is closed", "2026-11-23 07:47:30 done", "Errors: none"]
)
def test_prose_is_no_log_line(text: str) -> None:
    assert read_line(text, ARRIVAL_US, certain=False) is None


@pytest.mark.parametrize(
    ("record", "level", "logger", "text", "error", "attributes"),
    [
        ({"text": "…", "record": {"level": {"name": "SUCCESS", "no": 25}, "message": "m", "name": "n", "time": {"timestamp": AT_US / 1e6},
          "extra": {"id": 3}, "function": "f", "line": 7, "exception": None}},
         Level.INFO, "n", "m", None, '{"function":"f","id":3,"level":"SUCCESS","line":7}'),
        ({"startTime": AT, "categoryName": "c", "data": ["%d of %s", 3, "x", {"a": 1}], "level": {"level": 30000, "levelStr": "WARN"},
          "context": {"user": "u"}, "pid": 7}, Level.WARN, "c", '3 of x {"a":1}', None, '{"pid":7,"user":"u"}'),
        ({"date": AT, "args": ["m", 5], "type": "fail", "level": 0, "tag": "t"}, Level.ERROR, "t", "m 5", None, '{"level":"fail"}'),
        ({"date": AT, "args": ["m"], "type": "start", "level": 3, "tag": ""}, Level.INFO, None, "m", None, None),
        ({"0": "m", "1": {"hops": 3}, "_meta": {"logLevelName": "INFO", "date": AT, "name": "n"}}, Level.INFO, "n", "m", None, '{"hops":3}'),
        ({"@fields": {"level": "warn", "a": 1}, "@message": "m", "@timestamp": AT}, Level.WARN, None, "m", None, '{"a":1}'),
        ({"timestamp": AT, "level": "INFO", "fields": {"message": "m", "n": 5}, "target": "app::net", "span": {"name": "s"}},
         Level.INFO, "app::net", "m", None, '{"n":5,"span":{"name":"s"}}'),
        ({"instant": {"epochSecond": AT_US // 10**6, "nanoOfSecond": 0}, "thread": "main", "level": "ERROR", "loggerName": "c.e.A",
          "message": "m", "endOfBatch": False, "loggerFqcn": "x", "threadId": 1, "threadPriority": 5,
          "thrown": {"name": "java.lang.E", "message": "x"}}, Level.ERROR, "c.e.A", "m", "java.lang.E: x", '{"thread":"main"}'),
        ({"Timestamp": AT, "Level": "Warning", "MessageTemplate": "{Id} of {Who:l}", "Properties": {"Id": 3, "Who": "x", "SourceContext": "c"}},
         Level.WARN, "c", "3 of x", None, '{"Id":3,"Who":"x"}'),
        ({"@t": AT, "@mt": "{Id} of {None}", "Id": 3}, Level.INFO, None, "3 of {None}", None, '{"Id":3}'),
        ({"EventId": 0, "LogLevel": "Error", "Category": "A.B", "Message": "m", "Timestamp": AT,
          "State": {"Message": "m", "{OriginalFormat}": "m", "n": 1}}, Level.ERROR, "A.B", "m", None, '{"EventId":0,"n":1}'),
        ({"context": {"logLevel": 40, "namespace": "db", "ms": 3}, "message": "m", "sequence": "0", "time": AT_US // 1000, "version": "2.0.0"},
         Level.WARN, "db", "m", None, '{"ms":3}'),
        ({"event": "m", "level": "error", "timestamp": AT, "exception": [{"exc_type": "E", "exc_value": "x", "frames": []}]},
         Level.ERROR, None, "m", "E: x", None),
        ({"@timestamp": AT, "log.level": "info", "message": "m", "ecs.version": "1", "level": "info", "timestamp": AT},
         Level.INFO, None, "m", None, '{"ecs.version":"1"}'),
        ({"severity": "WARNING", "message": "m", "time": AT, "serviceContext": {"service": "s"}},
         Level.WARN, None, "m", None, '{"serviceContext":{"service":"s"}}'),
        ({"level": "info", "ts": AT_US / 1e6, "caller": "a.go:3", "msg": "m", "stacktrace": "main.main\n\ta.go:3"},
         Level.INFO, None, "m", "main.main", '{"caller":"a.go:3"}'),
    ],
)  # fmt: skip
def test_records_laid_out_otherwise(
    record: dict[str, object], level: Level, logger: str | None, text: str, error: str | None, attributes: str | None
) -> None:
    found = read_log(record, ARRIVAL_US)
    assert found is not None
    assert found[:5] == (level, AT_US, logger, text, error)
    assert found.attributes == attributes


@pytest.mark.parametrize(
    "record",
    [
        {"text": "m", "record": {"level": 3}}, {"args": ["a"], "type": "info"}, {"fields": {"message": "m"}, "n": 1},
        {"context": {"message": "m"}, "x": 1}, {"LogLevel": 3, "Message": "m"}, {"loggerName": "a", "level": 3},
        {"categoryName": "a", "data": [1]}, {"_meta": {"a": 1}, "n": 2}, {"record": 5, "args": 3, "@fields": 1, "MessageTemplate": 5},
    ],
)  # fmt: skip
def test_keys_like_those_of_records(record: dict[str, object]) -> None:
    found = read_log(record, ARRIVAL_US)
    assert found is None or "MessageTemplate" in record


def test_what_was_raised_may_stand_in_the_message() -> None:
    found = read_log({"severity": "ERROR", "message": f"m\n{TRACE}"}, ARRIVAL_US)
    assert found is not None
    assert (found.text, found.stack, found.error) == ("m", TRACE, "ValueError: bad input: 42")
