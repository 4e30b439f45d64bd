"""Hour roll-ups, which outlive the samples that they sum up."""

STATEMENTS = """
CREATE TABLE hours (id INTEGER NOT NULL PRIMARY KEY, week INTEGER NOT NULL, bucket INTEGER NOT NULL,
    segment_id INTEGER NOT NULL, parts INTEGER NOT NULL, bytes INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX hours_bucket_week_segment_id_bytes ON hours (bucket, week, segment_id, bytes);
CREATE INDEX hours_segment_id_week_bucket_bytes ON hours (segment_id, week, bucket, bytes);
"""


def up(_migrator, db):  # type: ignore[no-untyped-def] # noqa: D103 - the runner's own signature
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            db.execute_sql(statement)
    db.execute_sql("PRAGMA user_version = 5")
