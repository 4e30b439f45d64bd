"""What sealing did to a segment: how large it was before, and how often it failed."""

STATEMENTS = """
ALTER TABLE segment ADD COLUMN unsealed_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE segment ADD COLUMN seal_failures INTEGER NOT NULL DEFAULT 0;
"""


def up(_migrator, db):  # type: ignore[no-untyped-def] # noqa: D103 - the runner's own signature
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            db.execute_sql(statement)
    db.execute_sql("PRAGMA user_version = 4")
