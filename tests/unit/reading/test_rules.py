"""What the user says of messages wins."""

from collections.abc import Mapping

import pytest

from models.domain.messages import Kind, Origin
from models.domain.names import SeriesKind
from models.domain.presence_words import Cause, Presence
from models.domain.records import Level
from models.domain.rules import Rule, RuleError, Rules, TopicPattern, rule_of, same_names
from tests.helpers.reading import ARRIVAL_US, Reading


def reading(*said: Mapping[str, object], same: Mapping[str, str] | None = None) -> Reading:
    return Reading(rules=Rules(tuple(rule_of(dict(one)) for one in said), same or {}))


def points(one: Reading) -> list[tuple[str, str, str, float]]:
    return [(point.agent, point.metric, point.unit, point.value) for point in one.points]


NUMBER = {
    "topic": "plant/{agent}/out",
    "means": "number",
    "path": "v.t",
    "metric": "temperature",
    "unit": "ms",
    "scale": 10,
}


def test_a_number_is_what_the_rule_says_and_the_rest_is_read_as_ever() -> None:
    one = reading(NUMBER)
    one.send("plant/mixer/out", {"v": {"t": 3, "speed": 7}, "queue": 1, "ts": ARRIVAL_US / 1e6 - 5})
    assert points(one) == [
        ("mixer", "temperature", "s", 0.03), ("mixer", "v.speed", "", 7), ("mixer", "queue", "", 1),
    ]  # fmt: skip
    assert {point.time_us for point in one.points} == {ARRIVAL_US - 5_000_000}
    assert [key.source for key in one.names.series[1:]] == ["rule", "generic", "generic"]


def test_without_the_place_the_message_is_read_as_ever() -> None:
    one = reading(NUMBER)
    batch = one.send("plant/mixer/out", {"queue": 1})
    assert points(one) == [("mixer", "queue", "", 1)]
    assert not batch.unreadable


def test_bare_values_with_named_levels() -> None:
    one = reading({"topic": "{site}/{agent}/{metric}", "means": "number", "kind": "counter"})
    for payload in ("21.5", "3 kB", '"7"', "text"):
        one.send("hall/x/y", payload)
    assert points(one)[0] == ("x", "y", "", 21.5)
    assert one.names.series[1].kind is SeriesKind.COUNTER
    assert one.agents() == {"x"}


def test_two_numbers_of_one_payload_and_names_out_of_it() -> None:
    one = reading(
        {"topic": "t", "means": "number", "path": "a", "metric": "{x}".replace("{x}", "first"), "agent": "$.meta.host"},
        {"topic": "t", "means": "number", "path": "list[1]", "metric": "$.what"},
    )  # fmt: skip
    one.send("t", {"meta": {"host": "h-1"}, "a": 1, "list": [1, 2], "what": "depth"})
    assert points(one) == [("h-1", "first", "", 1), ("h-1", "depth", "", 2)]


def test_an_agent_by_rule_and_everything_else_as_ever() -> None:
    one = reading({"topic": "gw/+/up", "means": "agent", "agent": "$.dev"})
    one.send("gw/7/up", {"dev": "pump", "cpu": 5})
    one.send("gw/7/up", {"dev": "valve", "level": "error", "message": "stuck"})
    assert points(one) == [("pump", "cpu", "", 5)]
    assert one.agents() == {"pump", "valve"}


UUID = "5f0c7b3e-8a51-4a2b-9a06-0d9a3f5a1c11"


def test_an_agent_that_the_payload_names_is_believed_whatever_it_is() -> None:
    one = reading(
        {"topic": "gw/up", "means": "agent", "agent": "$.dev.id"}, {"topic": "gw/up", "means": "number", "path": "v"}
    )
    for name in (UUID, "cpu", UUID):
        one.send("gw/up", {"dev": {"id": name}, "v": 1, "w": 2, "host": "other", "ts": ARRIVAL_US / 1e6})
    one.send("gw/up", {"dev": {"id": UUID}, "level": "error", "message": "stuck", "service": "other"})
    assert one.agents() == {UUID, "cpu"}
    assert [point[:2] for point in points(one)] == [(who, key) for who in (UUID, "cpu", UUID) for key in ("v", "w")]


