"""Messages that later ones cannot be read without. Those of segments written before are not marked: the next that come are."""

TABLE = """CREATE TABLE remembered (topic_id INTEGER NOT NULL PRIMARY KEY, received_us INTEGER NOT NULL, properties TEXT,
    payload BLOB NOT NULL)"""


def up(_migrator, db):  # type: ignore[no-untyped-def] # noqa: D103 - the runner's own signature
    db.execute_sql(TABLE)
    db.execute_sql("PRAGMA user_version = 6")
