"""Who is there to take tasks, and who of them is best."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter

from models.domain.presence_words import Presence

REMEMBERED = 100
"""Ends of tasks over which an agent's error ratio is taken when the best is chosen."""
MOST_AT_ONCE = 64
"""Tasks that one agent has from us at a time, unless the user says otherwise."""
PRESUMED_US = 60_000_000
"""Whoever was online so shortly before our own connection broke is taken to be so still, once all is heard that was said since."""
_GONE = (Presence.OFFLINE, Presence.STOPPED)


@dataclass(slots=True)
class Worker:
    """One agent as the orchestrator sees it."""

    name: str
    presence: Presence = Presence.UNKNOWN
    capabilities: tuple[str, ...] = ()
    convention: str = ""  # that it speaks
    group: str = ""
    most: int = MOST_AT_ONCE
    online_us: int = 0  # while its presence is unknown: until when it was known to be online; 0: it was not
    presumed: bool = False  # to be online, as it was before
    holds: set[str] = field(default_factory=set)  # ids of tasks that it has from us
    ends: deque[bool] = field(default_factory=lambda: deque(maxlen=REMEMBERED))  # did it fail?

    @property
    def there(self) -> bool:
        """May it be sent a task that names it? What never told its presence may be."""
        return self.presence not in _GONE

    @property
    def online(self) -> bool:
        """May it be chosen for what it is capable of? Late ones may come to it."""
        return self.presence in (Presence.ONLINE, Presence.LATE) or self.presumed

    @property
    def has_room(self) -> bool:
        return len(self.holds) < self.most

    @property
    def error_ratio(self) -> float:
        return sum(self.ends) / len(self.ends) if self.ends else 0.0

    def becomes(self, presence: Presence, now_us: int) -> None:
        """It came or went; or, unknown, our own connection broke: who was gone by then is taken to be so still."""
        if presence is Presence.UNKNOWN and self.presence in _GONE:
            return
        if presence is not Presence.UNKNOWN:
            self.online_us = 0
        elif self.online:
            self.online_us = now_us
        self.presence, self.presumed = presence, False


class Roster:
    """One thread."""

    def __init__(self) -> None:
        self._workers: dict[str, Worker] = {}
        self._capable: dict[str, dict[str, Worker]] = {}

    def worker(self, name: str) -> Worker:
        """The agent of that name, known before or not."""
        found = self._workers.get(name)
        if found is None:
            found = self._workers[name] = Worker(name)
        return found

    def there(self) -> list[Worker]:
        """All who may be sent a task that names them."""
        return [one for one in self._workers.values() if one.there]

    def presume(self, now_us: int) -> None:
        """All that was said while we were away has been heard: who was online before, and has not been said to be gone."""
        found = [one for one in self._workers.values() if one.online_us and now_us - one.online_us <= PRESUMED_US]
        for one in found:
            one.presumed, one.online_us = True, 0

    def meet(self, name: str, capabilities: Iterable[str]) -> None:
        """It says what it is capable of: all of it."""
        worker = self.worker(name)
        for one in worker.capabilities:
            self._capable[one].pop(name, None)
        worker.capabilities = tuple(capabilities)
        for one in worker.capabilities:
            self._capable.setdefault(one, {})[name] = worker

    def capable(self, capability: str) -> list[Worker]:
        """Agents that are online and say that they are capable of it."""
        return [one for one in self._capable.get(capability, {}).values() if one.online]

    def best(self, candidates: Iterable[Worker], not_at: frozenset[str] | set[str] = frozenset()) -> Worker | None:
        """The least loaded with the fewest errors that has room; who tried it before comes last. None: all are full."""
        free = [(one.name in not_at, len(one.holds) / one.most, one) for one in candidates if len(one.holds) < one.most]
        if not free:
            return None
        least = min(free, key=itemgetter(0, 1))[:2]
        return min((one for *load, one in free if tuple(load) == least), key=lambda one: (one.error_ratio, one.name))
