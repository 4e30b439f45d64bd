"""A column of numbers as bytes: pcodec, and a check sum behind it. Bit-exact for every number that there is."""

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from pcodec import ChunkConfig, standalone

LEVEL = 8
"""Measured on times, counters and readings: up to a tenth smaller than level 4 and half as fast; above, nothing is gained."""
_CHECK_BYTES = 4


def pack(numbers: npt.NDArray[Any]) -> bytes:
    """Numbers of one kind (i64, u32, u16, f64) as bytes."""
    packed: bytes = standalone.simple_compress(np.ascontiguousarray(numbers), ChunkConfig(compression_level=LEVEL))
    return packed + zlib.crc32(packed).to_bytes(_CHECK_BYTES, "little")


def unpack(data: bytes, n: int, kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """The `n` numbers that `pack` was given. Raises `ValueError` where the bytes are not what was written."""
    packed = data[:-_CHECK_BYTES]
    if len(data) <= _CHECK_BYTES or zlib.crc32(packed) != int.from_bytes(data[-_CHECK_BYTES:], "little"):
        raise ValueError("a column of numbers is damaged")
    found = np.empty(n, kind)
    try:
        progress = standalone.simple_decompress_into(packed, found)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"a column of numbers cannot be read: {error}") from error
    if progress.n_processed != n or not progress.finished:
        raise ValueError(f"a column holds other than {n} numbers")
    return found
