"""What the row blocks of a sealed segment hold, and the tables that they stand in."""

from typing import NamedTuple

from models.storage.sealing.sample_tables import IN_CHUNKS


class RowShape(NamedTuple):
    """Of one table. Rows with consecutive row ids share a block."""

    table: str
    key: str  # the column that is the row id
    columns: tuple[str, ...]  # as in layout 1, the key first
    ints: tuple[str, ...]  # as stored
    texts: tuple[str, ...]
    blobs: tuple[str, ...]  # those of `texts` that are bytes
    rows: int  # in a block at the most, unless
    size_bytes: int  # it would hold more text than this
    arrival: str = "received_us"  # when a row came; of a batch its last message
    absent: tuple[str, ...] = ()  # columns that hold nothing any more
    fewer: tuple[str, ...] = ()  # columns that hold less than before

    @property
    def directory(self) -> str:
        return f"{self.table}_directory"

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns of whole numbers, but for check sums, which nobody compares."""
        others = (*self.texts, *self.absent, "crc")
        return tuple(name for name in self.columns if name not in others)

    @property
    def data(self) -> str:
        return f"{self.table}_block"


FORM = ("topic_id", "agent_id", "kind", "flags")
"""Of a message: what repeats from message to message is stored once in a segment, and a message has its number."""
MESSAGE = RowShape(
    "message", "seq",
    ("seq", "received_us", "topic_id", "agent_id", "kind", "flags", "crc", "properties", "payload"),
    ("received_us", "form"), ("properties", "payload"), ("payload",), 1_000, 256 * 1024,
)  # fmt: skip
LOG = RowShape(
    "log", "id",
    ("id", "seq", "time_us", "received_us", "agent_id", "level", "logger", "text", "error", "stack", "attributes"),
    ("seq", "time_us", "received_us", "agent_id", "level"), ("logger", "text", "error", "stack", "attributes"), (),
    256, 64 * 1024,
)  # fmt: skip
"""Small blocks: the newest records of an agent stand each in a block of its own."""
BATCH = RowShape(
    "batch", "id",
    ("id", "committed_us", "first_us", "last_us", "first_seq", "n", "n_samples", "n_logs", "n_tasks", "duplicates", "dropped",
     "unreadable", *IN_CHUNKS, "packets"),
    ("committed_us", "first_us", "last_us", "first_seq", "n", "n_samples", "n_logs", "n_tasks", "duplicates", "dropped",
     "unreadable"),
    ("packets",), ("packets",), 2_000, 256 * 1024, "last_us", IN_CHUNKS, ("packets",),
)  # fmt: skip
"""Where a fleet is quiet a batch is one message: as rows they would take as much as all else."""
SHAPES = {shape.table: shape for shape in (MESSAGE, LOG, BATCH)}

TABLES = """
CREATE TABLE {table}_directory (part INTEGER PRIMARY KEY, blocks INTEGER NOT NULL, first BLOB NOT NULL, n BLOB NOT NULL,
    first_us BLOB NOT NULL, last_us BLOB NOT NULL, text_bytes INTEGER NOT NULL);
CREATE TABLE {table}_block (block INTEGER PRIMARY KEY, data BLOB NOT NULL);
"""
"""The directory holds columns of many blocks in a row, packed: row id of the first row, rows, first and last arrival. Blocks
are numbered from 0. `text_bytes`: of all texts."""
MESSAGE_TABLES = """
CREATE TABLE message_form (id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, agent_id INTEGER NOT NULL,
    kind INTEGER NOT NULL, flags INTEGER NOT NULL);
CREATE TABLE message_agent (id INTEGER PRIMARY KEY, blocks BLOB NOT NULL);
CREATE TABLE message_topic (id INTEGER PRIMARY KEY, blocks BLOB NOT NULL);
"""
"""Which blocks hold messages of an agent, and of a topic: packed numbers, ascending."""
DIRECTORY_COPIES = {"message": -1, "log": -2, "batch": -3}
FORM_COPY = -4
"""Numbers of blocks, beside those of the table, that hold its directory, and the forms of messages, once more: as columns of
numbers under a check sum. Who salvages a damaged file reads them; a page that is gone would else cost all rows."""
