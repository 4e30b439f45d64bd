"""What is declared after the values that it speaks of: an import, and history that is read again, are as if it had come first."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.domain.rules import Rules
from models.storage.writing.writer import StoreLimits
from tests.unit.app.test_reread import Bench, same, whole

NOBODY = Rules()
SECOND, FIRST_S = 1.0, 1_795_000_000
MANY = 2_500  # more than a slice
Line = tuple[str, object]
CONFIG = {
    "name": "Load", "stat_t": "odd/7/a", "unit_of_meas": "%", "avty_t": "odd/7/b", "pl_avail": "hello", "pl_not_avail": "bye-bye",
    "dev": {"ids": "box-7", "name": "Box"}, "val_tpl": "{{ value_json.x }}", "exp_aft": 60,
}  # fmt: skip
HOME_ASSISTANT = ("homeassistant/sensor/x/config", CONFIG)
VALUES: list[Line] = [("odd/7/b", "hello"), *(("odd/7/a", {"x": 5, "y": n}) for n in range(MANY)), ("odd/7/c", "3")]
DESCRIPTION = {
    "homie": "5.0", "version": 1, "name": "Pump", "nodes": {"motor": {"properties": {"heat": {"datatype": "float", "unit": "°F"}}}}
}  # fmt: skip
CASES: dict[str, tuple[list[Line], list[Line]]] = {
    "home-assistant": (VALUES, [HOME_ASSISTANT]),
    "homie-5": ([("plant/5/pump/motor/heat", "212")] * MANY, [("plant/5/pump/$description", DESCRIPTION)]),
    "homie-4": (
        [("homie/pump/motor/heat", "212")] * MANY,
        [("homie/pump/$homie", "4.0.0"), ("homie/pump/motor/heat/$datatype", "float"), ("homie/pump/motor/heat/$unit", "°F")],
    ),
    "zigbee2mqtt": (
        [("house/lamp", {"power": 5, "linkquality": 80})] * MANY,
        [
            ("house/bridge/info", {"version": "2.0", "coordinator": {}}),
            ("house/bridge/devices", [{"friendly_name": "lamp", "type": "Router", "definition": {"exposes": [
                {"type": "numeric", "property": "power", "unit": "kW", "access": 1},
            ]}}]),
        ],
    ),
}  # fmt: skip
FIGURES = {
    "home-assistant": {("box-7", "Load", "1")},
    "homie-5": {("pump", "motor.heat", "Cel")},
    "homie-4": {("pump", "motor.heat", "Cel")},
    "zigbee2mqtt": {("lamp", "power", "W")},
}


def write(path: Path, lines: Sequence[Line], at_s: Sequence[float] | None = None) -> Path:
    with path.open("w") as file:
        for place, (topic, said) in enumerate(lines):
            payload = said if isinstance(said, str) else json.dumps(said)
            told = {"ts": FIRST_S + (place / 10 if at_s is None else at_s[place]), "topic": topic}
            file.write(json.dumps({**told, "payload_b64": base64.b64encode(payload.encode()).decode()}) + "\n")
    return path


def figures(bench: Bench) -> set[tuple[str, str, str]]:
    rows = [line.split(",") for line in bench.exported()["samples"].decode().splitlines()[1:]]
    return {(row[2], row[3], row[4]) for row in rows}


def without(bench: Bench, *leave: bytes) -> dict[str, list[bytes]]:
    """Its exports, but for the lines of the announcement itself, which stands elsewhere. (Where an agent announces itself, it is
    heard earlier, too.)"""
    return {
        dataset: [line for line in data.splitlines() if not any(one in line for one in leave)]
        for dataset, data in bench.exported().items()
    }


@pytest.mark.parametrize("case", CASES)
def test_an_announcement_at_the_end_of_a_file_counts_from_its_beginning(case: str, tmp_path: Path) -> None:
    values, announced = CASES[case]
    first, last = Bench(tmp_path / "first"), Bench(tmp_path / "last")
    moments = [place / 10 for place in range(len(values))]
    before = [-0.3 + place / 10 for place in range(len(announced))]
    after = [moments[-1] + (place + 1) / 1_000 for place in range(len(announced))]
    first.bring([write(tmp_path / "first.jsonl", [*announced, *values], [*before, *moments])], NOBODY)
    last.bring([write(tmp_path / "last.jsonl", [*values, *announced], [*moments, *after])], NOBODY)
    assert figures(last) == figures(first)
    assert FIGURES[case] <= figures(last)
    topics = [topic.encode() for topic, _ in announced]
    for dataset, lines in without(last, *topics).items():
        if dataset not in ("agents", "presence") or (case == "home-assistant" and dataset == "presence"):
            assert lines == without(first, *topics)[dataset], dataset
    columns = ("agent", "name", "convention", "presence", "condition", "cause", "messages")
    assert [
        [one[column] for column in columns] for one in rows_of(last, "agents")
    ] == [[one[column] for column in columns] for one in rows_of(first, "agents")]  # fmt: skip
    imported = last.exported()
    last.reread(NOBODY)
    same(last.exported(), imported)
    whole(last)
    for one in (first, last):
        one.store.close()


def rows_of(bench: Bench, dataset: str) -> list[dict[str, str]]:
    head, *lines = bench.exported()[dataset].decode().splitlines()
    return [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines]


def test_the_earliest_announcement_counts_for_what_came_before_and_each_later_one_from_then_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "ws")
    value: Line = ("odd/7/a", {"x": 5})
    otherwise = {**CONFIG, "name": "Heat", "unit_of_meas": "W"}
    lines: list[Line] = [
        value, ("homeassistant/sensor/x/config", "{broken"), *[value] * MANY,
        HOME_ASSISTANT, *[value] * MANY, ("homeassistant/sensor/x/config", otherwise), *[value] * MANY,
    ]  # fmt: skip
    bench.bring([write(tmp_path / "a.jsonl", lines)], NOBODY)
    rows = rows_of(bench, "samples")
    assert [one["metric"] for one in rows] == sorted((one["metric"] for one in rows), reverse=True)
    assert {(one["metric"], one["unit"], one["value"]) for one in rows} == {("Load", "1", "0.05"), ("Heat", "W", "5")}
    assert abs(sum(one["metric"] == "Load" for one in rows) - 2 * MANY) <= 2_000, (
        "of a batch, the declaration is heard first"
    )
    imported = bench.exported()
    bench.reread(NOBODY)
    same(bench.exported(), imported)
    bench.store.close()


def test_what_was_declared_before_counts_on(tmp_path: Path) -> None:
    """A file that goes on where another ended is read as that one declared, until it says otherwise."""
    bench = Bench(tmp_path / "ws")
    bench.bring([write(tmp_path / "a.jsonl", [HOME_ASSISTANT])], NOBODY)
    otherwise = ("homeassistant/sensor/x/config", {**CONFIG, "name": "Heat", "unit_of_meas": "W"})
    lines: list[Line] = [*[("odd/7/a", {"x": 5})] * MANY, otherwise]
    moments = [10 + place / 10 for place in range(len(lines))]
    bench.bring([write(tmp_path / "b.jsonl", lines, moments)], NOBODY)
    assert {one["metric"] for one in rows_of(bench, "samples")[:2_000]} == {"Load"}
    bench.store.close()


def test_lines_may_write_a_topic_as_they_like(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "ws")
    path = write(tmp_path / "a.jsonl", [*VALUES, HOME_ASSISTANT])
    *values, last = path.read_text().splitlines()
    assert last.count("config") == 1
    path.write_text("\n".join([*values, last.replace("/config", "\\/\\u0063onfig")]) + "\n")
    bench.bring([path], NOBODY)
    assert figures(bench) == {("box-7", "Load", "1"), ("7", "c", "")}
    bench.store.close()


def test_sealed_and_in_several_files_it_is_the_same(tmp_path: Path) -> None:
    bench, fresh = Bench(tmp_path / "ws", StoreLimits(segment_bytes=50_000)), Bench(tmp_path / "fresh", StoreLimits())
    path = write(tmp_path / "a.jsonl", [*VALUES, HOME_ASSISTANT])
    for one in (bench, fresh):
        one.bring([path], NOBODY)
    ids = [id_ for (id_,) in bench.ask("SELECT id FROM segment")]
    assert len(ids) > 1
    bench.seal(ids[:1])
    bench.reread(NOBODY)
    same(bench.exported(), fresh.exported())
    whole(bench)
    for one in (bench, fresh):
        one.store.close()
