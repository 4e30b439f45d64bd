"""Tables of samples in a sealed segment.

A *group* is a set of series that come in the same messages, so that they share times. A *chunk* holds some rows of one large
group or of many small ones, a row being one message that held samples (a *stamp*, in the order of storing: its *place*). A
*column* holds the values of one or more series of a chunk, series after series.
"""

import apsw

_TABLES = """
CREATE TABLE sample_chunk (
    id INTEGER PRIMARY KEY,
    first_us INTEGER NOT NULL, last_us INTEGER NOT NULL,  -- earliest and latest arrival
    first INTEGER NOT NULL, last INTEGER NOT NULL,  -- first and last place
    n_rows INTEGER NOT NULL,
    time BLOB NOT NULL,  -- i64: the agents' own times, µs
    delay BLOB NOT NULL,  -- i64: how much later each arrived, µs
    place BLOB NOT NULL  -- u32
);
CREATE TABLE sample_column (
    id INTEGER PRIMARY KEY,  -- chunk × 65536 + number in the chunk
    n INTEGER NOT NULL,
    value BLOB NOT NULL,  -- f64
    step BLOB  -- u32: rows from the series' first one; NULL where every series has one value in each of its rows
);
CREATE TABLE sample_series (
    series_id INTEGER NOT NULL, chunk INTEGER NOT NULL,
    col INTEGER NOT NULL, at INTEGER NOT NULL, n INTEGER NOT NULL,  -- its values: where in which column, and how many
    first_row INTEGER NOT NULL,  -- of its group in the chunk
    PRIMARY KEY (series_id, chunk)
) WITHOUT ROWID;
CREATE TABLE sample_stamp (
    first INTEGER PRIMARY KEY,  -- place of the first stamp
    n INTEGER NOT NULL, n_samples INTEGER NOT NULL, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL,
    first_batch INTEGER NOT NULL, last_batch INTEGER NOT NULL,
    batch BLOB NOT NULL, seq BLOB NOT NULL, width BLOB NOT NULL  -- i64: batch and message; u32: samples of each stamp
);
"""
IN_CHUNKS = ("agents", "samples")
"""Columns of a batch that these tables stand for."""
COLUMNS = 65_536
"""Columns of a chunk at the most."""


def create_tables(target: apsw.Connection) -> None:
    """Make them; the transaction is the caller's."""
    for _ in target.execute(_TABLES):
        pass


def has_chunks(connection: apsw.Connection) -> bool:
    """Whether a segment holds its samples in these tables, or in its batches."""
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'sample_chunk'").fetchall()
    return bool(found)
