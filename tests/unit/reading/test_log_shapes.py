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
