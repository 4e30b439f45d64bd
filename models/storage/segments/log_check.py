"""Does a write-ahead log hold commits that the engine cannot reach? It stops at the first frame that is damaged, and says nothing.

A power cut leaves at most one such commit, the one that was under way; more of them had been durable.
"""

import struct
from pathlib import Path

import apsw

from models.storage.copies.salvage_pages import FRAME_HEADER, LOG_HEADER, PAGE_BYTES

UNDER_WAY = 1
_HEADER = struct.Struct(">8I")


def lost_commits(connection: apsw.Connection, path: Path) -> int:
    """How many commits in the log of `path`, opened by `connection`, are out of reach. Raises the engine's errors and
    `OSError`."""
    connection.pragma("schema_version")  # so that the engine has looked at the log
    reached = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)[0]
    try:
        data = Path(f"{path}-wal").read_bytes()
    except FileNotFoundError:
        return 0
    if len(data) < LOG_HEADER + FRAME_HEADER:
        return 0
    salts = data[16:24] if _is_whole(data) else data[LOG_HEADER + 8 : LOG_HEADER + 16]
    step = FRAME_HEADER + PAGE_BYTES
    first = LOG_HEADER + max(reached, 0) * step
    return sum(
        data[at + 8 : at + 16] == salts and data[at + 4 : at + 8] != bytes(4)
        for at in range(first, len(data) - step + 1, step)
    )


def _is_whole(data: bytes) -> bool:
    """Is the header of a log as it was written?"""
    magic, *words = _HEADER.unpack_from(data)
    if magic not in {0x377F0682, 0x377F0683}:
        return False
    order = ">" if magic & 1 else "<"
    one = two = 0
    for at in range(0, 24, 8):
        left, right = struct.unpack_from(f"{order}2I", data, at)
        one = (one + left + two) & 0xFFFFFFFF
        two = (two + right + one) & 0xFFFFFFFF
    return words[5:] == [one, two]
