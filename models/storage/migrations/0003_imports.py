"""Recorded traffic beside what is recorded live: which files were imported, and what is known from imports alone."""

STATEMENTS = """
CREATE TABLE imported_file (id INTEGER NOT NULL PRIMARY KEY, capture_id INTEGER NOT NULL, path TEXT NOT NULL,
    digest TEXT NOT NULL, bytes INTEGER NOT NULL);
CREATE INDEX imported_file_digest ON imported_file (digest);
ALTER TABLE series ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agent_now ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;
"""


def up(_migrator, db):  # type: ignore[no-untyped-def] # noqa: D103 - the runner's own signature
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            db.execute_sql(statement)
    db.execute_sql("PRAGMA user_version = 3")
