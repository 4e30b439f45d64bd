"""Following a log file as it grows, through rotation (the name points to a new file) and truncation."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

LINE_LIMIT_BYTES = 1_048_576
"""A longer line is passed on in pieces of this size, so that nothing is lost and memory stays bounded."""
_READ_BYTES = 1_048_576
_READS_AT_ONCE = 8


@dataclass(slots=True)
class FollowedFile:
    """One file. What it held before `start` is not read; a file that appears later is read from its beginning."""

    path: Path
    _descriptor: int = -1
    _inode: tuple[int, int] = (0, 0)
    _position: int = 0
    _rest: bytes = b""
    _ready: list[bytes] = field(default_factory=list)

    def start(self) -> bool:
        """Begin at the present end of the file. False: it is not there yet. Raises `OSError` where it cannot be read."""
        if not self._open():
            return False
        os.pread(self._descriptor, 1, 0)  # a folder or a pipe opens, and fails here
        self._position = os.fstat(self._descriptor).st_size
        return True

    def lines(self, most: int) -> list[bytes]:
        """The next `most` complete lines at most, without line ends, empty ones left out. What is not asked for stays in
        the file.

        Raises `OSError` where the file is there but cannot be read.
        """
        for _ in range(_READS_AT_ONCE):
            if len(self._ready) >= most or (self._descriptor < 0 and not self._open()):
                break
            if self._read_some():
                continue
            if not self._replaced():
                break
            self._finish_rest()  # the old file is complete: what it ended with is a line
            self.close()
        ready, self._ready = self._ready[:most], self._ready[most:]
        return ready

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _open(self) -> bool:
        try:
            self._descriptor = os.open(
                self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
            )  # a pipe would wait for a writer
        except FileNotFoundError:
            return False
        status = os.fstat(self._descriptor)
        self._inode, self._position = (status.st_dev, status.st_ino), 0
        return True

    def _replaced(self) -> bool:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return False  # between two files: the old one may still be written
        return (status.st_dev, status.st_ino) != self._inode

    def _read_some(self) -> bool:
        """False: the end is reached."""
        if os.fstat(self._descriptor).st_size < self._position:
            self._finish_rest()  # truncated: it begins anew
            self._position = 0
        data = os.pread(self._descriptor, _READ_BYTES, self._position)
        self._position += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._add(line.rstrip(b"\r"))
        while len(self._rest) > LINE_LIMIT_BYTES:
            self._add(self._rest[:LINE_LIMIT_BYTES])
            self._rest = self._rest[LINE_LIMIT_BYTES:]
        return bool(data)

    def _finish_rest(self) -> None:
        self._add(self._rest)
        self._rest = b""

    def _add(self, line: bytes) -> None:
        if line.strip():
            self._ready.extend(line[i : i + LINE_LIMIT_BYTES] for i in range(0, len(line), LINE_LIMIT_BYTES))


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """A name for each of different absolute paths: the last part, and as many before it as tell it from the others."""
    parts = [path.parts[1:] for path in paths]
    depths = [1] * len(parts)
    while True:
        names = ["/".join(part[-depth:]) for part, depth in zip(parts, depths, strict=True)]
        count = Counter(names)
        same = [i for i, name in enumerate(names) if count[name] > 1 and depths[i] < len(parts[i])]
        if not same:
            return names
        for i in same:
            depths[i] += 1
