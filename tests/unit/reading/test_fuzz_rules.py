"""Whatever the rules say and whatever arrives: nothing escapes, and what comes of it can be stored."""

import random
from contextlib import suppress
from typing import Any

import pytest

from models.domain.rules import Meaning, Rule, RuleError, Rules, rule_of, same_names
from mqtt.reading.rule_suggestion import suggest
from tests.helpers.reading import Reading
from tests.unit.reading.test_fuzz import ODD, SEED, TOPICS, arrivals, read_all

PATTERNS = [
    "#", "+", "{agent}", "+/{agent}/#", "agents/{agent}/{metric}", "agents/+/metrics", "lab/{agent}-{n}/{metric}", "{site}/{agent}/log",
    "agents/{agent}/status", "a/{x}/c/#", "/", "spBv1.0/#", "homeassistant/+/{agent}/#", "{a}/+/+/{agent}/#", "zigbee2mqtt/{agent}",
]  # fmt: skip
PLACES = [
    "",
    "$",
    "ts",
    "metrics",
    "metrics.x.y",
    "message",
    "level",
    "a.b.c.d.e.f",
    "[0]",
    "body.task",
    '["@timestamp"]',
    "state",
    "0",
]
NAMES = [
    "",
    "x",
    "{agent}",
    "$.level",
    "$.message.agentId",
    "$",
    "$.task",
    "{agent}.{metric}",
    "warn",
    "\u202e",
    "x" * 300,
]


def said(chance: random.Random) -> dict[str, Any]:
    rule: dict[str, Any] = {"topic": chance.choice(PATTERNS), "means": str(chance.choice(list(Meaning)))}
    pools = {"path": PLACES, "time": PLACES, "agent": NAMES, "metric": NAMES, "level": NAMES, "logger": NAMES, "unit": ["", "%", "ms", "furlong"],
             "online": ["", "going, 1"], "kind": ["", "counter"], "scale": [1, -0.5, 1e300, 1e-300]}  # fmt: skip
    for key in chance.sample(list(pools), chance.randint(0, 6)):
        rule[key] = chance.choice(pools[key])
    if chance.random() < 0.2:
        rule[chance.choice([*rule, "odd"])] = chance.choice(ODD)
    return rule


def some(chance: random.Random) -> list[Rule]:
    found = []
    for _ in range(chance.randint(0, 8)):
        with suppress(RuleError):
            found.append(rule_of(said(chance)))
    return found


@pytest.mark.parametrize("count", [10_000, pytest.param(200_000, marks=pytest.mark.long)])
def test_any_rules_on_mutated_traffic(count: int, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(SEED)
    used = 0

    def use(reading: Reading) -> None:
        nonlocal used
        rules = some(chance)
        used += len(rules)
        same = {"a": "b-2"} if chance.random() < 0.5 else {}
        reading.reader.use_rules(Rules(tuple(rules), same))

    read_all(count, caplog, use)
    assert used > count / 500


def test_what_a_suggestion_says_is_a_rule_that_fits() -> None:
    chance = random.Random(SEED)
    for topic in {*TOPICS, *(one.topic for one in arrivals(3_000))}:
        for means in Meaning:
            path = chance.choice([(), ("a",), ("a", 3, "x y"), ("",), ("ts",), ("{a}", "}"), ("$.a",), (0,)])
            rule = suggest(topic or b"x", path, means)
            assert rule_of(rule.said()) == rule
            assert rule.pattern.match((topic or b"x").decode("utf-8", "replace")) is not None


def test_any_table_is_a_rule_or_a_sentence() -> None:
    chance = random.Random(SEED)
    for _ in range(5_000):
        body = said(chance)
        for key in chance.sample(list(body), 2):
            body[key] = chance.choice(ODD)
        with suppress(RuleError):
            rule_of(body)
    for _ in range(2_000):
        pairs = [(chance.choice("abcd"), chance.choice("abcde")) for _ in range(4)]
        try:
            found = same_names(pairs)
        except RuleError:
            continue
        assert not set(found.values()) & set(found)
