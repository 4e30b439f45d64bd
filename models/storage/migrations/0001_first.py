"""The first shape of the catalogue. Text of its own on purpose: the models go on, this does not."""

TABLES = """
CREATE TABLE workspace (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE capture (id INTEGER NOT NULL PRIMARY KEY, kind TEXT NOT NULL, started_us INTEGER NOT NULL, ended_us INTEGER,
    broker TEXT NOT NULL, client_id TEXT NOT NULL, host TEXT NOT NULL, version TEXT NOT NULL);
CREATE TABLE segment (id INTEGER NOT NULL PRIMARY KEY, capture_id INTEGER NOT NULL, layout INTEGER NOT NULL,
    state TEXT NOT NULL, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL, messages INTEGER NOT NULL,
    samples INTEGER NOT NULL, logs INTEGER NOT NULL, tasks INTEGER NOT NULL, bytes INTEGER NOT NULL,
    duplicates INTEGER NOT NULL, dropped INTEGER NOT NULL, unreadable INTEGER NOT NULL,
    payload_bytes INTEGER NOT NULL, taken_batch INTEGER NOT NULL);
CREATE TABLE topic (id INTEGER NOT NULL PRIMARY KEY, name BLOB NOT NULL);
CREATE UNIQUE INDEX topic_name ON topic (name);
CREATE TABLE agent (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, convention TEXT NOT NULL, own_name TEXT NOT NULL,
    own_group TEXT NOT NULL, given_name TEXT NOT NULL, given_group TEXT NOT NULL, note TEXT NOT NULL,
    host TEXT NOT NULL, version TEXT NOT NULL, capabilities TEXT NOT NULL, interval_us INTEGER NOT NULL,
    maintenance_until_us INTEGER NOT NULL, retired_us INTEGER NOT NULL);
CREATE UNIQUE INDEX agent_name ON agent (name);
CREATE TABLE series (id INTEGER NOT NULL PRIMARY KEY, agent_id INTEGER NOT NULL, metric TEXT NOT NULL,
    labels TEXT NOT NULL, unit TEXT NOT NULL, kind INTEGER NOT NULL, source TEXT NOT NULL);
CREATE INDEX series_agent_id ON series (agent_id);
CREATE TABLE agent_now (agent_id INTEGER NOT NULL PRIMARY KEY, presence INTEGER NOT NULL, condition INTEGER NOT NULL,
    cause TEXT NOT NULL, since_us INTEGER NOT NULL, first_seen_us INTEGER NOT NULL, last_seen_us INTEGER NOT NULL,
    messages INTEGER NOT NULL, cpu REAL, cpu_series INTEGER NOT NULL, memory REAL, memory_series INTEGER NOT NULL,
    response_series INTEGER NOT NULL, attempts_series INTEGER NOT NULL, successes_series INTEGER NOT NULL,
    errors_series INTEGER NOT NULL, tasks_open INTEGER NOT NULL);
CREATE TABLE open_task (agent_id INTEGER NOT NULL, task TEXT NOT NULL, reported_us INTEGER NOT NULL,
    PRIMARY KEY (agent_id, task));
CREATE TABLE gap (id INTEGER NOT NULL PRIMARY KEY, since_us INTEGER NOT NULL, until_us INTEGER NOT NULL,
    agent_id INTEGER NOT NULL, cause TEXT NOT NULL, count INTEGER NOT NULL, segment_id INTEGER NOT NULL);
CREATE INDEX gap_since_us ON gap (since_us);
CREATE TABLE audit (id INTEGER NOT NULL PRIMARY KEY, time_us INTEGER NOT NULL, command TEXT NOT NULL);
"""


def up(_migrator, db):  # type: ignore[no-untyped-def] # noqa: D103 - the runner's own signature
    for statement in TABLES.split(";"):
        if statement.strip():
            db.execute_sql(statement)
    db.execute_sql("PRAGMA user_version = 1")
