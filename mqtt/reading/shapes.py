"""Decoders made to measure: agents send the same figures under the same names each time, and a decoder that knows the names
beforehand is quicker than one that makes a dictionary of each message."""

from collections.abc import Callable, Iterable
from typing import cast

import msgspec

MOST_SHAPES = 256
MOST_FIGURES = 64
STEADY = 4
"""So many messages with the same names in a row, and the next are expected to have them, too."""


class _Shaped(msgspec.Struct, gc=False):
    """What a made-to-measure decoder yields; `metrics` is a struct of floats in the order of the shape's names."""

    metrics: msgspec.Struct
    ts: float | None = None
    boot: str | None = None
    seq: int | None = None


Decode = Callable[[bytes], _Shaped]
"""Raises `decode.FAILURES` for every message with other names, or with anything but numbers under them."""


class Shapes:
    """The decoders of one reader. Bounded: whoever invents names all the time is read without."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], Decode | None] = {}

    def known(self, names: Iterable[str]) -> Decode | None:
        """One that was made before, for whoever sent just these names."""
        return self._known.get(tuple(names))

    def of(self, names: Iterable[str]) -> Decode | None:
        """A decoder for `metrics` with just these names; None where there can be none."""
        key = tuple(names)
        if key not in self._known:
            if len(self._known) >= MOST_SHAPES:
                return None
            self._known[key] = _made(key)
        return self._known[key]


def _made(names: tuple[str, ...]) -> Decode | None:
    if not 0 < len(names) <= MOST_FIGURES:
        return None
    fields = [f"f{place}" for place in range(len(names))]
    try:
        figures = msgspec.defstruct(
            "Figures", [(field, float) for field in fields], rename=dict(zip(fields, names, strict=True)),
            gc=False, forbid_unknown_fields=True,
        )  # fmt: skip
        shaped = msgspec.defstruct("Shaped", [("metrics", figures)], bases=(_Shaped,), gc=False)
        return cast("Decode", msgspec.json.Decoder(shaped).decode)
    except (TypeError, ValueError):  # names that JSON has to escape
        return None
