"""Which broker to record: the one that was asked for, the saved one, or one of our own."""

import logging
from enum import Enum

from app.settings import Settings, SettingsFile
from models.domain.connection import Connection, Secret
from models.domain.problems import EnvironmentProblem, Problem

_LOG = logging.getLogger(__name__)


class Own(Enum):
    """Instead of a connection: the broker on this computer that we run ourselves."""

    BROKER = "own"


class BrokerChoice:
    """Main thread only. Where the settings cannot be read, what was read last holds, and `problem` says so."""

    def __init__(self, file: SettingsFile, given: Connection | None, secret: Secret | None) -> None:
        """`given` and `secret` come from the command line; the settings win once they are changed."""
        self._file = file
        self._given = given
        self._secret = secret
        self._settings: Settings | None = None
        self.problem: Problem | None = None

    @property
    def settings(self) -> Settings:
        """As last read; the defaults before that."""
        return self._settings or Settings()

    def read(self) -> Connection | Own | None:
        """Read the settings again and choose. None: no broker is known."""
        try:
            settings = self._file.load()
        except EnvironmentProblem as error:
            self.problem = error.problem
        else:
            self.problem = None
            if self._settings is not None and _broker_of(settings) != _broker_of(self._settings):
                self._given = None
            self._settings = settings
        if self._given is not None:
            return self._given
        if self._settings is None:
            return None
        return _broker_of(self._settings)

    def remember_given(self) -> None:
        """Save what was given in a workspace without settings; what a window saves meanwhile wins."""
        if self._given is None:
            return
        wanted = Settings(self._given, embedded=False)
        try:
            if not self._file.create(wanted):
                return
        except EnvironmentProblem as error:
            _LOG.warning("the broker could not be remembered: %s", error)
        else:
            self._settings = wanted

    def give_secret(self, secret: Secret) -> None:
        """For the broker that is chosen next, or again."""
        self._secret = secret

    @property
    def secret(self) -> Secret | None:
        return self._secret

    def forget_secret(self) -> None:
        """It belonged to another broker."""
        self._secret = None


def _broker_of(settings: Settings) -> Connection | Own | None:
    return Own.BROKER if settings.embedded or settings.demo is not None else settings.connection
