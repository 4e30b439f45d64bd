"""What the ingest needs of the store, the broker's session and the reading of messages. Tests put their own in place."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple, Protocol

from models.domain.batch import RecordBatch
from models.domain.clock import Instant
from models.domain.connection import Secret
from models.domain.messages import Properties, RawMessage
from models.domain.names import Names
from models.domain.problems import Problem
from models.domain.recorded import ImportedFile
from models.domain.records import PresenceChange
from models.domain.rules import Rules
from models.storage.copies.merge_writer import MergeWriter
from models.storage.journal import ArrivalJournal
from models.storage.keeping.retention import StoreLimits
from models.storage.rereading.reread_writer import OnSwapped, RereadWriter
from models.storage.writing.known_before import KnownBefore
from mqtt.inbox import Inbox
from mqtt.outgoing import Receipt


class Committed(Protocol):
    """One commit, as the store tells of it."""

    @property
    def duration_us(self) -> int: ...


class Importing(Protocol):
    """`models.storage.writing.import_writer.ImportWriter`."""

    def commit(self, batch: RecordBatch) -> None: ...
    def sum_up(self) -> None: ...
    def end_segment(self) -> None: ...
    def finish(self, files: Sequence[ImportedFile]) -> None: ...
    def cancel(self) -> None: ...


class ImportStore(Protocol):
    """`models.storage.writing.writer.StoreWriter`, as far as an import has to do with it."""

    names: Names

    def remembered(self) -> list[RawMessage]: ...
    def begin_import(
        self, files: Sequence[ImportedFile], *, again: bool = False, make_room: bool = False
    ) -> Importing: ...


class MergeStore(Protocol):
    """`models.storage.writing.writer.StoreWriter`, as far as bringing in another workspace has to do with it."""

    def begin_merge(self, *, make_room: bool = False) -> MergeWriter: ...


class RereadStore(Protocol):
    """`models.storage.writing.writer.StoreWriter`, as far as reading history again has to do with it."""

    def begin_reread(self, since_us: int, until_us: int, on_swapped: OnSwapped) -> RereadWriter: ...


class Store(Protocol):
    """`models.storage.writing.writer.StoreWriter`."""

    names: Names
    problems: list[Problem]  # mended on the way; whoever tells of them empties it
    before: KnownBefore
    behind: bool  # housekeeping has more to do
    journal: ArrivalJournal

    def remembered(self) -> list[RawMessage]: ...
    def begin_capture(self, broker: str, client_id: str, heard_us: int = 0) -> int: ...
    def commit(self, batch: RecordBatch) -> Committed: ...
    def housekeep(self, *, brief: bool = False) -> None: ...
    def use_limits(self, limits: StoreLimits) -> None: ...
    def submit(self, commands: list[dict[str, object]]) -> None: ...
    @property
    def store_bytes(self) -> int: ...
    def disk_days(self) -> float | None: ...
    def close(self) -> None: ...


class Keeper(Protocol):
    """`models.domain.presence.PresenceKeeper`."""

    def observe(self, batch: RecordBatch, at: Instant) -> list[PresenceChange]: ...
    def tick(self, at: Instant) -> list[PresenceChange]: ...
    def link_up(self, at: Instant) -> list[PresenceChange]: ...
    def link_down(self, at: Instant) -> list[PresenceChange]: ...


class MessageReader(Protocol):
    """`mqtt.reading.reader.Reader`."""

    def recall(self, messages: Sequence[RawMessage]) -> None: ...
    def use_rules(self, rules: Rules) -> None: ...
    def read(self, messages: Sequence[RawMessage]) -> RecordBatch: ...


class Session(Protocol):
    """`mqtt.session.Session`, as far as the ingest has to do with it."""

    def acknowledge(self, messages: Sequence[RawMessage]) -> None: ...

    def start(self) -> None: ...

    def stop(self) -> None:
        """Send what is acknowledged, then hang up; the broker keeps the session."""
        ...

    def end_session(self) -> bool:
        """The broker shall forget us. Takes some seconds."""
        ...

    def wake(self) -> None:
        """Try to connect now."""
        ...

    def start_anew(self) -> None:
        """As `wake`, once the broker has thrown away our session with what it queued."""
        ...

    @property
    def alive(self) -> bool:
        """Does the network thread run, as far as it was started?"""
        ...

    def publish(
        self, topic: str, payload: bytes, qos: int, retain: bool, properties: Properties | None
    ) -> Future[Receipt]:
        """Once; the future gets the broker's answer, or `EnvironmentProblem` broker.lost. Any thread."""
        ...

    def use_secret(self, secret: Secret | None) -> None:
        """For the attempts to come."""
        ...

    @property
    def heartbeat_us(self) -> int:
        """Monotonic time of the network thread's last turn."""
        ...


class Feed(NamedTuple):
    """One broker as the ingest sees it."""

    session: Session
    inbox: Inbox
    reader: MessageReader
    broker: str  # address without secrets
    client_id: str
