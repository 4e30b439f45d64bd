"""What the newest message of each topic was read as. Unknown of those before: the next that come tell it."""


def up(_migrator, db):  # type: ignore[no-untyped-def] # noqa: D103 - the runner's own signature
    db.execute_sql("ALTER TABLE topic_total ADD COLUMN kind INTEGER NOT NULL DEFAULT 0")
    db.execute_sql("PRAGMA user_version = 8")
