"""The user's rules as they were last read. A file that cannot be read leaves those in force that were."""

import logging

from app.rules_file import RulesFile
from models.domain.problems import EnvironmentProblem, Problem
from models.domain.rules import Rules

_LOG = logging.getLogger(__name__)


class RulesInForce:
    """Main thread, but for `rules` (any)."""

    def __init__(self, file: RulesFile) -> None:
        self._file = file
        self.rules = Rules()
        self.problems: list[Problem] = []
        """What makes no sense of the file."""

    def read(self) -> bool:
        """Look at the file again; answers whether anything is new."""
        before = self.rules, self.problems
        try:
            self.rules, self.problems = self._file.load()
        except EnvironmentProblem as error:
            self.problems = [error.problem]
        if before == (self.rules, self.problems):
            return False
        _LOG.info("%d mapping rules are in force", len(self.rules.rules))
        return True
