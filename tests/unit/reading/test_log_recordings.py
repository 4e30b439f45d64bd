"""What real log libraries published: exactly these agents, nothing but records, each at its level, and what they speak."""

from collections import Counter

import pytest

from models.domain.clock import Instant
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Cause, Presence
from models.domain.records import Level, TaskState
from tests.helpers.reading import Reading, recorded

EACH = "debug info info warn error fatal"
ONE_OF_EACH = "debug info warn error fatal"
PYTHON = {
    **dict.fromkeys(("basicler", "fulller", "bracketler", "padler", "pipeler", "threadsler", "two", "four", "worker-2"), ("python-logging", EACH)),
    "djler": ("", EACH), "shortler": ("", EACH), "timeler": ("", EACH),  # nothing that others would not write
    "three": ("", EACH), "collector": ("", EACH), "importer": ("logstash", EACH), "py": ("ecs", EACH), "resizer": ("google-cloud", EACH),
    "one": ("", "info " * 6), "worker-1": ("", "info " * 6),  # they tell no level
    "mover": ("gelf", ONE_OF_EACH), "web": ("structlog", ONE_OF_EACH), "web2": ("structlog", ONE_OF_EACH), "web3": ("", ONE_OF_EACH),
    "web4": ("ecs", ONE_OF_EACH), "web5": ("", ONE_OF_EACH), "web6": ("", ONE_OF_EACH),
    "fetcher": ("loguru", "trace debug info info warn error fatal"), "fetcher2": ("loguru", "info error"),
    "analyser": ("", ""), "solver": ("", ""),
}  # fmt: skip
RECORDINGS: dict[str, dict[str, tuple[str, str]]] = {
    "winston-3.19-topics": {
        "orders": ("winston", "info " * 8 + "debug debug trace warn error error"), "payments": ("winston", "info warn error"),
        "mailer": ("winston", "info info"), "gatekeeper": ("winston", "fatal fatal info info warn"),
        "auditor": ("winston", "fatal info info trace"),
    },
    "pino-10.4": {
        "pricing": ("pino", "info info info info warn debug trace fatal error error"), "ingest": ("pino", "info info error warn"),
        "search": ("", "info warn error"), "notify": ("pino", "info"), "audit": ("pino", "info warn"), "ledger": ("ecs", "info error"),
    },
    "node-log-libraries": {
        "scheduler": ("bunyan", "info info warn error debug fatal trace"), "exporter": ("log4js", "info warn error fatal debug trace"),
        "billing": ("ecs", "info warn error"), "stash": ("logstash", "info warn error"), "roarrer": ("roarr", "info warn error"),
        "builder": ("consola", "info info warn error debug fatal"), "router": ("tslog", "info warn error"),
        "boler": ("", "info warn error"), "signaler": ("", "info info warn error"), "fetcher": ("", "info info"),
        "uploader": ("", "info warn error"),
    },
    "python-log-libraries": PYTHON,
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDINGS)
def test_exactly_these_agents_speak_and_log(name: str) -> None:
    reading, expected = Reading(), RECORDINGS[name]
    batch = reading.read(*recorded(name))
    levels: dict[str, Counter[str]] = {agent: Counter() for agent in reading.agents()}
    for one in batch.logs:
        levels[reading.names.agents[one.agent]][one.level.name.lower()] += 1
    assert levels == {agent: Counter(words.split()) for agent, (_, words) in expected.items()}
    speaks = {reading.names.agents[one.agent]: one.convention for one in batch.declarations}
    assert speaks == {agent: library for agent, (library, _) in expected.items() if library}
    assert not batch.unreadable
    series = {(one.agent, one.metric) for one in reading.points}
    assert series == (
        {("solver", "n"), ("solver", "k")} if name.startswith("python") else set()
    )  # Eliot tells no levels


@pytest.mark.parametrize("name", RECORDINGS)
def test_what_was_raised_is_told(name: str) -> None:
    batch = Reading().read(*recorded(name))
    failed = [one for one in batch.logs if one.level is Level.ERROR and one.stack]
    assert (
        len(failed)
        == {"winston-3.19-topics": 2, "pino-10.4": 5, "node-log-libraries": 3, "python-log-libraries": 25}[name]
    )
    assert all(one.error and "\n" not in one.error and "Traceback" not in one.text for one in failed)


def test_a_fleet_of_agents_that_people_made() -> None:
    reading, keeper = Reading(), PresenceKeeper()
    messages = recorded("home-made-fleet")
    batch = reading.read(*messages)
    of_model = {
        "cpu_percent": "1", "queue_len": "", "rss_mb": "By", "thought.step": "", "tool_call.args.top_k": "",
        "tool_call.duration_ms": "s", "uptime_s": "s", "usage.cost_usd": "", "usage.latency_ms": "s",
        "usage.usage.prompt_tokens": "", "usage.usage.completion_tokens": "", "usage.usage.total_tokens": "",
    }  # fmt: skip
    expected = {
        **{(agent, metric, unit): 3 for agent in ("planner", "coder") for metric, unit in of_model.items()},
        **{("greenhouse", metric, unit): 4 for metric, unit in (
            ("temperature", ""), ("humidity", ""), ("soil.moisture_pct", "1"), ("soil.raw", ""))},
        **{("worker-3", metric, unit): 3 for metric, unit in (("processed", ""), ("failed", ""), ("avg_ms", "s"))},
    }  # fmt: skip
    assert Counter((one.agent, one.metric, one.unit) for one in reading.points) == expected
    assert reading.agents() == {"planner", "coder", "orchestrator", "greenhouse", "worker-3"}
    assert [one.level for one in batch.logs] == [Level.INFO, Level.ERROR]
    ends = {one.task: (reading.names.agents[one.agent], one.state) for one in batch.tasks}
    assert ends == {
        f"t-{i}-{agent}": (agent, TaskState.FAILED if i == 2 else TaskState.COMPLETED)
        for i in range(3) for agent in ("planner", "coder")
    }  # fmt: skip
    assert not batch.unreadable
    at_us = messages[-1].received_us
    last = {
        reading.names.agents[one.agent]: (one.presence, one.cause)
        for one in keeper.observe(batch, Instant(at_us, at_us))
    }
    gone = (Presence.OFFLINE, Cause.WILL)
    assert last == {
        "planner": (Presence.STOPPED, Cause.GOODBYE), "coder": gone, "orchestrator": gone, "greenhouse": gone, "worker-3": gone,
    }  # fmt: skip


def test_a_flow_of_node_red() -> None:
    reading = Reading()
    batch = reading.read(*recorded("node-red-flow"))
    assert reading.agents() == {"greenhouse"}
    assert Counter(one.metric for one in reading.points) == {
        "climate.temperature": 18, "climate.humidity": 18, "whole.payload": 18,
    }  # fmt: skip
    assert [one.presence for one in batch.evidence] == [Presence.ONLINE, Presence.OFFLINE]
    assert not batch.unreadable