def test_a_rule_that_names_nobody_gives_its_number_to_whom_the_rest_goes() -> None:
    one = reading({"topic": "fleet/+/out", "means": "number", "path": "v"})
    one.send("fleet/crawler-1/out", {"v": 1, "w": 2})
    one.send("fleet/crawler-1/out", {"agent": "pump", "v": 1, "w": 2})
    assert [point[:2] for point in points(one)] == [
        ("crawler-1", "v"), ("crawler-1", "w"), ("pump", "v"), ("pump", "w"),
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["v", "in.v"])
def test_the_thousandth_message_is_read_as_the_first(path: str) -> None:
    one = reading({"topic": "p/{agent}/out", "means": "number", "path": path, "metric": "x", "scale": 0.5, "unit": "%"})
    for i in range(1_000):
        body = {"in": {"v": i, "a": 1}, "v": i, "ts": ARRIVAL_US / 1e6 - 7}
        one.read(*[one.message(f"p/a-{k}/out", body) for k in range(2)])
    assert len(one.points) == 2 * 3 * 1_000
    last = [(point.metric, point.value) for point in one.points[-3:]]
    assert dict(last) == {"x": 999 * 0.5 / 100, **({"in.v": 999, "in.a": 1} if path == "v" else {"v": 999, "in.a": 1})}
    assert {point.time_us for point in one.points} == {ARRIVAL_US - 7_000_000}


def test_a_scaled_number_beyond_a_double_is_no_point() -> None:
    one = reading({"topic": "a/x", "means": "number", "scale": 1e300})
    assert not one.send("a/x", "1" * 200).unreadable
    assert not one.points


def test_a_log_by_rule() -> None:
    one = reading({"topic": "app/{agent}/x", "means": "log", "path": "m", "level": "$.sev", "logger": "app"})
    batch = one.send("app/a/x", {"m": "disk full", "sev": "crit"})
    assert [(row.level, row.text, row.logger) for row in batch.logs] == [(Level.FATAL, "disk full", "app")]
    assert one.send("app/a/x", {"m": "old", "sev": "info"}, Origin.REPLAY).logs == []
    fixed = reading({"topic": "app/{agent}/x", "means": "log", "level": "warn"}).send("app/a/x", "anything")
    assert [(row.level, row.text) for row in fixed.logs] == [(Level.WARN, "anything")]


@pytest.mark.parametrize(
    ("payload", "presence"),
    [("1", Presence.ONLINE), ("0", Presence.OFFLINE), ("", Presence.OFFLINE), ("ready", Presence.ONLINE)],
)
def test_presence_by_rule(payload: str, presence: Presence) -> None:
    one = reading({"topic": "beat/{agent}", "means": "status"})
    assert [row.presence for row in one.send("beat/a", payload).evidence] == [presence]


def test_presence_in_words_of_its_own() -> None:
    one = reading({"topic": "beat/{agent}", "means": "status", "path": "s", "online": "going, green"})
    said = [one.send("beat/a", {"s": word}).evidence[0] for word in ("Green", "red")]
    assert [(row.presence, row.cause) for row in said] == [
        (Presence.ONLINE, Cause.STATUS),
        (Presence.OFFLINE, Cause.WILL),
    ]
    assert one.send("beat/a", {"s": "red"}, Origin.REPLAY).evidence[0].cause is Cause.REPLAYED


def test_what_stands_beside_a_word_is_read_as_ever() -> None:
    one = reading({"topic": "beat/{agent}/x", "means": "status", "path": "health", "online": "green"})
    batch = one.send("beat/a/x", {"health": "green", "status": "offline", "cpu": 5})
    assert [row.presence for row in batch.evidence] == [Presence.ONLINE, Presence.OFFLINE]
    assert points(one) == [("a", "cpu", "", 5)]
    batch = one.send("beat/a/x", {"cpu": 6})
    assert (batch.unreadable, batch.evidence, points(one)[1:]) == ([], [], [("a", "cpu", "", 6)])
    words = reading({"topic": "beat/{agent}/x", "means": "status", "path": "status"})
    batch = words.send("beat/a/x", {"status": "on", "cpu": 5})
    assert [(row.presence, row.rank) for row in batch.evidence] == [(Presence.ONLINE, 2)]
    batch = words.send("beat/a/x", {"status": "purple", "cpu": 6})
    assert ([row.reason for row in batch.unreadable], points(words)[1:]) == (["shape"], [("a", "cpu", "", 6)])
    assert words.agents() == one.agents() == {"a"}


def test_what_is_named_agent_in_the_topic_is_the_agent_of_all() -> None:
    one = reading({"topic": "{agent}/hall-1/out", "means": "number", "path": "v"})
    one.send("mixer/hall-1/out", {"v": 1, "w": 2})
    assert [point[:2] for point in points(one)] == [("mixer", "v"), ("mixer", "w")]


def test_of_two_rules_for_one_number_the_first_holds() -> None:
    one = reading(
        {"topic": "p/{agent}/+", "means": "number", "path": "v", "metric": "new"},
        {"topic": "p/{agent}/out", "means": "number", "path": "v", "metric": "old"},
    )
    one.send("p/a/out", {"v": 1})
    assert points(one) == [("a", "new", "", 1)]


