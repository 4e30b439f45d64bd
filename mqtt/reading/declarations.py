"""What agents said of themselves: only news is stored, and topics are told by declared names and availability topics."""

from models.domain.records import Declaration

MOST_HOMES = 100_000
LONGEST_HOME = 512
"""Characters."""


class Declarations:
    """Last declaration of each agent. Every name and every home that is new changes whose the topics are that have its last
    level among theirs; `revision` grows with what may change any topic."""

    def __init__(self) -> None:
        self.revision = 0
        self._changed: set[bytes] = set()
        self._last: dict[int, int] = {}  # agent -> hash of what it said: texts may be long
        self._names: set[str] = set()
        self._homes: dict[tuple[str, ...], str] = {}
        self._lodgings: dict[tuple[str, ...], str] = {}

    def is_news(self, declaration: Declaration, name: str) -> bool:
        """Take a declaration of the agent called `name`; False where it says what is known already."""
        if name not in self._names:
            self._names.add(name)
            self._changed.add(name.rpartition("/")[2].encode("utf-8", "replace"))
        said = hash(declaration[1:])
        if self._last.get(declaration.agent) == said:
            return False
        self._last[declaration.agent] = said
        return True

    def take_changed(self) -> set[bytes]:
        """Levels of topics of which something else is known since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    def forget_news(self) -> None:
        """Whoever declares itself from now on tells news, known or not: the names that a segment holds are its own."""
        self._last.clear()

    def has(self, name: str) -> bool:
        """Whether an agent of this name declared itself."""
        return name in self._names

    def settle(self, home: tuple[str, ...], name: str) -> None:
        """An agent's availability was told just below these levels: what else lies there is that agent's."""
        if home not in self._homes and len(self._homes) < MOST_HOMES and sum(map(len, home)) <= LONGEST_HOME:
            self._homes[home] = name
            self._changed.add(home[-1].encode("utf-8", "replace") if home else b"")

    def lodge(self, levels: list[str], name: str) -> None:
        """As `settle`, where less is certain: what has a name of its own below is somebody else."""
        lodging = tuple(levels)
        if (
            lodging not in self._lodgings
            and len(self._lodgings) < MOST_HOMES
            and sum(map(len, lodging)) <= LONGEST_HOME
        ):
            self._lodgings[lodging] = name
            self._changed.add(lodging[-1].encode("utf-8", "replace"))

    def is_lodging(self, levels: list[str]) -> bool:
        """Whether these levels are one."""
        return tuple(levels) in self._lodgings

    def lodging_of(self, levels: list[str]) -> tuple[int, str] | None:
        """As `home_of`."""
        return _longest(self._lodgings, levels)

    def home_of(self, levels: list[str]) -> tuple[int, str] | None:
        """The longest home that a topic lies in: its number of levels, and the agent."""
        return _longest(self._homes, levels)


def _longest(homes: dict[tuple[str, ...], str], levels: list[str]) -> tuple[int, str] | None:
    for depth in range(len(levels) - 1, 0, -1):
        name = homes.get(tuple(levels[:depth]))
        if name is not None:
            return depth, name
    return None
