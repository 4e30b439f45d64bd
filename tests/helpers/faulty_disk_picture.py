"""What a disk would hold if the power went now: what was synced, and of the rest what the shape of the cut lets through."""

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SECTOR = 512
SHAPES = ("none", "random", "prefix", "torn")
"""Of the writes since the last sync: none arrived; some did; those up to one moment did; some did, and of these some sectors."""


class Change(NamedTuple):
    """One write, or a truncation to `offset` where `data` is None. `serial` counts over all files."""

    serial: int
    offset: int
    data: bytes | None


@dataclass
class Image:
    """One file, whatever its name. `handle` keeps its inode from being used again, and what it holds readable."""

    handle: int
    safe: bytearray | None = None  # as of its last sync; None: nothing was written since the disk was installed
    pending: list[Change] = field(default_factory=list)

    def note(self, serial: int, offset: int, data: bytes | None) -> None:
        """Call before it happens."""
        if self.safe is None:
            self.safe = bytearray(self.content())
        self.pending.append(Change(serial, offset, data))

    def synced(self) -> None:
        if self.safe is not None:
            for change in self.pending:
                carry_out(self.safe, change)
        self.pending.clear()

    def content(self) -> bytes:
        """As every program sees it."""
        return os.pread(self.handle, os.fstat(self.handle).st_size, 0)


def carry_out(content: bytearray, change: Change) -> None:
    """As the disk does it; a hole reads as zeros."""
    end = change.offset if change.data is None else change.offset + len(change.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if change.data is None:
        del content[end:]
    else:
        content[change.offset : end] = change.data


class Picture(NamedTuple):
    """Names (path within the folder -> file) as of their folder's last sync and as of now; each file's synced content with
    what is pending."""

    names_before: Mapping[str, int]
    names_now: Mapping[str, int]
    files: Mapping[int, tuple[bytes, Sequence[Change]]]
    folders: Sequence[str]

    def after_power_cut(self, shape: str, chance: random.Random, target: Path) -> None:
        """Make `target` what the next start finds."""
        serials = sorted(change.serial for _, pending in self.files.values() for change in pending)
        limit = chance.choice([0, *serials]) if serials else 0
        for folder in self.folders:
            (target / folder).mkdir(parents=True, exist_ok=True)
        for name, key in self._names(shape, chance).items():
            if not name.endswith("-shm"):  # shared memory
                safe, pending = self.files[key]
                content = bytearray(safe)
                for change in pending:
                    for part in _arriving(change, shape, chance, limit):
                        carry_out(content, part)
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (target / name).write_bytes(content)

    def _names(self, shape: str, chance: random.Random) -> dict[str, int]:
        """A folder forgets or keeps what was made, renamed or removed in it since its sync; each file by itself, a rename whole."""
        if shape == "none":
            return dict(self.names_before)
        found: dict[str, int] = {}
        for key in sorted({*self.names_before.values(), *self.names_now.values()}):
            before, now = (
                {name for name, one in names.items() if one == key} for names in (self.names_before, self.names_now)
            )
            replaced = not now and any(name in self.names_now for name in before)  # goes if what replaces it comes
            keep = before if replaced or chance.random() < 0.5 else now
            for name in keep:
                if name not in found or keep is now:
                    found[name] = key
        return found


def _arriving(change: Change, shape: str, chance: random.Random, limit: int) -> list[Change]:
    if shape == "none" or (shape == "prefix" and change.serial > limit):
        return []
    if shape == "prefix":
        return [change]
    if chance.random() < 0.5:
        return []
    if shape == "random" or change.data is None:
        return [change]
    parts = []
    start = change.offset
    end = start + len(change.data)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        if chance.random() < 0.5:
            parts.append(Change(change.serial, start, change.data[start - change.offset : stop - change.offset]))
        start = stop
    return parts
