"""Does a write-ahead log hold commits that the engine cannot reach? It stops at the first frame that is damaged, and says nothing.

A power cut leaves at most one such commit, the one that was under way; more of them had been durable.
"""

import struct
from pathlib import Path

import apsw

from models.storage.copies.salvage_pages import FRAME_HEADER, LOG_HEADER, PAGE_BYTES

UNDER_WAY = 1
_FRAME_BYTES = FRAME_HEADER + PAGE_BYTES
_BLOCK_BYTES = 1024 * 1024
_HEADER = struct.Struct(">8I")


def lost_commits(connection: apsw.Connection, path: Path) -> int:
    """How many commits in the log of `path`, opened by `connection`, are out of reach. Raises the engine's errors and
    `OSError`."""
    connection.pragma("schema_version")  # so that the engine has looked at the log
    reached = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)[0]
    log = Path(f"{path}-wal")
    return _count(log, max(reached, 0)) if log.exists() else 0


def _count(path: Path, reached: int) -> int:
    """Ends of commits behind the first `reached` frames of a log, and written since that was last begun anew."""
    with path.open("rb", buffering=_BLOCK_BYTES) as log:
        header, frame = log.read(LOG_HEADER), log.read(FRAME_HEADER)
        if len(frame) < FRAME_HEADER:
            return 0
        salts = header[16:24] if _is_whole(header) else frame[8:16]
        log.seek(LOG_HEADER + reached * _FRAME_BYTES)
        lost = 0
        while len(frame := log.read(_FRAME_BYTES)) == _FRAME_BYTES:
            lost += frame[8:16] == salts and frame[4:8] != bytes(4)
        return lost


def _is_whole(header: bytes) -> bool:
    """Is the header of a log as it was written?"""
    magic, *words = _HEADER.unpack(header)
    if magic not in {0x377F0682, 0x377F0683}:
        return False
    order = ">" if magic & 1 else "<"
    one = two = 0
    for at in range(0, 24, 8):
        left, right = struct.unpack_from(f"{order}2I", header, at)
        one = (one + left + two) & 0xFFFFFFFF
        two = (two + right + one) & 0xFFFFFFFF
    return words[5:] == [one, two]
