"""Two records field by field: what changed, what came, what went. Pure."""

import json
from collections.abc import Iterable
from difflib import SequenceMatcher
from enum import StrEnum
from typing import NamedTuple

from models.domain.log_json import flat

_MOST_LINES = 2_000
Pairs = list[tuple[str, str]]


class Difference(StrEnum):
    SAME = "="
    OTHER = "≠"
    CAME = "+"
    WENT = "−"


class Compared(NamedTuple):
    """A field or a line; empty on a side that does not have it."""

    name: str
    before: str
    after: str
    difference: Difference


def payload_pairs(payload: bytes) -> Pairs:
    """Every value of a JSON document by its path; of anything else its lines, without names; of bytes their hexadecimal."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return [("", payload[at : at + 16].hex(" ")) for at in range(0, len(payload), 16)]
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return [("", line) for line in text.splitlines()]
    return flat(document, "" if isinstance(document, dict | list) else "$")


def compare(before: Pairs, after: Pairs) -> list[Compared]:
    """Named values meet by name, in the order of the later record; lines without a name meet as a text diff has them."""
    found = _named([one for one in before if one[0]], [one for one in after if one[0]])
    lines = ([text for name, text in some if not name][:_MOST_LINES] for some in (before, after))
    return [*found, *_lines(*lines)]


def _named(before: Pairs, after: Pairs) -> Iterable[Compared]:
    old, new = dict(before), dict(after)
    for name, value in after:
        if name not in old:
            yield Compared(name, "", value, Difference.CAME)
        else:
            yield Compared(name, old[name], value, Difference.SAME if old[name] == value else Difference.OTHER)
    yield from (Compared(name, value, "", Difference.WENT) for name, value in before if name not in new)


def _lines(before: list[str], after: list[str]) -> Iterable[Compared]:
    for tag, low, high, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from (Compared("", line, line, Difference.SAME) for line in before[low:high])
            continue
        for place in range(max(high - low, end - start)):
            one = before[low + place] if low + place < high else None
            other = after[start + place] if start + place < end else None
            kind = Difference.CAME if one is None else Difference.WENT if other is None else Difference.OTHER
            yield Compared("", one or "", other or "", kind)
