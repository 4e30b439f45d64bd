"""Log records as lines of text, as libraries write them: level, logger, message, and what was raised."""

import pytest

from models.domain.records import Level
from mqtt.reading.log_lines import read_line
from tests.helpers.reading import ARRIVAL_US, Reading

AT_US = 1_795_420_050_000_000
PYTHON = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nZeroDivisionError: division by zero'
NODE = "TypeError: x is not a function\n    at main (/srv/a.js:1:2)\n    at node:internal/main:1:1"


@pytest.mark.parametrize(
    ("text", "level", "logger", "message"),
    [
        # Python
        ("WARNING:app.net:slow", Level.WARN, "app.net", "slow"), ("INFO:root:a: b", Level.INFO, "root", "a: b"),
        ("2026-11-23 07:47:30,000 - app.net - ERROR - lost", Level.ERROR, "app.net", "lost"),
        ("[2026-11-23 07:47:30,000] [DEBUG] [app.net] tried", Level.DEBUG, "app.net", "tried"),
        ("2026-11-23 07:47:30,000 | INFO | app | done", Level.INFO, "app", "done"),
        ("2026-11-23 07:47:30,000 INFO     app: done", Level.INFO, "app", "done"),
        ("INFO 2026-11-23 07:47:30,000 views 71 1403 GET /", Level.INFO, None, "views 71 1403 GET /"),
        ("2026-11-23 07:47:30,000,120 WARNING MainThread a.py:3 slow", Level.WARN, None, "MainThread a.py:3 slow"),
        ("2026-11-23 07:47:30.000 | SUCCESS  | __main__:<module>:7 - stored", Level.INFO, "__main__", "stored"),
        ("2026-11-23 07:47:30 [warning  ] slow                 ms=3", Level.WARN, None, "slow                 ms=3"),
        # Java, Go, Rust
        ("2026-11-23 07:47:30.000  INFO 71 --- [main] c.e.App  : Started", Level.INFO, "c.e.App", "Started"),
        ("2026-11-23 07:47:30.000 [main] ERROR c.e.Store - gone", Level.ERROR, "c.e.Store", "gone"),
        ("2026/11/23 07:47:30 listening on :80", Level.INFO, None, "listening on :80"),
        ("[2026-11-23T07:47:30Z WARN  app::net] slow", Level.WARN, "app::net", "slow"),
        ("[2026-11-23T07:47:30.000] [WARN] app.core - slow", Level.WARN, "app.core", "slow"),
        ("2026-11-23 07:47:30.000 +00:00 [ERR] gone", Level.ERROR, None, "gone"),
        ("I, [2026-11-23T07:47:30.000000 #71]  INFO -- : up", Level.INFO, None, "up"),
        ("E, [2026-11-23T07:47:30.000000 #71] ERROR -- app: gone", Level.ERROR, "app", "gone"),
        ('<34>1 2026-11-23T07:47:30Z box sshd 71 - [a@1 b="c"] refused', Level.FATAL, "sshd", "refused"),
        # logfmt
        ('time="2026-11-23T07:47:30Z" level=error msg="no \\"disk\\"" n=3', Level.ERROR, None, 'no "disk"'),
        ("ts=2026-11-23T07:47:30Z level=debug msg=tick", Level.DEBUG, None, "tick"),
        ("at=INFO when=2026-11-23T07:47:30Z logger=app msg=x", Level.INFO, "app", "x"),
        # winston's printf
        ("2026-11-23T07:47:30.000Z warn: low", Level.WARN, None, "low"), ("2026-11-23T07:47:30Z [error]: gone", Level.ERROR, None, "gone"),
    ],
)  # fmt: skip
def test_lines(text: str, level: Level, logger: str | None, message: str) -> None:
    for certain in (True, False):
        found = read_line(text, ARRIVAL_US, certain)
        if found is None:
            assert not certain
            assert text.startswith("2026/")  # a time and prose: anybody's text
            continue
        assert (found.level, found.logger, found.text) == (level, logger, message)
        assert found.time_us == (AT_US if "2026" in text else None)


@pytest.mark.parametrize(
    ("text", "level", "message"),
    [
        ("[07:47:30] INFO: up", Level.INFO, "up"), ("07:47:30.123 [ERROR] gone", Level.ERROR, "gone"), ("info: up", Level.INFO, "up"),
        ("[web] › ✖  error     It failed", Level.ERROR, "It failed"), ("W1123 07:47:30.000000    71 a.go:3] slow", Level.WARN, "slow"),
        ("[07:47:30.123] INFO (71): up", Level.INFO, "up"), ("[07:47:30] ERROR (api/71): gone", Level.ERROR, "gone"),
        ("[07:47:30 INF] up", Level.INFO, "up"), ("7:47AM WRN slow", Level.WARN, "slow"), ("fail: A.B[0]\n      gone", Level.ERROR, "gone"),
        ("<30>Nov 23 07:47:30 box cron[12]: done", Level.INFO, "done"), ("<200>x", Level.INFO, "<200>x"),
        ("all is well", Level.INFO, "all is well"), ("x=1 y=2", Level.INFO, "x=1 y=2"), ("note: none", Level.INFO, "note: none"),
        ("info", Level.INFO, "info"), ("INFO:", Level.INFO, "INFO:"),
    ],
)  # fmt: skip
def test_lines_on_topics_of_logs(text: str, level: Level, message: str) -> None:
    found = read_line(text, ARRIVAL_US, certain=True)
    assert found is not None
    assert (found.level, found.text, found.time_us) == (level, message, None)


@pytest.mark.parametrize("text", ["info: the desk is open", "x=1 y=2", "level=3 tank=5", "warning lights on", "2026-11-23 07:47:30 warm"])  # fmt: skip
def test_prose_elsewhere(text: str) -> None:
    assert read_line(text, ARRIVAL_US, certain=False) is None


@pytest.mark.parametrize(
    ("stack", "error"), [(PYTHON, "ZeroDivisionError: division by zero"), (NODE, "TypeError: x is not a function")]
)
def test_what_was_raised(stack: str, error: str) -> None:
    found = read_line(f"2026-11-23 07:47:30,000 ERROR app: failed\n{stack}", ARRIVAL_US, certain=False)
    assert found is not None
    assert (found.text, found.stack, found.error) == ("failed", stack, error)


def test_a_line_may_begin_like_json() -> None:
    reading = Reading()
    batch = reading.send("box-1/log", "[2026-11-23 07:47:30,000] [INFO] [app] up")
    assert [(one.level, one.logger, one.text) for one in batch.logs] == [(Level.INFO, "app", "up")]
    assert [one.reason for one in reading.send("box-1/data", "[1, 2").unreadable] == ["json"]


@pytest.mark.parametrize(
    ("topic", "agent", "level"),
    [
        ("logs/orders/error", "orders", Level.ERROR), ("orders/log/warn", "orders", Level.WARN),
        ("logs/error/orders", "orders", Level.INFO), ("logs/shop/orders/error", "orders", Level.ERROR),
    ],
)  # fmt: skip
def test_a_level_on_the_topic_is_nobody(topic: str, agent: str, level: Level) -> None:
    reading = Reading()
    [one] = reading.send(topic, "something happened").logs
    assert (reading.names.agents[one.agent], one.level) == (agent, level)
