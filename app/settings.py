"""`settings.toml` of a workspace: the broker, how long history is kept, the embedded broker. Never a secret.

People may edit the file: comments and keys we do not know are kept. A file that cannot be read is never written over.
"""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import tomlkit

from app.toml_file import TomlFile
from models.domain.connection import Connection, Protocol, parse_url
from models.domain.masking import MOST_KEYS, PLAIN_KEYS
from models.domain.problems import EnvironmentProblem

_FILE_FIELDS = ("ca_file", "certificate_file", "key_file")
_NUMBER_FIELDS = ("keepalive_s", "session_expiry_s")


@dataclass(frozen=True, slots=True)
class Retention:
    """What is beyond either limit is removed, oldest first; 0 means no limit of that kind. `gib` and `days` are those of what
    is recorded; imports and the hourly values that outlive both have limits of their own. A running recorder takes up a
    change when it is woken (`control.Verb.WAKE`)."""

    gib: float = 2.0
    days: float = 14.0
    import_gib: float = 2.0
    import_days: float = 0.0
    hours_gib: float = 0.25
    hours_days: float = 730.0


@dataclass(frozen=True, slots=True)
class Demo:
    """A simulated fleet of so many agents, messages a second, and `speed` of its story (1: as it is meant)."""

    agents: int = 40
    rate: float = 60.0
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    """`connection` None: none was chosen. `embedded`: the broker on this computer is used, not `connection`. With `demo`
    nothing but a simulated fleet is recorded, whatever else stands here."""

    connection: Connection | None = None
    embedded: bool = True
    retention: Retention = field(default_factory=Retention)
    demo: Demo | None = None
    hidden_keys: tuple[str, ...] = PLAIN_KEYS
    """Their values are hidden before a message is stored (`masking.Masking`); a recorder takes them up as it does `Retention`."""


