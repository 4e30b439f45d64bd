"""The tail port: what was committed since the last look. The window's only live feed; it reads the store."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from models.domain.queries import PresenceColumns, SeriesColumns


class TailCursor(NamedTuple):
    """Last batch seen of every open segment, as (segment, batch) pairs. Empty: from the present end."""

    seen: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Interest:
    """What is visible, so what shall be carried: points of these series; whether log lines or messages are listed."""

    series: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class TailPage:
    """`points` holds only series of the interest, sorted by arrival. `committed_us` is when the newest batch was committed
    (wall clock of the recorder; 0: nothing new), `newest_received_us` the arrival of its last message.
    `new_agents` tells that agents or series appeared, `logs`, `messages` and `tasks` how many rows were added."""

    cursor: TailCursor
    batches: int
    messages: int
    samples: int
    logs: int
    tasks: int
    new_names: bool
    committed_us: int
    newest_received_us: int
    points: tuple[SeriesColumns, ...]
    presence: PresenceColumns
    annotation_changes: int = 0
    """How often annotations were added, changed or removed so far."""


class Tail(Protocol):
    """Follows the store for the window."""

    def follow(self, deliver: Callable[[TailPage], None]) -> None:
        """`deliver` runs in the GUI thread, at most once a frame, only when something is new."""
        ...

    def set_interest(self, interest: Interest) -> None:
        """Takes effect with the next page."""
        ...