def test_what_is_to_be_ignored_derives_nothing() -> None:
    one = reading({"topic": "noise/#", "means": "ignore"})
    batch = one.send("noise/a/metrics", {"cpu": 5})
    assert (batch.kind, batch.unreadable, one.agents()) == ([Kind.OTHER], [], set())


def test_what_is_to_be_ignored_declares_nothing() -> None:
    config = {"name": "Load", "stat_t": "x/y", "uniq_id": "u1", "dev": {"ids": "box-7"}}
    one = reading({"topic": "homeassistant/#", "means": "ignore"})
    one.send("homeassistant/sensor/u1/config", config)
    one.send("x/y", "5")
    assert one.agents() == {"x"}
    one.reader.use_rules(Rules())
    one.send("homeassistant/sensor/u1/config", config)
    one.send("x/y", "5")
    assert one.agents() == {"x", "box-7"}


def test_rules_win_over_conventions_and_change_at_once() -> None:
    one = Reading()
    one.send("homie/a/$state", "ready")
    one.reader.use_rules(Rules((rule_of({"topic": "homie/#", "means": "ignore"}),)))
    assert not one.send("homie/a/$state", "lost").evidence
    one.reader.use_rules(Rules())
    assert one.send("homie/a/$state", "lost").evidence


def test_the_same_agent_under_another_name() -> None:
    one = reading(same={"plug-2": "kitchen"})
    one.send("agents/plug-2/metrics", {"cpu": 1})
    one.send("agents/kitchen/metrics", {"cpu": 2})
    assert one.agents() == {"kitchen"}


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"means": "number"}, "topic is missing"), ({"topic": "a"}, "means has to be one of"),
        ({"topic": "a/#/b", "means": "ignore"}, "only be the last"), ({"topic": "a+", "means": "ignore"}, "whole level"),
        ({"topic": "{a}/{a}", "means": "ignore"}, "the same name"), ({"topic": "{a b}", "means": "ignore"}, "is no name"), ({"topic": "{b·c}", "means": "ignore"}, "is no name"),
        ({"topic": "a", "means": "number", "agent": "{x}"}, "no level of the topic"),
        ({"topic": "a", "means": "number", "path": "a..b"}, "no JSON path"),
        ({"topic": "a", "means": "agent"}, "agent is missing"), ({"topic": "a", "means": "number", "scale": 0}, "scale"),
        ({"topic": "a", "means": "number", "kind": "x"}, "neither gauge nor counter"),
        ({"topic": "a", "means": "log", "level": "loud"}, "is none of"), ({"topic": "a", "means": "number", "x": 1}, "no key"),
        ({"topic": "a", "means": "number", "unit": 3}, "no text"), ("x", "no table"),
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_told_in_a_sentence(said: object, sentence: str) -> None:
    with pytest.raises(RuleError, match=sentence):
        rule_of(said)


def test_patterns() -> None:
    assert TopicPattern("a/{x}/sensor-{y}/#").match("a/1/sensor-2") == {"x": "1", "y": "2"}
    assert TopicPattern("a/{x}/#").match("a/1/b/c") == {"x": "1"}
    assert TopicPattern("a/+").match("a/b/c") is None
    assert TopicPattern("a/{x}/sensor-{y}/#").filter == "a/+/+/#"


@pytest.mark.parametrize("text", ["{a}{b}", "{a}-{b}-{c}"])
def test_a_level_with_too_many_names(text: str) -> None:
    with pytest.raises(RuleError, match="two names at most"):
        TopicPattern(text)


def test_a_hostile_topic_costs_no_time_to_speak_of() -> None:
    pattern = TopicPattern("{a}-{b}/x")
    assert pattern.match("-" * 60_000 + "/y") is None
    assert pattern.match("pump-hall/x") == {"a": "pump", "b": "hall"}
    levels = "/".join(f"{{a{i}}}-{{b{i}}}" for i in range(20))
    assert TopicPattern(f"{levels}/x").match("/".join(["-" * 250] * 20) + "/y") is None
    assert TopicPattern("{a}-b/#").match("p-b-b/c") == {"a": "p-b"}
    assert TopicPattern("{a}-b").match("p-b-c") is None


def test_names_that_are_said_to_be_each_other() -> None:
    assert same_names([("a", "b"), ("b", "c")]) == {"a": "c", "b": "c"}
    with pytest.raises(RuleError):
        same_names([("a", "b"), ("b", "a")])


def test_what_a_rule_says_comes_back() -> None:
    rule = rule_of(NUMBER)
    assert rule_of(rule.said()) == rule == Rule(**{**NUMBER, "means": rule.means, "scale": 10.0})  # type: ignore[arg-type]
