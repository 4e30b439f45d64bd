"""Rows out of a database file that the engine can no longer read: every page by itself, every row by itself.

No tree is walked: a page of a table that is whole tells its rows whatever became of the pages above it. What table a row is of
is told by its shape, as no two tables of a segment have the same.
"""

import itertools
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from peewee import BlobField, FloatField, IntegerField, Model

Value: TypeAlias = int | float | str | bytes | None
Kinds: TypeAlias = list[set[type]]
PAGE_BYTES = 4096
"""Of every segment we ever wrote; what a damaged header says does not count."""
_LEAF = 0x0D
_BY_KEY = {0x0A: 0, 0x02: 4}
"""Pages of tables without row ids, leaves and those above, and the bytes before each row: both kinds hold rows."""
_SCHEMA_HEADER = 100
LOG_HEADER, FRAME_HEADER = 32, 24
_MOST_LOCAL = PAGE_BYTES - 35
_LEAST_LOCAL = (PAGE_BYTES - 12) * 32 // 255 - 23
_MOST_BY_KEY = (PAGE_BYTES - 12) * 64 // 255 - 23
_INTEGER_BYTES = (0, 1, 2, 3, 4, 6, 8)


class _UnreadableError(Exception):
    """A row that cannot be read."""


def shapes(models: Sequence[type[Model]]) -> dict[str, Kinds]:
    """What values each column of a table may hold, as they are stored: a row id is stored as NULL."""
    found = {}
    for one in models:
        about = one._meta  # noqa: SLF001 - peewee's documented way to its columns
        found[about.table_name] = [_kinds(field) for field in about.sorted_fields]
    return found


def _kinds(field: object) -> set[type]:
    if isinstance(field, IntegerField) and field.primary_key:
        return {type(None)}
    kinds: set[type] = {str}
    if isinstance(field, IntegerField):
        kinds = {int}
    elif isinstance(field, FloatField):
        kinds = {float, int}
    elif isinstance(field, BlobField):
        kinds = {bytes}
    return kinds | ({type(None)} if getattr(field, "null", False) else set())


def readable_rows(
    path: Path, wanted: Mapping[str, Kinds], tell: Callable[[int, int], None]
) -> Iterator[tuple[str, int, list[Value]]]:
    """(table, row id, values) of every row that can be read of a database with its log. `tell` gets pages done and all.
    Raises `OSError`."""
    with path.open("rb") as file:
        pages = _Pages(file.read(), _newest(Path(f"{path}-wal")))
    by_width: dict[int, list[tuple[str, Kinds]]] = {}
    for table, kinds in wanted.items():
        by_width.setdefault(len(kinds), []).append((table, kinds))
    for number in range(1, pages.count + 1):
        if not number % 256:
            tell(number, pages.count)
        for id_, values in _rows_of(pages, number):
            for table, kinds in by_width.get(len(values), ()):
                if all(type(value) in kind for value, kind in zip(values, kinds, strict=True)):
                    yield table, id_, values
    tell(pages.count, pages.count)


