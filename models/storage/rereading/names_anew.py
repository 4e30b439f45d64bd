"""Names that are given out once more, as history is read again: nobody is known before somebody speaks of him, and then has the
number that he had. What was called otherwise than it is now (another unit, another source) gets a new number."""

import apsw

from models.domain.names import Names, SeriesKey, SeriesTable
from models.storage.names_table import SERIES_KEY, CatalogueTopics, load_topics, series_key


class NamesAnew(Names):
    """One thread. Numbers that are new here may be somebody else's in the workspace by the time all is read."""

    def __init__(self, catalogue: apsw.Connection, shelf: CatalogueTopics) -> None:
        """`catalogue`: of the workspace; `shelf` has all its topics, for as long as these names are used."""
        super().__init__()
        self.topics.shelf = shelf
        load_topics(catalogue, self)
        self._had = {str(name): int(id_) for id_, name in catalogue.execute("SELECT id, name FROM agent")}
        self.agents += [""] * max(self._had.values(), default=0)
        rows = catalogue.execute(f"SELECT id, {SERIES_KEY} FROM series").fetchall()
        self.series = _SeriesAnew({series_key(*key): int(id_) for id_, *key in rows})  # type: ignore[arg-type]

    def agent(self, name: str) -> int:
        name = self.same.get(name, name)
        had = self._had.get(name)
        if had is None or self._agent_ids.get(name):
            return super().agent(name)
        self.put_agent(had, name)
        return had


class _SeriesAnew(SeriesTable):
    def __init__(self, had: dict[SeriesKey, int]) -> None:
        self._had: dict[SeriesKey, int] = {}
        super().__init__()
        self._had = had
        self.reach(max(had.values(), default=0))

    def append(self, key: SeriesKey) -> int:
        had = self._had.get(key)
        if had is None:
            return super().append(key)
        self.put(had, key)
        return had
