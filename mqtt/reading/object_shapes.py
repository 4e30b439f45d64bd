"""As `shapes`, for home-made payloads: a decoder for the objects of one topic, once they always have the same keys, with the
same types under them, and none of these keys says whose the message is, how it is, or that it is a log record."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from mqtt.reading.generic_numbers import NESTED_IDS, number_of

MOST_OBJECT_SHAPES = 512
MOST_KEYS = 100
DEEPEST = 6

_Told = tuple[tuple[str, Any], ...]
"""Key, and a type or what an inner object is like."""


class ObjectShape(NamedTuple):
    """`decode` raises `decode.FAILURES` for every other object. Of what it yields, `figures` takes the numbers in the order
    of their keys, and `time` the value under the time's key."""

    decode: Callable[[bytes], Any]
    figures: Callable[[Any], tuple[float, ...]]
    time: Callable[[Any], float | str] | None


class ObjectShapes:
    """The shapes of one reader. Bounded."""

    def __init__(self) -> None:
        self._known: dict[tuple[_Told, str | None], ObjectShape | None] = {}

    def of(self, body: dict[str, Any], time_key: str | None, unread: frozenset[str]) -> ObjectShape | None:
        """For objects like this one, whose time stands under `time_key`; keys in `unread` may hold anything. None where there
        can be none."""
        told = _described(body, time_key, unread)
        if told is None:
            return None
        key = told, time_key
        if key not in self._known:
            if len(self._known) >= MOST_OBJECT_SHAPES:
                return None
            self._known[key] = _made(told, time_key)
        return self._known[key]


def _described(
    body: dict[str, Any], time_key: str | None, unread: frozenset[str], depth: int = DEEPEST
) -> _Told | None:
    if not depth or len(body) > MOST_KEYS:
        return None
    told: list[tuple[str, Any]] = []
    for key, value in body.items():
        kind = type(value)
        if key == time_key:
            told.append((key, str if kind is str else float | int))
        elif key in unread:
            told.append((key, Any))  # not Raw, which takes bytes that are no text
        elif kind is int and number_of(value) is None:
            return None  # beyond a double: no figure, but one that fits would be
        elif kind is dict:
            inner = _described(value, None, NESTED_IDS, depth - 1)
            if inner is None:
                return None
            told.append((key, inner))
        else:
            told.append((key, float if kind is int else kind))
    return tuple(told)


def _made(told: _Told, time_key: str | None) -> ObjectShape | None:
    figures: list[str] = []
    try:
        shaped = _struct(told, "", figures)
    except (TypeError, ValueError):  # keys that JSON has to escape
        return None
    if not 0 < len(figures) <= MOST_KEYS:
        return None
    take: Callable[[Any], Any] = attrgetter(*figures)
    place = next((place for place, (key, _) in enumerate(told) if key == time_key), None)
    return ObjectShape(
        msgspec.json.Decoder(shaped).decode,
        take if len(figures) > 1 else lambda one: (take(one),),
        None if place is None else attrgetter(f"f{place}"),
    )


def _struct(told: _Told, path: str, figures: list[str]) -> type[msgspec.Struct]:
    fields: list[tuple[str, Any]] = []
    for place, (_, kind) in enumerate(told):
        field = f"f{place}"
        if isinstance(kind, tuple):
            kind = _struct(kind, f"{path}{field}.", figures)  # noqa: PLW2901 - its type
        elif kind is float:
            figures.append(path + field)
        fields.append((field, kind))
    rename = {f"f{place}": key for place, (key, _) in enumerate(told)}
    return msgspec.defstruct("Object", fields, rename=rename, gc=False, forbid_unknown_fields=True)
