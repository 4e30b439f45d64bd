"""The number at one path of many JSON payloads, quickly: whatever else a document holds is passed over, not made. Pure."""

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from models.domain.json_path import NOTHING, Path, number_in, number_of, value_at

Float64 = npt.NDArray[np.float64]


class FieldNumbers:
    """Answers as `json_path.number_of` does, but for documents that are broken beside the path. Any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        names: list[str] = []
        for part in path:
            if not isinstance(part, str):
                break
            names.append(part)
        try:
            self._decode, self._depth = msgspec.json.Decoder(_shape_of(names)).decode, len(names)
        except ValueError:  # a key that a shape cannot have
            self._decode, self._depth = msgspec.json.Decoder(Any).decode, 0
        self._rest = path[self._depth :]

    def of(self, payloads: Iterable[bytes]) -> Float64:
        """NaN where a payload has no number there."""
        return np.array([self._number(payload) for payload in payloads], np.float64)

    def _number(self, payload: bytes) -> float | None:
        try:
            found: Any = self._decode(payload)
        except msgspec.ValidationError:  # JSON of another shape
            return None
        except (msgspec.DecodeError, RecursionError):  # what is no JSON in the strict sense may be read all the same
            return number_of(payload, self._path)
        for _ in range(self._depth):
            if found is None:
                return None
            found = found.inner
        if self._rest:
            found = value_at(found, self._rest)
        return None if found is NOTHING else number_in(found)


def _shape_of(names: list[str]) -> Any:
    """Objects within each other, of which one key each is looked at."""
    shape: Any = Any
    for name in reversed(names):
        inner = shape if shape is Any else shape | None
        shape = msgspec.defstruct("Level", [("inner", inner, None)], rename={"inner": name})
    return shape
