"""Where a value stands in a JSON document: written for people, and found again in other documents. Pure."""

import json
import math
import re
from typing import Any, Final

Path = tuple[str | int, ...]
"""Keys and places from the outside in; empty: the document itself."""

NOTHING: Final = object()
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_PART = re.compile(r"""\.?(?P<key>[^\W\d][\w-]*)|\[(?P<place>\d{1,6})\]|\[(?P<odd>"(?:[^"\\]|\\.)*")\]""")


def decode(payload: bytes) -> Any:
    """The document; `NOTHING` where the payload is none, or nested deeper than Python reads."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return NOTHING


def path_text(path: Path) -> str:
    """Such as `metrics.cpu`, `items[3].name` or `["odd key"]`; `$` for the document itself."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text or "$"


def parse_path(text: str) -> Path:
    """The opposite of `path_text`; `$.a.b` is `a.b`. Raises `ValueError` with a sentence on where it goes wrong."""
    rest, parts = text.strip(), list[str | int]()
    rest = rest.removeprefix("$")
    at = 0
    while at < len(rest):
        found = _PART.match(rest, at)
        if found is None or (found["key"] is not None and parts and rest[at] != "."):
            raise ValueError(
                f"“{text}” is no JSON path from “{rest[at:][:20]}” on; such as metrics.cpu or items[3].name"
            )
        if found["place"] is not None:
            parts.append(int(found["place"]))
        elif found["odd"] is not None:
            parts.append(json.loads(found["odd"], strict=False))
        else:
            parts.append(found["key"])
        at = found.end()
    return tuple(parts)


def value_at(document: Any, path: Path) -> Any:
    """What stands there; `NOTHING` where the document has no such place."""
    found: Any = document
    for part in path:
        if not isinstance(found, dict if isinstance(part, str) else list):
            return NOTHING
        try:
            found = found[part]  # type: ignore[index] # a list by its place, an object by its key
        except LookupError:
            return NOTHING
    return found


def number_in(value: Any) -> float | None:
    """The value as a number to plot: finite, and neither true nor false."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def number_of(payload: bytes, path: Path) -> float | None:
    """The number at this path of a payload; None where there is none."""
    return number_in(value_at(decode(payload), path))
