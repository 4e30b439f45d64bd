"""Files as a failing disk leaves them."""

import random
from pathlib import Path

SPOT_BYTES = 64
PAGE_BYTES = 4096


def spoil(path: Path, chance: random.Random, spots: int = 1) -> None:
    """Overwrite some places with something else."""
    data = bytearray(path.read_bytes())
    for _ in range(spots):
        at = chance.randrange(max(1, len(data) - SPOT_BYTES))
        data[at : at + SPOT_BYTES] = chance.randbytes(min(SPOT_BYTES, len(data) - at))
    path.write_bytes(data)


def cut_off(path: Path, chance: random.Random) -> None:
    """Leave only the beginning."""
    data = path.read_bytes()
    path.write_bytes(data[: chance.randrange(len(data))])


def zero_header(path: Path, chance: random.Random) -> None:
    """As a page that was never written."""
    data = bytearray(path.read_bytes())
    size = chance.choice((100, 4096))
    data[:size] = bytes(min(size, len(data)))
    path.write_bytes(data)


def zero_page(path: Path, chance: random.Random) -> None:
    """One that the disk cannot read any more."""
    data = bytearray(path.read_bytes())
    at = chance.randrange(max(1, len(data) // PAGE_BYTES)) * PAGE_BYTES
    data[at : at + PAGE_BYTES] = bytes(min(PAGE_BYTES, len(data) - at))
    path.write_bytes(data)


DAMAGES = (spoil, cut_off, zero_header)
