"""Some rows as one compressed frame: integer columns as byte planes, text columns one behind the other.

Before compression (little endian), with n rows:

    u32 n; for each integer column: i64 base, u8 width; for each text column: u8 kind, u8 width, u32 bytes
    for each integer column: its values less the base, `width` planes of n bytes (0: all are the base)
    for each text column: n bytes 1 where there is none (kind `SOME`), then where each ends, `width` planes of n bytes
    for each text column: all texts

A plane holds one byte of every value, so that what changes slowly lies together; a single value is put together from a few
bytes, whatever the others are. The frame carries a check sum, which every decompression compares.
"""

import struct
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import zstandard

Int64 = npt.NDArray[np.int64]
Texts = Sequence[bytes | None]
LEVEL = 9
"""Of zstd: half the time of the next better one, some 100 MB/s."""
LARGEST_BYTES = 1 << 30
"""More than a block ever holds: what says so is damaged."""
ALL, SOME, NONE = 0, 1, 2
_WIDTHS = (0, 1, 2, 4, 8)


@cache
def _head(ints: int, texts: int) -> struct.Struct:
    return struct.Struct(f"<I{'qB' * ints}{'BBI' * texts}")


class Encoder:
    """One compressor for many blocks; one thread."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, write_content_size=True)

    def encode(self, ints: Sequence[Int64], texts: Sequence[Texts]) -> bytes:
        """All columns have the same number of rows, one at least."""
        n = len(ints[0])
        head, planes, data = [n], [], []
        for column in ints:
            base = int(column.min())
            offsets = column.astype(np.uint64) - np.uint64(base & 0xFFFFFFFFFFFFFFFF)
            width = _width(int(offsets.max()))
            head += base, width
            planes.append(_planes(offsets, width))
        for some in texts:
            missing = some.count(None)
            kind = NONE if missing == n else SOME if missing else ALL
            there = [one or b"" for one in some]
            ends = np.cumsum(np.array([len(one) for one in there], np.uint64))
            width = _width(int(ends[-1]))
            data.append(b"".join(there))
            head += kind, width, len(data[-1])
            planes += [bytes([one is None for one in some]) if kind == SOME else b"", _planes(ends, width)]
        return self._compressor.compress(b"".join((_head(len(ints), len(texts)).pack(*head), *planes, *data)))


class _TextPlace(NamedTuple):
    kind: int
    width: int
    absent: int  # where the bytes stand that say so
    ends: int
    data: int
    size: int


class Block:
    """Decoded rows. Raises `ValueError` where the bytes are no block of this shape or not what was written."""

    def __init__(self, frame: bytes, ints: int, texts: int, decompressor: zstandard.ZstdDecompressor) -> None:
        try:
            if not 0 < zstandard.frame_content_size(frame) < LARGEST_BYTES:
                raise ValueError("a block has no size")
            data = decompressor.decompress(frame)
        except zstandard.ZstdError as error:
            raise ValueError(f"a block does not decompress: {error}") from error
        try:
            self.n, *heads = _head(ints, texts).unpack_from(data)
        except struct.error as error:
            raise ValueError("a block is cut short") from error
        self.data = data
        at = _head(ints, texts).size
        self._ints: list[tuple[int, int, int]] = []  # base, width, where
        for place in range(0, 2 * ints, 2):
            self._ints.append((heads[place], heads[place + 1], at))
            at += heads[place + 1] * self.n
        starts = []
        for place in range(2 * ints, len(heads), 3):
            ends = at + (self.n if heads[place] == SOME else 0)
            starts.append((at, ends))
            at = ends + heads[place + 1] * self.n
        self._texts: list[_TextPlace] = []
        for place, (absent, ends) in zip(range(2 * ints, len(heads), 3), starts, strict=True):
            self._texts.append(_TextPlace(heads[place], heads[place + 1], absent, ends, at, heads[place + 2]))
            at += heads[place + 2]
        if at != len(data) or not self.n:
            raise ValueError("a block does not fit its header")

    def integers(self, column: int) -> Int64:
        """A whole column."""
        base, width, at = self._ints[column]
        return (_values(self.data, at, width, self.n) + np.uint64(base & 0xFFFFFFFFFFFFFFFF)).astype(np.int64)

    def integer(self, column: int, row: int) -> int:
        """One value, without looking at the others."""
        base, width, at = self._ints[column]
        return base + self._unsigned(at, width, row)

    def texts(self, column: int) -> list[bytes | None]:
        """A whole column."""
        place = self._texts[column]
        if place.kind == NONE:
            return [None] * self.n
        data = self.data
        ends = (_values(data, place.ends, place.width, self.n).astype(np.int64) + place.data).tolist()
        found: list[bytes | None] = [data[a:b] for a, b in zip((place.data, *ends), ends, strict=False)]
        if place.kind == SOME:
            for row in np.flatnonzero(np.frombuffer(data, np.uint8, self.n, place.absent)).tolist():
                found[row] = None
        return found

    def text(self, column: int, row: int) -> bytes | None:
        """One value, without looking at the others."""
        place = self._texts[column]
        if place.kind == NONE or (place.kind == SOME and self.data[place.absent + row]):
            return None
        start = self._unsigned(place.ends, place.width, row - 1) if row else 0
        return self.data[place.data + start : place.data + self._unsigned(place.ends, place.width, row)]

    def joined(self, column: int) -> bytes:
        """All texts of a column, one behind the other."""
        place = self._texts[column]
        return self.data[place.data : place.data + place.size]

    def lengths(self, column: int) -> Int64:
        """Bytes of every text; 0 where there is none."""
        place = self._texts[column]
        ends = _values(self.data, place.ends, place.width, self.n).astype(np.int64)
        ends[1:] -= ends[:-1].copy()
        return ends

    def _unsigned(self, at: int, width: int, row: int) -> int:
        return int.from_bytes(self.data[at + row : at + width * self.n : self.n], "little")


def _width(largest: int) -> int:
    return next(width for width in _WIDTHS if largest < 1 << 8 * width)


def _planes(values: npt.NDArray[np.uint64], width: int) -> bytes:
    return values.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :width].T.tobytes()


def _values(data: bytes, at: int, width: int, n: int) -> npt.NDArray[np.uint64]:
    found = np.zeros((n, 8), np.uint8)
    if width:
        found[:, :width] = np.frombuffer(data, np.uint8, width * n, at).reshape(width, n).T
    return found.view("<u8")[:, 0]
