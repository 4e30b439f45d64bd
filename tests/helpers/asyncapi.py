"""Our AsyncAPI document, and whether a payload is what it promises. Knows the keywords that stand in it, and no other."""

import json
import re
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[2] / "resources/asyncapi.json"
DOCUMENT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "number": (int, float), "integer": int,
}  # fmt: skip
KEYWORDS = frozenset(
    "$ref description type enum const required properties additionalProperties items minLength minimum maximum"
    " exclusiveMinimum".split()
)


def follow(reference: str) -> Any:
    """What `#/a/b/c` names. Raises KeyError."""
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def faults(value: object, schema: dict[str, Any], place: str = "") -> list[str]:
    """Why a value does not fit a schema; empty where it does."""
    assert set(schema) <= KEYWORDS, f"unknown keywords: {set(schema) - KEYWORDS}"
    if "$ref" in schema:
        return faults(value, follow(schema["$ref"]), place)
    if "type" in schema and (not isinstance(value, _TYPES[schema["type"]]) or isinstance(value, bool)):
        return [f"{place}: {value!r} is no {schema['type']}"]
    found = []
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        found.append(f"{place}: {value!r} is none of the values")
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        found.append(f"{place}: too short")
    if isinstance(value, int | float):
        fits = schema.get("minimum", value) <= value <= schema.get("maximum", value)
        if not fits or value <= schema.get("exclusiveMinimum", value - 1):
            found.append(f"{place}: {value!r} is out of range")
    if isinstance(value, list):
        for one in value:
            found += faults(one, schema.get("items", {}), f"{place}[]")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        found += [f"{place}.{key} is missing" for key in schema.get("required", []) if key not in value]
        for key, one in value.items():
            more = known.get(key, schema.get("additionalProperties", True))
            if isinstance(more, dict):
                found += faults(one, more, f"{place}.{key}")
    return found


def channel_of(topic: str) -> dict[str, Any] | None:
    """The channel whose address a topic has; a file's name may have several levels."""
    for channel in DOCUMENT["channels"].values():
        pattern = re.sub(
            r"\\\{(\w+)\\\}", lambda name: ".+" if name[1] == "file" else "[^/]+", re.escape(channel["address"])
        )
        if re.fullmatch(pattern, topic):
            return channel
    return None


def broken_promises(topic: str, payload: bytes) -> list[str]:
    """Why a message is not what the document says of its topic. Of several kinds of messages, one must fit."""
    channel = channel_of(topic)
    if channel is None:
        return [f"{topic} is no topic of ours"]
    kinds = [follow(one["$ref"]) for one in channel["messages"].values()]
    value = payload.decode() if kinds[0]["contentType"] == "text/plain" else json.loads(payload)
    if isinstance(value, dict) and "type" in value:  # the strictest that is meant
        meant = [
            one
            for one in kinds
            if follow(one["payload"]["$ref"])["properties"].get("type", {}).get("const") == value["type"]
        ]
        kinds = meant or kinds
    found = [faults(value, one["payload"], topic) for one in kinds]
    return [] if [] in found else min(found, key=len)
