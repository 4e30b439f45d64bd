"""The text form of a layout: TOML that people read, edit and send to each other.

version = 1
agents = ["crawler-1", "crawler-2"]
arrangement = {rows = [1, {columns = [2, 3], sizes = [500, 500]}], sizes = [600, 400]}

[panel.1]
title = "Load"
series = [
    {role = "cpu"},
    {agent = "crawler-1", metric = "queue.depth"},
]
"""

import sys
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import tomlkit

from models.domain.layouts.changes import panels_of
from models.domain.layouts.layout import (
    DEEPEST,
    MOST_AGENTS,
    MOST_PANELS,
    MOST_PLOTTED,
    MOST_THRESHOLDS,
    Direction,
    Kind,
    Layout,
    Node,
    Panel,
    Plotted,
    Shown,
    Split,
    Watched,
)
from models.domain.problems import trouble
from models.domain.time_range import LONGEST_US, SECOND_US

VERSION = 1
LARGEST = sys.float_info.max
MOST_BYTES = 4_000_000
_HEADING = "A layout of Murmurscope's Explore screen. It is written anew whenever the layout is saved."


class _LayoutError(Exception):
    """What makes no sense, in words."""


def write_layout(layout: Layout) -> str:
    """The text that `read_layout` makes the same layout of. What is as usual is left out."""
    document = tomlkit.document()
    document.add(tomlkit.comment(_HEADING))
    document["version"] = VERSION
    if layout.agents:
        document["agents"] = list(layout.agents)
    if isinstance(layout.root, Split):
        document["arrangement"] = _arrangement(layout.root)
    table = tomlkit.table(is_super_table=True)
    for panel in panels_of(layout.root):
        table.add(str(panel.id), _panel_table(panel))
    document["panel"] = table
    return tomlkit.dumps(document)


def read_layout(text: str, name: str) -> Layout:
    """`name` is what the user knows the text by. Raises `EnvironmentProblem` layout.newer, layout.unreadable."""
    try:
        if len(text) > MOST_BYTES:
            raise _LayoutError("it is too long")
        try:
            document = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise _LayoutError(str(error) or "it is nested too deep") from error
        version = document.get("version")
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise _LayoutError("it does not begin with “version = 1”")
        if version > VERSION:
            raise trouble("layout.newer", name=name, found=version, known=VERSION)
        return _layout(document)
    except _LayoutError as error:
        raise trouble("layout.unreadable", name=name, detail=str(error)) from error


# ---------------------------------------------------------------- writing


def _arrangement(split: Split) -> Any:
    table = tomlkit.inline_table()
    table[str(split.direction)] = [part.id if isinstance(part, Panel) else _arrangement(part) for part in split.parts]
    table["sizes"] = list(split.sizes)
    return table


def _panel_table(panel: Panel) -> Any:
    table = tomlkit.table()
    if panel.kind is not Kind.PLOT:
        table["kind"] = str(panel.kind)
    if panel.title:
        table["title"] = panel.title
    series = tomlkit.array()
    series.multiline(True)
    for plotted in panel.plotted:
        row = tomlkit.inline_table()
        for key in ("agent", "metric", "labels", "role", "query", "shown"):
            if value := str(getattr(plotted, key)):
                row[key] = value
        series.append(row)
    table["series"] = series
    for key in ("repeat", "statistics"):
        if getattr(panel, key):
            table[key] = True
    if panel.compare_s:
        table["compare_s"] = panel.compare_s
    if panel.thresholds:
        rows = tomlkit.array()
        for threshold in panel.thresholds:
            row = tomlkit.inline_table()
            row["value"], row["unit"] = float(threshold.value), threshold.unit
            rows.append(row)
        table["thresholds"] = rows
    return table


# ---------------------------------------------------------------- reading


def _layout(document: Mapping[str, Any]) -> Layout:
    _only(document, ("version", "agents", "arrangement", "panel"), "the layout")
    agents = _value(document, "agents", [], list, "the layout")
    if len(agents) > MOST_AGENTS or not all(isinstance(one, str) and one for one in agents):
        raise _LayoutError(f"agents is not a list of names ({MOST_AGENTS} at most)")
    tables = _value(document, "panel", {}, dict, "the layout")
    if not 0 < len(tables) <= MOST_PANELS:
        raise _LayoutError(f"it has no [panel.1], or more than {MOST_PANELS} panels")
    panels = {}
    for key, table in tables.items():
        if not key.isascii() or not key.isdigit() or not 0 < int(key) < 2**31 or str(int(key)) != key:
            raise _LayoutError(f"a panel is numbered, and [panel.{key}] is not")
        panels[int(key)] = _panel(int(key), table)
    if "arrangement" not in document and len(panels) > 1:
        raise _LayoutError("it has several panels and no arrangement")
    left = dict(panels)
    root = _node(document["arrangement"], left.pop, 0) if "arrangement" in document else next(iter(panels.values()))
    if "arrangement" in document and left:
        raise _LayoutError(f"panel {next(iter(left))} stands nowhere in the arrangement")
    return Layout(root, tuple(agents))