class SettingsFile:
    """Reads and replaces one file. One thread at a time; other processes see the old file or the new one, never a half."""

    def __init__(self, path: Path) -> None:
        self._file = TomlFile(path, "Settings of this workspace. Secrets are never kept here.")

    def load(self) -> Settings:
        """What the file says; the defaults where there is none. Raises `EnvironmentProblem` "settings.unreadable"."""
        document = self._file.read()
        connection = self._connection(document)
        embedded = self._table(document, "embedded").get("enabled", connection is None)
        if not isinstance(embedded, bool):
            raise self._file.unreadable("[embedded] enabled is neither true nor false")
        return Settings(
            connection, embedded, self._retention(document), self._demo(document), self._hidden_keys(document)
        )  # fmt: skip

    def save(self, settings: Settings) -> None:
        """Replace what is known, keep the rest. Raises "settings.unreadable" and leaves a file that cannot be read as it
        is; "workspace.read-only" where it cannot be written."""
        document = self._file.read()
        self._fill(document, settings)
        self._file.write(document)

    def create(self, settings: Settings) -> bool:
        """Write the first file. False: there is one already, and it stays as it is. Raises as `save`."""
        document = self._file.new()
        self._fill(document, settings)
        return self._file.write(document, only_new=True)

    def _fill(self, document: tomlkit.TOMLDocument, settings: Settings) -> None:
        if settings.connection is None:
            document.pop("connection", None)
        else:
            table = self._table_to_write(document, "connection")
            _put(table, {"url": settings.connection.url, **_options(settings.connection)})
            for name in set(_options(settings.connection, everything=True)) - set(_options(settings.connection)):
                table.pop(name, None)  # back at its default
        _put(self._table_to_write(document, "embedded"), {"enabled": settings.embedded})
        _put(self._table_to_write(document, "retention"), asdict(settings.retention))
        if "secrets" in document or settings.hidden_keys != PLAIN_KEYS:
            _put(self._table_to_write(document, "secrets"), {"hidden_keys": list(settings.hidden_keys)})
        if settings.demo is not None:  # a workspace never stops being one of the demo
            _put(self._table_to_write(document, "demo"), asdict(settings.demo))

    def _table(self, document: tomlkit.TOMLDocument, name: str) -> dict[str, Any]:
        table = document.unwrap().get(name, {})
        if not isinstance(table, dict):
            raise self._file.unreadable(f"{name} is not a section")
        return table

    @staticmethod
    def _table_to_write(document: tomlkit.TOMLDocument, name: str) -> Any:
        if name not in document:
            document.add(name, tomlkit.table())
        return document[name]

    def _connection(self, document: tomlkit.TOMLDocument) -> Connection | None:
        table = self._table(document, "connection")
        if not table:
            return None
        url = table.get("url")
        if not isinstance(url, str):
            raise self._file.unreadable("[connection] has no url")
        try:
            connection, secret = parse_url(url)
        except EnvironmentProblem as error:
            raise self._file.unreadable(str(error)) from error
        if secret is not None:
            raise self._file.unreadable("[connection] url holds a password, which is never kept here")
        return self._with_options(connection, table)

    def _with_options(self, plain: Connection, table: dict[str, Any]) -> Connection:
        options: dict[str, Any] = {}
        for name in (*_FILE_FIELDS, "prefix", "protocol"):
            if name in table and not isinstance(table[name], str):
                raise self._file.unreadable(f"[connection] {name} is not text")
        for name in _NUMBER_FIELDS:
            if name in table and (type(table[name]) is not int or not 0 <= table[name] <= 0xFFFFFFFF):
                raise self._file.unreadable(f"[connection] {name} is not a whole number of seconds")
        if table.get("protocol", "auto") not in list(Protocol):
            raise self._file.unreadable(f"[connection] protocol is none of {', '.join(Protocol)}")
        filters = table.get("filters", list(plain.filters))
        if not isinstance(filters, list) or not filters or not all(isinstance(one, str) and one for one in filters):
            raise self._file.unreadable("[connection] filters is not a list of topic filters")
        options = {name: table[name] for name in (*_FILE_FIELDS, *_NUMBER_FIELDS, "prefix") if name in table}
        options["protocol"] = Protocol(table.get("protocol", plain.protocol))
        options["filters"] = tuple(filters)
        known = {one.name: getattr(plain, one.name) for one in fields(Connection)}
        return Connection(**{**known, **options})

    def _retention(self, document: tomlkit.TOMLDocument) -> Retention:
        found = self._numbers(document, "retention", Retention())
        if "import_gib" not in self._table(document, "retention"):  # of a time when imports counted as recorded
            found["import_gib"] = max(found["gib"], Retention().import_gib) if found["gib"] else 0.0
        return Retention(**found)

    def _hidden_keys(self, document: tomlkit.TOMLDocument) -> tuple[str, ...]:
        keys = self._table(document, "secrets").get("hidden_keys", list(PLAIN_KEYS))
        if not isinstance(keys, list) or len(keys) > MOST_KEYS or not all(isinstance(one, str) and one for one in keys):
            raise self._file.unreadable(f"[secrets] hidden_keys is not a list of {MOST_KEYS} keys at most")
        return tuple(keys)

    def _demo(self, document: tomlkit.TOMLDocument) -> Demo | None:
        if "demo" not in document:
            return None
        numbers = self._numbers(document, "demo", Demo())
        return Demo(int(numbers["agents"]), numbers["rate"], numbers["speed"])

    def _numbers(self, document: tomlkit.TOMLDocument, section: str, plain: Retention | Demo) -> dict[str, float]:
        """Every field of `plain`, as the section says or else as it is there."""
        table = self._table(document, section)
        found = {}
        for name, default in asdict(plain).items():
            value = table.get(name, default)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
                raise self._file.unreadable(f"[{section}] {name} is not a number of 0 or more")
            found[name] = float(value)
        return found


def _options(connection: Connection, *, everything: bool = False) -> dict[str, Any]:
    """What differs from the defaults, as the file holds it; the address is told by `url`."""
    plain = Connection()
    found: dict[str, Any] = {}
    for name in (*_FILE_FIELDS, *_NUMBER_FIELDS, "protocol", "filters", "prefix"):
        value = getattr(connection, name)
        if everything or value != getattr(plain, name):
            found[name] = list(value) if name == "filters" else str(value) if name == "protocol" else value
    return found


def _put(table: Any, values: dict[str, Any]) -> None:
    """Set what changed; an unchanged value keeps the way its author wrote it."""
    for name, value in values.items():
        if name not in table or table[name] != value:
            table[name] = value
