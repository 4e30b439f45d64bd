"""Topics by id. Publishers may invent topics without end (an id in each, a response topic for each session), so only so many
are held in memory; the others are asked of whoever has stored them."""

from itertools import islice
from typing import Protocol

MOST_TOPICS = 400_000
MOST_BYTES = 64 * 1024 * 1024


class TopicShelf(Protocol):
    """Where topics are stored."""

    def id_of(self, name: bytes) -> int:
        """0: it is not there."""
        ...

    def name_of(self, id_: int) -> bytes:
        """Raises where it is not there, or cannot be read."""
        ...


class TopicTable:
    """One thread. Entry 0 is unused, so that 0 can mean "none"."""

    def __init__(self) -> None:
        self._names: dict[int, bytes] = {0: b""}
        self._ids: dict[bytes, int] = {}  # those asked for last at the end
        self._size, self._bytes = 1, 0
        self._forgot_some = False
        self.shelf: TopicShelf | None = None

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, id_: int) -> bytes:
        name = self._names.get(id_)
        if name is not None:
            return name
        if self.shelf is None or not 0 < id_ < self._size:
            raise IndexError(id_)
        return self.shelf.name_of(id_)

    def id_of(self, name: bytes) -> int:
        """Id of a topic, new where needed."""
        found = self._ids.get(name)
        if found is None:
            if self._forgot_some and self.shelf is not None:
                found = self.shelf.id_of(name)
            if not found:
                found, self._size = self._size, self._size + 1
            self._keep(found, name)
        return found

    def known(self, name: bytes) -> int:
        """Id of a topic that exists already, else 0."""
        found = self._ids.get(name, 0)
        return self.shelf.id_of(name) if not found and self._forgot_some and self.shelf is not None else found

    def put(self, id_: int, name: bytes) -> None:
        """Take a stored pair. Raises `ValueError` where the id is taken by another name."""
        if self._names.get(id_, name) != name:
            raise ValueError(f"id {id_} is {self._names[id_]!r}, not {name!r}")
        self._size = max(self._size, id_ + 1)
        self._keep(id_, name)

    def forget(self, *, others_too: bool = False) -> None:
        """Let go of a quarter where there are too many: all that were given out so far are on the shelf. `others_too`: there
        are more on the shelf than were ever put here."""
        self._forgot_some = self._forgot_some or others_too
        if self.shelf is None or (len(self._ids) <= MOST_TOPICS and self._bytes <= MOST_BYTES):
            return
        for name in list(islice(self._ids, 1 + len(self._ids) // 4)):
            del self._names[self._ids.pop(name)]
            self._bytes -= len(name)
        self._forgot_some = True

    def _keep(self, id_: int, name: bytes) -> None:
        self._bytes += len(name) if name not in self._ids else 0
        self._ids[name], self._names[id_] = id_, name
