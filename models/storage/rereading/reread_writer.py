"""The side of the one who writes, while history is read again by another process: what is to be read, numbers for new names,
and the end, in which all of it becomes history at once."""

import contextlib
import uuid
from collections.abc import Callable, Sequence

import apsw

from models.domain.clock import Clock
from models.domain.names import Names, SeriesKey
from models.domain.presence_words import Presence
from models.domain.recorded import RereadResult
from models.domain.records import Present
from models.storage.catalogue_file import FILE_ENDINGS
from models.storage.engine import WorkspaceDatabase
from models.storage.keeping.hour_store import HourStore
from models.storage.keeping.pins import Pins
from models.storage.names_table import SERIES_KEY, series_key
from models.storage.rereading.late import Late
from models.storage.rereading.shadow import Shadow, throw_away
from models.storage.rereading.swap import Watched, swap_in
from models.storage.store_errors import problems_of
from models.storage.transaction import transaction
from models.storage.workspace import Workspace
from models.storage.writing.headlines import Headlines
from models.storage.writing.take_in import load_headlines

_WANTED = """SELECT id, state FROM segment WHERE id <= ? AND state IN ('open', 'closed') AND (state = 'open' OR last_us >= ?)
    AND (? = 0 OR first_us < ?) ORDER BY id"""
_RESULT = """SELECT coalesce(sum(messages), 0), (SELECT count(*) FROM agent_now WHERE messages > 0), coalesce(sum(samples), 0),
    coalesce(sum(logs), 0), coalesce(sum(tasks), 0), coalesce(sum(unreadable), 0), count(*) FROM segment"""
_WATCHED = (
    f"SELECT agent_id FROM agent_now WHERE NOT imported AND presence IN ({int(Presence.ONLINE)}, {int(Presence.LATE)})"
)
OnSwapped = Callable[[Sequence[int], Sequence[Present]], None]
"""Is told of agents that are no more, and of those that are there though nobody watches them, once all is history."""


class RereadWriter:
    """One use. The thread of the `StoreWriter` that made it; between two calls that one writes its own. Methods raise
    `EnvironmentProblem` store.*; then call `cancel`."""

    def __init__(
        self, workspace: Workspace, clock: Clock, catalogue: WorkspaceDatabase, names: Names, headlines: Headlines,
        hours: HourStore, recording_since: Callable[[], int], span_us: tuple[int, int], on_swapped: OnSwapped,
        late: Late,
    ) -> None:  # fmt: skip
        """`span_us`: segments with arrivals in [since, until) are read again (0: open end). `recording_since` tells since when
        a recorder records (wall µs, 0: none does); `late` is told of the end."""
        self.running = True
        self.decided = False
        """It is history; as long as it is running, the catalogue does not say so yet."""
        self._workspace, self._clock, self._database = workspace, clock, catalogue
        self._names, self._headlines, self._hours = names, headlines, hours
        self._recording_since, self._on_swapped, self._late = recording_since, on_swapped, late
        self._span_us = span_us
        late.begin(*span_us)
        with problems_of(workspace.catalogue):
            (self._last,) = next(iter(self._catalogue.execute("SELECT coalesce(max(id), 0) FROM segment")))
        self._shadow: Shadow | None = None

    def wanted(self) -> list[int] | None:
        """Segments to be read; None while one of them is not a plain file yet: the one that was written until now, say."""
        since_us, until_us = self._span_us
        with problems_of(self._workspace.catalogue):
            rows = self._catalogue.execute(_WANTED, (self._last, since_us, until_us, until_us)).fetchall()
        ids = [int(id_) for id_, _ in rows]  # type: ignore[arg-type]
        settled = all(state == "closed" for _, state in rows) and all(map(self._is_plain, ids))
        return ids if settled else None

    def number(self) -> bool:
        """Give numbers to the names that are new. False where somebody else got those that the reader had in mind: then the
        shadow says which are the right ones (`renumbering.renumber`), and this is to be called again."""
        with problems_of(self._workspace.rereading):
            shadow = self._open_shadow()
            agents = {id_: self._number_agent(id_, name) for id_, name in shadow.rows("SELECT id, name FROM agent")}
            series: dict[int, int] = {}
            for id_, agent, *key in shadow.rows(f"SELECT id, {SERIES_KEY} FROM series"):
                series[id_] = self._number_series(id_, series_key(agents.get(agent, 0), *key))
            wrong = [pairs for pairs in (agents, series) if any(old != new for old, new in pairs.items())]
            with transaction(shadow.connection):
                for table, pairs in (("new_agent", agents), ("new_series", series)):
                    shadow.connection.execute(f"DELETE FROM {table}")
                    shadow.connection.executemany(f"INSERT INTO {table} VALUES (?, ?)", pairs.items() if wrong else ())
            if wrong:
                self._close()
        return not wrong

    def swap_in(self) -> RereadResult | None:
        """Let everybody see it, in one step. None while somebody reads history from first to last (an export, a backup): such a
        one gets all of it as it was. What fails once it is decided is to be tried again."""
        with problems_of(self._workspace.rereading):
            shadow = self._open_shadow()
            with contextlib.ExitStack() as held:
                pins = Pins(self._workspace)
                if not all(held.enter_context(pins.removing(id_)) for id_ in shadow.segments()):
                    return None
                result = RereadResult(*shadow.rows(_RESULT)[0])
                watched, since_us = None, self._recording_since()
                if since_us:
                    watched = Watched(since_us, [int(id_) for (id_,) in self._catalogue.execute(_WATCHED)])
                if not self.decided:
                    shadow.decide(uuid.uuid4().hex)
                    self.decided = True
                gone, there = swap_in(self._workspace, self._catalogue, self._hours, shadow, watched)
        self._headlines.become(load_headlines(self._catalogue))
        self._on_swapped(gone, there)
        self._late.done()
        self._end()
        return result

    def cancel(self) -> None:
        """Throw it away, unless it is decided: then `go_on`, or the next start of the program, brings it to its end."""
        if self.running and not self.decided:
            self._end()
        self._close()

    def go_on(self) -> None:
        """With what is decided and could not be done; call now and then."""
        if self.running and self.decided:
            self.swap_in()

    def _end(self) -> None:
        self.running = False
        self._close()
        throw_away(self._workspace)

    def _close(self) -> None:
        if self._shadow is not None:
            self._shadow.close()
            self._shadow = None

    @property
    def _catalogue(self) -> apsw.Connection:
        connection: apsw.Connection = self._database.connection()
        return connection

    def _open_shadow(self) -> Shadow:
        if self._shadow is None:
            self._shadow = Shadow.reopen(self._workspace, self._clock)
            if self._shadow is None:
                raise FileNotFoundError(f"{self._workspace.rereading} is gone")
        return self._shadow

    def _number_agent(self, id_: int, name: str) -> int:
        names = self._names
        if not names.known_agent(name) and (id_ >= len(names.agents) or not names.agents[id_]):
            names.put_agent(id_, name)  # nobody else has it
        return names.agent(name)

    def _number_series(self, id_: int, key: SeriesKey) -> int:
        table = self._names.series
        if id_ >= len(table) or table[id_] == key or not table[id_].metric:
            found = id_
        else:
            known = table.id_of(key.agent, key.metric, key.labels)
            found = known if known and table[known] == key else table.append(key)
        table.put(found, key)  # from now on it is the one with this name
        return found

    def _is_plain(self, id_: int) -> bool:
        path = self._workspace.segment(id_)
        return not any(path.with_name(path.name + ending).exists() for ending in FILE_ENDINGS if ending)
