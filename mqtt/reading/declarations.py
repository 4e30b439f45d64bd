"""What agents said of themselves, so that only news is stored and topics can be told by declared names."""

from models.domain.records import Declaration


class Declarations:
    """Last declaration of each agent. `revision` grows with every name that is declared for the first time."""

    def __init__(self) -> None:
        self.revision = 0
        self._last: dict[int, Declaration] = {}
        self._names: set[str] = set()

    def is_news(self, declaration: Declaration, name: str) -> bool:
        """Take a declaration of the agent called `name`; False where it says what is known already."""
        if name not in self._names:
            self._names.add(name)
            self.revision += 1
        known = self._last.get(declaration.agent)
        if known is not None and known[1:] == declaration[1:]:
            return False
        self._last[declaration.agent] = declaration
        return True

    def has(self, name: str) -> bool:
        """Whether an agent of this name declared itself."""
        return name in self._names
