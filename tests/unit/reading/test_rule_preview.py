import pytest

from models.domain.json_path import parse_path, path_text
from models.domain.messages import Origin, RawMessage
from models.domain.rules import Meaning, Rule, Rules, rule_of
from mqtt.reading.rule_preview import preview
from mqtt.reading.rule_suggestion import suggest
from tests.helpers.clock import FakeClock
from tests.helpers.reading import ARRIVAL_US


def message(topic: bytes, payload: bytes, origin: Origin = Origin.LIVE) -> RawMessage:
    return RawMessage(topic, payload, 0, False, False, 0, None, ARRIVAL_US, origin, 1)


def test_the_rows_that_an_export_would_write() -> None:
    rules = Rules((rule_of({"topic": "plant/{agent}/{metric}", "means": "number", "unit": "%"}),))
    messages = [message(b"plant/a/load", b"50"), message(b"plant/a/load", b"x"), message(b"other/b-1/log", b"WARN hot")]
    rows = preview(messages, rules, "agents", FakeClock())
    assert [(row.message, row.agent, row.what, row.value, row.unit, row.source) for row in rows] == [
        (0, "a", "load", 0.5, "1", "rule"), (1, "a", "unreadable", "text", "", ""),
        (2, "b-1", "log", "warn hot", "", ""),
    ]  # fmt: skip


def test_a_retained_message_can_be_looked_at() -> None:
    assert preview([message(b"a-1/x", b"1", Origin.REPLAY)], Rules(), "agents", FakeClock())[0].value == 1


@pytest.mark.parametrize(
    ("topic", "path", "means", "said"),
    [
        (b"plant/mixer-1/temp_ms", (), "number", {"topic": "plant/{agent}/temp_ms", "agent": "{agent}", "metric": "temp_ms", "unit": "ms"}),
        (b"plant/mixer-1/out", ("v", "t_pct"), "number",
         {"topic": "plant/{agent}/out", "agent": "{agent}", "path": "v.t_pct", "metric": "v.t_pct", "unit": "%"}),
        (b"home/hall/climate", ("t",), "number",
         {"topic": "home/{part1}/{agent}", "agent": "{part1}/{agent}", "path": "t", "metric": "t"}),
        (b"acme/line/robot7/joint/1/temp", (), "number",
         {"topic": "acme/line/{agent}/joint/{n1}/temp", "agent": "{agent}", "metric": "joint.{n1}.temp"}),
        (b"gw/up", ("dev", "id"), "agent", {"topic": "gw/up", "agent": "$.dev.id"}),
        (b"app/a-1/x", ("m",), "log", {"topic": "app/{agent}/x", "agent": "{agent}", "path": "m"}),
        (b"noise/a-1/x", (), "ignore", {"topic": "noise/{agent}/x"}),
    ],
)  # fmt: skip
def test_a_rule_to_begin_with(topic: bytes, path: tuple[str | int, ...], means: str, said: dict[str, str]) -> None:
    found = suggest(topic, path, Meaning(means)).said()
    assert {key: value for key, value in found.items() if key != "means"} == said


@pytest.mark.parametrize("topic", [b"", b"/", b"{a}/b+c/#", b"\xff", b"x" * 400])
def test_whatever_the_topic_a_rule_comes_of_it(topic: bytes) -> None:
    for means in Meaning:
        assert suggest(topic or b"x", ("a",), means).pattern.filter


@pytest.mark.parametrize("path", [(), ("a", "b"), ("items", 3, "x y"), ('q"uote', 0), ("ż",)])
def test_paths_come_back(path: tuple[str | int, ...]) -> None:
    assert parse_path(path_text(path)) == path


@pytest.mark.parametrize("text", ["a..b", "a[", "a[x]", "[1]b", "a b"])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON path"):
        parse_path(text)


@pytest.mark.parametrize("topic", [b"plant/mixer-1/temp_ms", b"home/hall/lamp", b"acme/line/robot7/joint/1/temp", b"a/b", b"temp", b"x//y-1/z",
                                   b"devices/42/temp", b"sensors/temp", b"fleet/a-1/disk/free_gb"])  # fmt: skip
def test_a_number_keeps_its_agent_and_its_name_by_the_rule_that_is_suggested(topic: bytes) -> None:
    def rows(payload: bytes, *rules: Rule) -> list[tuple[object, ...]]:
        found = preview([message(topic, payload)], Rules(rules), "agents", FakeClock())
        return sorted((row.agent, row.what, row.value, row.unit) for row in found)

    assert rows(b"5", suggest(topic, (), Meaning.NUMBER)) == rows(b"5")
    body = b'{"a": {"n_kb": 1}, "b": 2}'
    assert rows(body, suggest(topic, ("a", "n_kb"), Meaning.NUMBER)) == rows(body)
