"""Writes a closed segment anew as layout 2. The source is only read; what is written counts for nothing before it is whole,
on the disk, and compared with the source row by row."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import apsw

from models.domain.problems import EnvironmentProblem, trouble
from models.storage.access import create_private_file, sync_file
from models.storage.engine import APPLICATION_ID, open_reader
from models.storage.keeping.segment_hours import write_hours
from models.storage.sealing.comparison import compare
from models.storage.sealing.log_fields import LogFieldWriter
from models.storage.sealing.log_index import LogIndexWriter
from models.storage.sealing.row_shapes import SHAPES
from models.storage.sealing.row_writing import write_batches, write_logs, write_messages
from models.storage.sealing.sample_chunks import write_samples
from models.storage.sealing.table_sums import SUMS, table_sums
from models.storage.segments.open_segment import DAMAGE
from models.storage.segments.schema import SEALED_LAYOUT
from models.storage.segments.segment_file import remove_files
from models.storage.store_errors import DAMAGED, problems_of

CACHE_KIB = 16 * 1024
"""Memory that the engine may use, whatever the segment holds."""
FEW_ROWS = 1_000
"""A table with fewer is read as fast without its indexes, each of which takes a page at least."""
UNSEALED_BYTES = "unsealed_bytes"
"""In `meta`: how large the file was before."""


def seal(source: Path, target: Path) -> None:
    """Write `source`, which nobody writes any more, to `target`, durably. What was there before goes;
    what fails leaves nothing.

    Raises `EnvironmentProblem` sealing.damaged where the source cannot be read whole, store.full and store.io.
    """
    remove_files(target)
    try:
        with problems_of(target, let=(*DAMAGED, EnvironmentProblem)):
            create_private_file(target)
            _write(source, target)
            sync_file(target)
            compare(source, target)
    except BaseException as error:
        with contextlib.suppress(OSError):  # the next attempt does
            remove_files(target)
        if isinstance(error, DAMAGE):
            raise trouble("sealing.damaged", path=str(source), detail=str(error)) from error
        raise


def _write(source: Path, target: Path) -> None:
    with _making(target) as writer:
        writer.execute("ATTACH ? AS source", (f"file:{quote(str(source))}?mode=ro&immutable=1",))
        writer.execute("BEGIN")
        for name, sql in _schema(writer, "table"):
            writer.execute(sql)
            if name != "meta":
                writer.execute(f"INSERT INTO main.{name} SELECT * FROM source.{name}")
        with _reading(source) as reader:
            write_batches(reader, writer)
            write_samples(reader, writer)
            write_messages(reader, writer)
            write_logs(reader, writer, (LogIndexWriter(writer), LogFieldWriter(writer)))
            write_hours(reader, writer)
        for table, sql in _schema(writer, "index"):
            if len(writer.execute(f"SELECT 1 FROM main.{table} LIMIT {FEW_ROWS}").fetchall()) == FEW_ROWS:
                writer.execute(sql)
        writer.execute("INSERT INTO main.meta SELECT * FROM source.meta")
        more = {UNSEALED_BYTES: source.stat().st_size, SUMS: table_sums(writer), "layout": SEALED_LAYOUT}
        told = [(key, str(value)) for key, value in more.items()]
        writer.executemany("INSERT OR REPLACE INTO main.meta VALUES (?, ?)", told)  # its layout last: then it is whole
        writer.execute("COMMIT")


@contextlib.contextmanager
def _making(target: Path) -> Iterator[apsw.Connection]:
    """Without a journal: what goes wrong is thrown away."""
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_NOMUTEX
    writer = apsw.Connection(str(target), flags=flags)
    try:
        for name, value in (("journal_mode", "OFF"), ("synchronous", "OFF"), ("locking_mode", "EXCLUSIVE")):
            writer.pragma(name, value)
        writer.pragma("cache_size", -CACHE_KIB)
        writer.pragma("application_id", APPLICATION_ID)
        yield writer
    finally:
        writer.close()


def _schema(writer: apsw.Connection, kind: str) -> list[tuple[str, str]]:
    """Tables, and statements that make them or their indexes, of what is taken over as it is."""
    query = "SELECT tbl_name, sql FROM source.sqlite_schema WHERE type = ? AND sql IS NOT NULL ORDER BY name"
    return [(str(table), str(sql)) for table, sql in writer.execute(query, (kind,)) if table not in SHAPES]


@contextlib.contextmanager
def _reading(source: Path) -> Iterator[apsw.Connection]:
    reader = open_reader(source, immutable=True)
    try:
        yield reader
    finally:
        reader.close()