class _Pages:
    """Pages by number, those of the log before those of the file."""

    def __init__(self, data: bytes, newer: dict[int, bytes]) -> None:
        self._data, self._newer = data, newer
        self.count = max(-(-len(data) // PAGE_BYTES), max(newer, default=0))

    def __getitem__(self, number: int) -> bytes:
        found = self._newer.get(number)
        return self._data[(number - 1) * PAGE_BYTES : number * PAGE_BYTES] if found is None else found


def _newest(log: Path) -> dict[int, bytes]:
    """Pages in a write-ahead log up to its last commit. Frames of an earlier use of the log have other salts. Sums are not
    checked: the engine stops at the first that is wrong, and every row is checked by itself here."""
    try:
        data = log.read_bytes()
    except FileNotFoundError:
        return {}
    step = FRAME_HEADER + PAGE_BYTES
    salts = data[LOG_HEADER + 8 : LOG_HEADER + 16]  # as in the first frame; the header may be what is damaged
    pages: dict[int, bytes] = {}
    waiting: dict[int, bytes] = {}
    for at in range(LOG_HEADER, len(data) - step + 1, step):
        number, size = struct.unpack_from(">II", data, at)
        if data[at + 8 : at + 16] != salts or not 0 < number < 1 << 26:
            continue
        waiting[number] = data[at + FRAME_HEADER : at + step]
        if size:
            pages |= waiting
            waiting.clear()
    return pages


def _rows_of(pages: _Pages, number: int) -> list[tuple[int, list[Value]]]:
    """Rows of a table without row ids have 0 for it. Of these nothing tells that one is what it was, so a page counts only
    where all of them can be read and follow one another."""
    page = pages[number]
    start = _SCHEMA_HEADER if number == 1 else 0
    if len(page) < PAGE_BYTES or (page[start] != _LEAF and page[start] not in _BY_KEY):
        return []
    before = _BY_KEY.get(page[start])
    (cells,) = struct.unpack_from(">H", page, start + 3)
    head = start + 8 + (before or 0)
    if head + 2 * cells > PAGE_BYTES:
        return []
    found: list[tuple[int, list[Value]]] = []
    for at in struct.unpack_from(f">{cells}H", page, head):
        try:
            size, place = _varint(page, at + (before or 0))
            id_ = 0
            if before is None:
                id_, place = _varint(page, place)
            elif size > _MOST_BY_KEY:
                return []  # none that anybody looks for
            found.append((id_ - (id_ >> 63 << 64), _record(_payload(pages, page, place, size))))
        except (_UnreadableError, IndexError, ValueError, struct.error):
            continue
    return found if before is None or (len(found) == cells and _follow(found)) else []


def _follow(rows: list[tuple[int, list[Value]]]) -> bool:
    keys = [tuple(value for value in values[:2] if isinstance(value, int)) for _, values in rows]
    return all(left < right for left, right in itertools.pairwise(keys))


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for _ in range(8):
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at
    return value << 8 | data[at], at + 1


def _payload(pages: _Pages, page: bytes, at: int, size: int) -> bytes:
    if size <= _MOST_LOCAL:
        if at + size > PAGE_BYTES:
            raise _UnreadableError
        return page[at : at + size]
    if size > pages.count * PAGE_BYTES:
        raise _UnreadableError
    local = _LEAST_LOCAL + (size - _LEAST_LOCAL) % (PAGE_BYTES - 4)
    if local > _MOST_LOCAL:
        local = _LEAST_LOCAL
    parts = [page[at : at + local]]
    left = size - local
    (following,) = struct.unpack_from(">I", page, at + local)
    while left > 0:
        more = pages[following] if 0 < following <= pages.count else b""
        if len(more) < PAGE_BYTES:
            raise _UnreadableError
        (following,) = struct.unpack_from(">I", more)
        parts.append(more[4 : 4 + left])
        left -= PAGE_BYTES - 4
    return b"".join(parts)


def _record(data: bytes) -> list[Value]:
    end, at = _varint(data, 0)
    kinds = []
    while at < end:
        kind, at = _varint(data, at)
        kinds.append(kind)
    if at != end:
        raise _UnreadableError
    values: list[Value] = []
    for kind in kinds:
        value, at = _value(data, at, kind)
        values.append(value)
    if at != len(data):
        raise _UnreadableError
    return values


def _value(data: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind >= 12:
        end = at + (kind - 12) // 2
        raw = data[at:end]
        if end > len(data):
            raise _UnreadableError
        return (raw.decode() if kind % 2 else raw), end
    if kind in {8, 9}:
        return kind - 8, at
    if kind == 7:
        return float(struct.unpack_from(">d", data, at)[0]), at + 8
    if kind > 9:
        raise _UnreadableError
    end = at + _INTEGER_BYTES[kind]
    return (int.from_bytes(data[at:end], "big", signed=True) if kind else None), end
