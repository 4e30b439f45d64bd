"""What people marked in time, in their own words."""

TABLE = """CREATE TABLE annotation (id TEXT NOT NULL PRIMARY KEY, since_us INTEGER NOT NULL, until_us INTEGER NOT NULL,
    agent_id INTEGER NOT NULL, text TEXT NOT NULL, tags TEXT NOT NULL, changed_us INTEGER NOT NULL)"""


def up(_migrator, db):  # type: ignore[no-untyped-def] # noqa: D103 - the runner's own signature
    db.execute_sql(TABLE)
    db.execute_sql("PRAGMA user_version = 9")
