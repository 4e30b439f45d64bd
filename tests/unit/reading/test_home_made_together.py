"""As `test_home_made_more`: payloads that tell of several at once, and records that shippers of logs send."""

import pytest

from tests.helpers.home_made import Case
from tests.helpers.reading import ARRIVAL_US

S = ARRIVAL_US / 1_000_000

CASES = {
    "node-red msg": Case(
        [("flows/kitchen", {"payload": 21.5, "topic": "kitchen", "_msgid": "a1b2"})],
        {("kitchen", "payload")},
    ),
    "home weather array": Case(
        [
            (
                "weather/station-1/readings",
                {
                    "readings": [
                        {"name": "temp", "value": 21.5, "unit": "C"},
                        {"name": "wind", "value": 3.5, "unit": "m/s"},
                    ]
                },
            )
        ],
        {("station-1", "temp"), ("station-1", "wind")},
    ),
    "influx-like json": Case(
        [
            (
                "metrics/host-3",
                {"measurement": "cpu", "tags": {"host": "host-3"}, "fields": {"usage": 12.5}, "time": int(S)},
            )
        ],
        {("host-3", "fields.usage")},
    ),
    "prom-like": Case(
        [("metrics", {"name": "http_requests_total", "labels": {"service": "api"}, "value": 120})],
        {("metrics", "http_requests_total")},
    ),
    "ack": Case([("robot-1/cmd", {"cmd": "go"}), ("robot-1/ack", {"cmd": "go", "ok": True})], set(), agents=set()),
    "mcu json w/ string numbers": Case(
        [("node/esp-1", {"temp": "21.50", "hum": "40.00", "ver": "1.2.3"})],
        {("esp-1", "temp"), ("esp-1", "hum")},
    ),
    "alert": Case(
        [("alerts/disk", {"severity": "critical", "message": "disk full on box-1", "host": "box-1", "value": 95.5})],
        set(),
        agents={"box-1"},
        logs=1,
    ),
    "single level": Case([("temperature", "21.5")], {("temperature", "value")}),
    "plain one level json": Case([("esp-kitchen", {"t": 21.5})], {("esp-kitchen", "t")}),
    "log w/ host topic": Case(
        [
            ("syslog/web-1", "<34>1 2026-11-23T07:47:30Z web-1 sshd 71 - - Failed password"),
            ("syslog/web-1", "<30>Nov 23 07:47:30 web-1 cron[12]: job done"),
        ],
        set(),
        agents={"web-1"},
        logs=2,
    ),
    "python dict text": Case([("x/y-1/data", "{'a': 1}")], set(), agents=set(), unread=("json",)),
    "nested status": Case(
        [("fleet/r-1/state", {"state": {"mode": "auto", "battery": {"percent": 80}}, "online": True})],
        {("r-1", "state.battery.percent")},
    ),
    "status enum ints": Case([("fleet/r-1/status", {"code": 3, "text": "ok"})], {("r-1", "code")}),
    "uptime iso": Case([("fleet/r-1/boot", "2026-11-23T07:00:00Z")], set(), agents=set()),
    "empty obj": Case([("fleet/r-1/data", {})], set(), agents=set()),
    "empty list": Case([("fleet/r-1/data", [])], set(), agents=set(), unread=("shape",)),
    "matrix": Case([("fleet/r-1/data", {"m": [[1, 2], [3, 4]], "n": 3})], {("r-1", "n")}),
    "numbered keys": Case([("fleet/r-1/cells", {"1": 3.71, "2": 3.72})], {("r-1", "cells.1"), ("r-1", "cells.2")}),
    "agent list": Case(
        [("fleet/overview", {"agents": [{"id": "a", "cpu": 5}, {"id": "b", "cpu": 6}]})],
        {("a", "cpu"), ("b", "cpu")},
    ),
    "agent map": Case(
        [("fleet/overview", {"a-1": {"cpu": 5}, "a-2": {"cpu": 6}})],
        {("overview", "a-1.cpu"), ("overview", "a-2.cpu")},
    ),
    "devices list": Case(
        [("gateway/devices", {"devices": [{"device_id": "d-1", "rssi": -60}, {"device_id": "d-2", "rssi": -70}]})],
        {("d-1", "rssi"), ("d-2", "rssi")},
    ),
    "exception only": Case([("svc/x-1/errors", {"error": "timeout", "code": 504})], {("x-1", "errors.code")}),
    "error log without level": Case(
        [("svc/x-1/log", {"error": "timeout", "url": "/a"})], set(), agents={"x-1"}, logs=1
    ),
    "event with msg": Case([("svc/x-1/events", {"msg": "started", "ts": S})], set(), agents=set()),
    "message no level on log": Case([("svc/x-1/log", {"msg": "started", "ts": S})], set(), agents={"x-1"}, logs=1),
    "json string on log": Case([("svc/x-1/log", '"started"')], set(), agents={"x-1"}, logs=1),
    "number on log": Case([("svc/x-1/log", "5")], {("x-1", "log")}),
    "level topic shared": Case(
        [("log/info", {"message": "a", "service": "s-1"}), ("log/error", {"message": "b", "service": "s-2"})],
        set(),
        agents={"s-1", "s-2"},
        logs=2,
    ),
    "rsyslog json": Case(
        [
            (
                "syslog",
                {
                    "timestamp": "2026-11-23T07:47:30Z",
                    "host": "web-1",
                    "severity": "err",
                    "facility": "auth",
                    "syslogtag": "sshd[1]:",
                    "message": "no",
                },
            )
        ],
        set(),
        agents={"web-1"},
        logs=1,
    ),
    "journald": Case(
        [
            (
                "journal/web-1",
                {
                    "MESSAGE": "started",
                    "PRIORITY": "6",
                    "_HOSTNAME": "web-1",
                    "SYSLOG_IDENTIFIER": "cron",
                    "__REALTIME_TIMESTAMP": "1795420050005000",
                },
            )
        ],
        set(),
        agents={"web-1"},
        logs=1,
    ),
    "docker logs": Case(
        [("docker/api-1/log", {"log": "started\n", "stream": "stdout", "time": "2026-11-23T07:47:30Z"})],
        set(),
        agents={"api-1"},
        logs=1,
    ),
    "fluentbit": Case(
        [("fluent/web-1/logs", [{"date": S, "log": "GET / 200"}, {"date": S, "log": "GET /x 404"}])],
        set(),
        agents={"web-1"},
        logs=2,
    ),
    "vector": Case(
        [("logs", {"message": "m", "host": "web-1", "source_type": "file", "timestamp": "2026-11-23T07:47:30Z"})],
        set(),
        agents={"web-1"},
        logs=1,
    ),
    "rust tracing flat": Case(
        [
            (
                "svc/x-1/log",
                {"timestamp": "2026-11-23T07:47:30Z", "level": "INFO", "message": "m", "target": "a::b", "n": 1},
            )
        ],
        set(),
        agents={"x-1"},
        logs=1,
    ),
    "monolog": Case(
        [
            (
                "php/shop/log",
                {
                    "message": "m",
                    "context": {"id": 5},
                    "level": 400,
                    "level_name": "ERROR",
                    "channel": "app",
                    "datetime": "2026-11-23T07:47:30+00:00",
                    "extra": {},
                },
            )
        ],
        set(),
        agents={"shop"},
        logs=1,
    ),
    "rails lograge": Case(
        [
            (
                "rails/shop/log",
                {
                    "method": "GET",
                    "path": "/",
                    "status": 200,
                    "duration": 12.5,
                    "level": "INFO",
                    "message": "[200] GET /",
                },
            )
        ],
        set(),
        agents={"shop"},
        logs=1,
    ),
    "nlog json": Case(
        [("net/shop/log", {"time": "2026-11-23 07:47:30.0000", "level": "Info", "logger": "A.B", "message": "m"})],
        set(),
        agents={"shop"},
        logs=1,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_exactly_what_it_holds(name: str) -> None:
    CASES[name].check()
