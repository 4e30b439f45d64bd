"""Totals per topic. What the catalogue had taken in before is counted from the segments; a segment that cannot be read
counts for nothing, as in all else."""

import logging
from pathlib import Path

import apsw

from models.storage.engine import open_reader

TABLE = """CREATE TABLE topic_total (topic_id INTEGER NOT NULL PRIMARY KEY, messages INTEGER NOT NULL,
    payload_bytes INTEGER NOT NULL, last_us INTEGER NOT NULL, agent_id INTEGER NOT NULL, revision INTEGER NOT NULL)"""
TAKEN = "SELECT id, taken_batch FROM segment WHERE state IN ('open', 'closed') ORDER BY last_us, id"
END = "SELECT coalesce(max(first_seq + n), 0) FROM batch WHERE id <= ?"
COUNTED = """SELECT topic_id, count(*), sum(length(payload)), max(received_us), agent_id
    FROM message NOT INDEXED WHERE seq < ? GROUP BY 1"""
ADD = """INSERT INTO topic_total VALUES (?, ?, ?, ?, ?, 0) ON CONFLICT(topic_id) DO UPDATE SET
    messages = messages + excluded.messages, payload_bytes = payload_bytes + excluded.payload_bytes,
    last_us = max(last_us, excluded.last_us), agent_id = excluded.agent_id"""
REVISION = "UPDATE topic_total SET revision = (SELECT coalesce(sum(taken_batch), 0) FROM segment)"


def up(_migrator, db):  # type: ignore[no-untyped-def] # noqa: D103 - the runner's own signature
    db.execute_sql(TABLE)
    folder = Path(db.database).parent / "segments"
    for id_, taken in list(db.execute_sql(TAKEN)):
        try:
            rows = _count(folder / f"{id_}.db", taken)
        except (apsw.Error, OSError) as error:
            logging.getLogger(__name__).warning("the topics of segment %d cannot be counted: %s", id_, error)
            continue
        for row in rows:
            db.execute_sql(ADD, row)
    db.execute_sql(REVISION)
    db.execute_sql("PRAGMA user_version = 2")


def _count(path, taken):  # type: ignore[no-untyped-def]
    reader = open_reader(path)
    try:
        (end,) = next(iter(reader.execute(END, (taken,))))
        return reader.execute(COUNTED, (end,)).fetchall()
    finally:
        reader.close()