def _node(said: Any, take: Callable[[int], Panel], depth: int) -> Node:
    if isinstance(said, int) and not isinstance(said, bool):
        try:
            return take(said)
        except KeyError as error:
            raise _LayoutError(f"the arrangement names panel {said}, which is not there or stands elsewhere") from error
    if not isinstance(said, dict) or depth > DEEPEST:
        raise _LayoutError("the arrangement is made of numbers, rows and columns")
    _only(said, (*Direction, "sizes"), "the arrangement")
    directions = [one for one in Direction if one in said]
    if len(directions) != 1:
        raise _LayoutError("a part of the arrangement is either rows or columns")
    parts = _value(said, directions[0], [], list, "the arrangement")
    if len(parts) < 2:
        raise _LayoutError(f"{directions[0]} of the arrangement has fewer than two parts")
    sizes = _value(said, "sizes", [1] * len(parts), list, "the arrangement")
    if len(sizes) != len(parts) or not all(type(one) is int and 0 < one < 2**31 for one in sizes):
        raise _LayoutError("sizes of the arrangement is not a whole number above 0 for each part")
    return Split(directions[0], tuple(_node(part, take, depth + 1) for part in parts), tuple(sizes))


def _panel(id_: int, table: Any) -> Panel:
    where = f"panel {id_}"
    if not isinstance(table, dict):
        raise _LayoutError(f"[panel.{id_}] is not a section")
    _only(table, ("kind", "title", "series", "repeat", "statistics", "compare_s", "thresholds"), where)
    series = _value(table, "series", [], list, where)
    if len(series) > MOST_PLOTTED:
        raise _LayoutError(f"{where} has more than {MOST_PLOTTED} series")
    compare_s = _value(table, "compare_s", 0, int, where)
    if not 0 <= compare_s <= LONGEST_US // SECOND_US:
        raise _LayoutError(f"compare_s of {where} is not a number of seconds")
    return Panel(
        id_,
        tuple(_plotted(one, where) for one in series),
        _value(table, "title", "", str, where),
        _value(table, "repeat", False, bool, where),
        _value(table, "statistics", False, bool, where),
        compare_s,
        _thresholds(table, where),
        _kind(table, where),
    )


def _kind(table: Mapping[str, Any], where: str) -> Kind:
    kind = _value(table, "kind", str(Kind.PLOT), str, where)
    if kind not in list(Kind):
        raise _LayoutError(f"kind of {where} is none of {', '.join(Kind)}")
    return Kind(kind)


def _thresholds(table: Mapping[str, Any], where: str) -> tuple[Watched, ...]:
    rows = _value(table, "thresholds", [], list, where)
    if len(rows) > MOST_THRESHOLDS:
        raise _LayoutError(f"{where} has more than {MOST_THRESHOLDS} thresholds")
    found = []
    for row in rows:
        value: Any = row.get("value") if isinstance(row, dict) else None
        if type(value) not in (int, float) or not -LARGEST <= value <= LARGEST:
            raise _LayoutError(f"a threshold of {where} is not written as {{value = 0.9, unit = …}}")
        _only(row, ("value", "unit"), f"a threshold of {where}")
        found.append(Watched(float(value), _value(row, "unit", "", str, f"a threshold of {where}")))
    return tuple(found)


def _plotted(said: Any, where: str) -> Plotted:
    if not isinstance(said, dict):
        raise _LayoutError(f"a series of {where} is not written as {{metric = …}}")
    keys = ("agent", "metric", "labels", "role", "query", "shown")
    _only(said, keys, f"a series of {where}")
    agent, metric, labels, role, query, shown = (_value(said, key, "", str, f"a series of {where}") for key in keys)
    if bool(metric) + bool(role) + bool(query) != 1 or (labels and not metric):
        raise _LayoutError(f"a series of {where} has either a metric or a role, or a query of log records")
    if query and agent:
        raise _LayoutError(f"a query of {where} names agents itself")
    if shown not in list(Shown):
        raise _LayoutError(f"shown of a series of {where} is none of {', '.join(filter(None, Shown))}")
    return Plotted(agent, metric, labels, role, Shown(shown), query)


def _value(table: Mapping[str, Any], key: str, default: Any, kind: type, where: str) -> Any:
    value = table.get(key, default)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        words = {str: "text", int: "a whole number", bool: "true or false", list: "a list", dict: "a section"}
        raise _LayoutError(f"{key} of {where} is not {words[kind]}")
    return value


def _only(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    unknown = next((key for key in table if key not in known), None)
    if unknown is not None:
        raise _LayoutError(f"“{unknown}” of {where} is not known")
