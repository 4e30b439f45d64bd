"""What an agent speaks where only its log records tell. The records are what the libraries named write."""

from typing import Any

import pytest

from models.domain.conventions import LOG_LIBRARIES
from mqtt.reading.log_libraries import library_of, library_of_line
from tests.helpers.reading import Reading, recorded

AT = "2026-11-23T07:47:30.123Z"
WINSTON = {"level": "info", "message": "m", "service": "web", "timestamp": AT}
PINO = {"level": 30, "time": 1_795_420_050_005, "pid": 7, "hostname": "h", "msg": "m"}
STATUS = {"state": "online", "version": "1.2.0", "host": "box"}


@pytest.mark.parametrize(
    ("library", "record"),
    [
        ("winston", WINSTON), ("winston", {"level": "info", "message": {"agentId": "a"}, "service": "web"}),
        ("pino", PINO), ("pino", {"level": "info", "time": AT, "n": 1, "msg": "m"}), ("pino", {"level": 30, "time": 1, "pid": 7}),
        ("bunyan", {"name": "app", "hostname": "h", "pid": 1, "level": 30, "msg": "m", "time": AT, "v": 0}),
        ("log4js", {"startTime": AT, "categoryName": "c", "data": ["m"], "level": {"level": 20000, "levelStr": "INFO"}}),
        ("roarr", {"context": {"logLevel": 30}, "message": "m", "sequence": "0", "time": 1, "version": "2.0.0"}),
        ("consola", {"date": AT, "args": ["m"], "type": "info", "level": 3, "tag": ""}), ("tslog", {"0": "m", "_logMeta": {"date": AT}}),
        ("python-logging", {"asctime": "2026-11-23 07:47:30,000", "levelname": "INFO", "name": "n", "message": "m"}),
        ("structlog", {"user": "a", "event": "m", "level": "info", "timestamp": AT}),
        ("loguru", {"text": "m\n", "record": {"level": {"name": "INFO"}}}),
        ("ecs", {"@timestamp": AT, "log.level": "info", "message": "m", "ecs.version": "1.6.0"}),
        ("ecs", {"@timestamp": AT, "log": {"level": "info"}, "ecs": {"version": "1.6.0"}, "message": "m"}),
        ("gelf", {"version": "1.1", "host": "h", "short_message": "m", "level": 6}),
        ("serilog", {"@t": AT, "@mt": "m"}), ("serilog", {"Timestamp": AT, "Level": "Information", "MessageTemplate": "m"}),
        ("logstash", {"@timestamp": AT, "@version": "1", "level": "INFO", "message": "m"}),
        ("log4j", {"instant": {"epochSecond": 1}, "level": "INFO", "loggerName": "c", "message": "m"}),
        ("logrus", {"level": "info", "msg": "m", "time": "2026-11-23T07:47:30Z"}),
        ("zap", {"level": "info", "ts": 1795420050.1, "caller": "a.go:3", "msg": "m"}),
        ("slog", {"time": AT, "level": "INFO", "msg": "m", "n": 1}),
        ("tracing", {"timestamp": AT, "level": "INFO", "fields": {"message": "m"}, "target": "t"}),
        ("journald", {"MESSAGE": "m", "PRIORITY": "6", "SYSLOG_IDENTIFIER": "cron"}),
        ("google-cloud", {"message": "m", "severity": "INFO", "logging.googleapis.com/labels": {}}),
        # nobody's for certain
        ("", {"level": "info", "message": "m"}), ("", {"message": "m", "level": "info", "timestamp": AT}),
        ("", {"level": "info", "ts": 1795420050, "message": "m"}), ("", {"level": "info", "time": 1, "message": "m"}),
        ("", {"level": 3, "msg": "m", "time": 1}), ("", {"level": 30, "msg": "m"}), ("", {"severity": "INFO", "message": "m"}),
        ("", {"level": "info", "msg": "m", "ts": 1}), ("", {"level": "high", "message": "m", "timestamp": AT}), ("", {}),
        ("", {"level": ["info"], "message": "m", "timestamp": AT}),
    ],
)  # fmt: skip
def test_objects(library: str, record: dict[str, Any]) -> None:
    assert library_of(record) == library
    assert library in LOG_LIBRARIES | {""}


@pytest.mark.parametrize(
    ("library", "line"),
    [
        ("python-logging", "2026-11-23 07:47:30,123 INFO app.net: m"), ("python-logging", "WARNING:app.net:m"),
        ("python-logging", "[2026-11-23 07:47:30,123] [ERROR] [app] m\nTraceback (most recent call last):"),
        ("loguru", "2026-11-23 07:47:30.123 | INFO     | __main__:<module>:73 - m"),
        ("", "2026-11-23 07:47:30 INFO m"), ("", "INFO: m"), ("", "[INFO] m"), ("", ""),
    ],
)  # fmt: skip
def test_lines(library: str, line: str) -> None:
    assert library_of_line(line) == library


def told(reading: Reading, *messages: tuple[str, object]) -> list[tuple[str, str]]:
    batch = reading.read(*(reading.message(topic, payload) for topic, payload in messages))
    return [(reading.names.agents[one.agent], one.convention) for one in batch.declarations]


def test_an_agent_speaks_what_its_log_records_show_and_says_so_once() -> None:
    reading = Reading()
    assert told(reading, ("crawler-1/status", STATUS), ("crawler-1/log", WINSTON), ("crawler-1/log", WINSTON)) == [
        ("crawler-1", "winston")
    ]
    assert told(reading, ("crawler-1/log", WINSTON), ("crawler-1/log", PINO)) == []
    assert told(reading, ("agents/a/log", PINO), ("agents/b/tail/x.log", WINSTON), ("agents/c/log", "INFO:app:m")) == [
        ("a", "pino"), ("b", "winston"), ("c", "python-logging"),
    ]  # fmt: skip


def test_one_record_of_a_certain_shape_is_enough() -> None:
    reading = Reading()
    plain = ("crawler-1/log", {"level": "info", "message": "m"})
    assert told(reading, plain, plain) == []
    assert told(reading, plain, ("crawler-1/log", WINSTON)) == [("crawler-1", "winston")]
    assert told(reading, *[("crawler-2/log", "it went well")] * 60, ("crawler-2/log", WINSTON)) == []


def test_who_mainly_publishes_figures_is_home_made() -> None:
    reading = Reading()
    log, figures = ("crawler-1/log", WINSTON), ("crawler-1/metrics", {"cpu": 5})
    assert told(reading, figures, figures, log) == []
    assert told(reading, log) == [("crawler-1", "winston")]
    assert told(reading, figures, figures) == []  # as many as twice the records
    assert told(reading, figures) == [("crawler-1", "")]
    assert told(reading, figures) == []


def test_who_declares_itself_speaks_that() -> None:
    reading = Reading()
    status = ("agents/a/status", {"state": "online", "name": "A"})
    assert told(reading, status, ("agents/a/log", WINSTON)) == [("a", "murmurscope")]
    assert told(reading, ("agents/b/log", WINSTON)) == [("b", "winston")]
    assert told(reading, ("agents/b/status", {"state": "online", "name": "B"}), ("agents/b/log", WINSTON)) == [
        ("b", "murmurscope")
    ]


@pytest.mark.parametrize(
    ("name", "speaks"), [("winston-json-logs", {"winston"}), ("synthetic-zigbee2mqtt-2", {"zigbee2mqtt"})]
)
def test_recordings(name: str, speaks: set[str]) -> None:
    batch = Reading().read(*recorded(name))
    assert {one.convention for one in batch.declarations} == speaks
