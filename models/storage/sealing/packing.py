"""Whole numbers as few bytes: what directories and lists of a sealed segment are made of."""

import numpy as np
import numpy.typing as npt
from pcodec import ChunkConfig, standalone

Int64 = npt.NDArray[np.int64]
_PLAIN, _CODED, _RUN = 0, 1, 2
_FEW = 32
"""So few are smaller as they are."""


def pack(values: Int64) -> bytes:
    """In any order; numbers that ascend, or are near each other, become small."""
    n = len(values)
    if n and (np.diff(values) == 1).all():
        return bytes((_RUN,)) + np.array((values[0], n), "<i8").tobytes()
    if n > _FEW:
        return bytes((_CODED,)) + bytes(standalone.simple_compress(values.astype(np.int64), ChunkConfig()))
    base = int(values.min()) if n else 0
    offsets = values - base
    width = next(width for width in (1, 2, 4, 8) if not n or int(offsets.max()) < 1 << 8 * width - 1)
    return bytes((_PLAIN, width)) + np.int64(base).tobytes() + offsets.astype(f"<i{width}").tobytes()


def unpack(data: bytes) -> Int64:
    """What was packed. Raises `ValueError` for what nobody packed."""
    try:
        if data[0] == _RUN:
            first, n = np.frombuffer(data, "<i8", 2, 1)
            return np.arange(first, first + n)
        if data[0] == _CODED:
            found: Int64 = np.asarray(standalone.simple_decompress(data[1:]), np.int64)
            return found
        base = int(np.frombuffer(data, "<i8", 1, 2)[0])
        return np.frombuffer(data, f"<i{data[1]}", -1, 10).astype(np.int64) + base
    except (IndexError, RuntimeError, TypeError) as error:
        raise ValueError(f"packed numbers are damaged: {error}") from error
