"""How often each segment was read again."""


def up(_migrator, db):  # type: ignore[no-untyped-def] # noqa: D103 - the runner's own signature
    db.execute_sql("ALTER TABLE segment ADD COLUMN generation INTEGER NOT NULL DEFAULT 0")
    db.execute_sql("PRAGMA user_version = 7")
