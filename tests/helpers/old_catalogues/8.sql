PRAGMA page_size=4096;

BEGIN TRANSACTION;

DROP TABLE IF EXISTS agent;
CREATE TABLE agent (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, convention TEXT NOT NULL, own_name TEXT NOT NULL,
    own_group TEXT NOT NULL, given_name TEXT NOT NULL, given_group TEXT NOT NULL, note TEXT NOT NULL,
    host TEXT NOT NULL, version TEXT NOT NULL, capabilities TEXT NOT NULL, interval_us INTEGER NOT NULL,
    maintenance_until_us INTEGER NOT NULL, retired_us INTEGER NOT NULL);
INSERT INTO agent VALUES(1,'a','','','','Anna','','','','','[]',0,0,0);
INSERT INTO agent VALUES(2,'agent-0','','','','','','=note ''x''','','','[]',0,0,0);
INSERT INTO agent VALUES(3,'agent-3','','','','','','','','','[]',0,0,0);
INSERT INTO agent VALUES(4,'agent-6','','','','','','','','','[]',0,0,0);
INSERT INTO agent VALUES(5,'agent-2','','','','','','','','','[]',0,0,0);
CREATE UNIQUE INDEX agent_name ON agent (name);

DROP TABLE IF EXISTS agent_now;
CREATE TABLE agent_now (agent_id INTEGER NOT NULL PRIMARY KEY, presence INTEGER NOT NULL, condition INTEGER NOT NULL,
    cause TEXT NOT NULL, since_us INTEGER NOT NULL, first_seen_us INTEGER NOT NULL, last_seen_us INTEGER NOT NULL,
    messages INTEGER NOT NULL, cpu REAL, cpu_series INTEGER NOT NULL, memory REAL, memory_series INTEGER NOT NULL,
    response_series INTEGER NOT NULL, attempts_series INTEGER NOT NULL, successes_series INTEGER NOT NULL,
    errors_series INTEGER NOT NULL, tasks_open INTEGER NOT NULL, imported INTEGER NOT NULL DEFAULT 0);
INSERT INTO agent_now VALUES(1,3,0,'not-heard',1767225600000000,1767225600000000,1767225603300000,4,0.09,1,NULL,0,0,0,0,0,0,0);
INSERT INTO agent_now VALUES(2,3,0,'not-heard',1767225600000000,1767225600000001,1767225600000001,1,NULL,0,NULL,0,0,0,0,0,0,0);
INSERT INTO agent_now VALUES(3,3,0,'not-heard',1767225600000000,1767225601100001,1767225601100001,1,NULL,0,NULL,0,0,0,0,0,0,0);
INSERT INTO agent_now VALUES(4,3,0,'not-heard',1767225600000000,1767225602200001,1767225602200001,1,NULL,0,NULL,0,0,0,0,0,0,0);
INSERT INTO agent_now VALUES(5,3,0,'not-heard',1767225600000000,1767225603300001,1767225603300001,1,NULL,0,NULL,0,0,0,0,0,0,0);

DROP TABLE IF EXISTS audit;
CREATE TABLE audit (id INTEGER NOT NULL PRIMARY KEY, time_us INTEGER NOT NULL, command TEXT NOT NULL);
INSERT INTO audit VALUES(1,1767225604400000,'{"do": "agent.rename", "agent": "a", "name": "Anna"}');
INSERT INTO audit VALUES(2,1767225604400000,'{"do": "agent.note", "agent": "agent-0", "note": "=note ''x''"}');

DROP TABLE IF EXISTS capture;
CREATE TABLE capture (id INTEGER NOT NULL PRIMARY KEY, kind TEXT NOT NULL, started_us INTEGER NOT NULL, ended_us INTEGER,
    broker TEXT NOT NULL, client_id TEXT NOT NULL, host TEXT NOT NULL, version TEXT NOT NULL);
INSERT INTO capture VALUES(1,'record',1767225600000000,1767225604400000,'mqtt://broker','client','vm','0');

DROP TABLE IF EXISTS gap;
CREATE TABLE gap (id INTEGER NOT NULL PRIMARY KEY, since_us INTEGER NOT NULL, until_us INTEGER NOT NULL,
    agent_id INTEGER NOT NULL, cause TEXT NOT NULL, count INTEGER NOT NULL, segment_id INTEGER NOT NULL);
CREATE INDEX gap_since_us ON gap (since_us);

DROP TABLE IF EXISTS hours;
CREATE TABLE hours (id INTEGER NOT NULL PRIMARY KEY, week INTEGER NOT NULL, bucket INTEGER NOT NULL,
    segment_id INTEGER NOT NULL, parts INTEGER NOT NULL, bytes INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX hours_bucket_week_segment_id_bytes ON hours (bucket, week, segment_id, bytes);
CREATE INDEX hours_segment_id_week_bucket_bytes ON hours (segment_id, week, bucket, bytes);

DROP TABLE IF EXISTS imported_file;
CREATE TABLE imported_file (id INTEGER NOT NULL PRIMARY KEY, capture_id INTEGER NOT NULL, path TEXT NOT NULL,
    digest TEXT NOT NULL, bytes INTEGER NOT NULL);
CREATE INDEX imported_file_digest ON imported_file (digest);

DROP TABLE IF EXISTS open_task;
CREATE TABLE open_task (agent_id INTEGER NOT NULL, task TEXT NOT NULL, reported_us INTEGER NOT NULL,
    PRIMARY KEY (agent_id, task));

DROP TABLE IF EXISTS remembered;
CREATE TABLE remembered (topic_id INTEGER NOT NULL PRIMARY KEY, received_us INTEGER NOT NULL, properties TEXT,
    payload BLOB NOT NULL);

DROP TABLE IF EXISTS schema_migration;
CREATE TABLE "schema_migration" ("id" INTEGER NOT NULL PRIMARY KEY, "name" VARCHAR(255) NOT NULL, "applied" DATETIME NOT NULL);
INSERT INTO schema_migration VALUES(1,'0001_first','2026-11-28 17:17:20.193446');
INSERT INTO schema_migration VALUES(2,'0002_topic_totals','2026-11-28 17:17:20.194447');
INSERT INTO schema_migration VALUES(3,'0003_imports','2026-11-28 17:17:20.198205');
INSERT INTO schema_migration VALUES(4,'0004_sealing','2026-11-28 17:17:20.200922');
INSERT INTO schema_migration VALUES(5,'0005_hours','2026-11-28 17:17:20.202974');
INSERT INTO schema_migration VALUES(6,'0006_remembered','2026-11-28 17:17:20.204216');
INSERT INTO schema_migration VALUES(7,'0007_generations','2026-11-28 17:17:20.207216');
INSERT INTO schema_migration VALUES(8,'0008_topic_kinds','2026-11-28 17:17:20.209334');
CREATE UNIQUE INDEX "schema_migration_name" ON "schema_migration" ("name");

DROP TABLE IF EXISTS segment;
CREATE TABLE segment (id INTEGER NOT NULL PRIMARY KEY, capture_id INTEGER NOT NULL, layout INTEGER NOT NULL,
    state TEXT NOT NULL, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL, messages INTEGER NOT NULL,
    samples INTEGER NOT NULL, logs INTEGER NOT NULL, tasks INTEGER NOT NULL, bytes INTEGER NOT NULL,
    duplicates INTEGER NOT NULL, dropped INTEGER NOT NULL, unreadable INTEGER NOT NULL,
    payload_bytes INTEGER NOT NULL, taken_batch INTEGER NOT NULL, unsealed_bytes INTEGER NOT NULL DEFAULT 0, seal_failures INTEGER NOT NULL DEFAULT 0, generation INTEGER NOT NULL DEFAULT 0);
INSERT INTO segment VALUES(1,1,1,'closed',1767225600000000,1767225603300002,12,4,0,0,143360,0,0,0,2456,4,0,0,0);

DROP TABLE IF EXISTS series;
CREATE TABLE series (id INTEGER NOT NULL PRIMARY KEY, agent_id INTEGER NOT NULL, metric TEXT NOT NULL,
    labels TEXT NOT NULL, unit TEXT NOT NULL, kind INTEGER NOT NULL, source TEXT NOT NULL, imported INTEGER NOT NULL DEFAULT 0);
INSERT INTO series VALUES(1,1,'cpu_percent','','',0,'test',0);
CREATE INDEX series_agent_id ON series (agent_id);

DROP TABLE IF EXISTS topic;
CREATE TABLE topic (id INTEGER NOT NULL PRIMARY KEY, name BLOB NOT NULL);
INSERT INTO topic VALUES(1,X'7430');
INSERT INTO topic VALUES(2,X'7431');
INSERT INTO topic VALUES(3,X'7432');
CREATE UNIQUE INDEX topic_name ON topic (name);

DROP TABLE IF EXISTS topic_total;
CREATE TABLE topic_total (topic_id INTEGER NOT NULL PRIMARY KEY, messages INTEGER NOT NULL,
    payload_bytes INTEGER NOT NULL, last_us INTEGER NOT NULL, agent_id INTEGER NOT NULL, revision INTEGER NOT NULL, kind INTEGER NOT NULL DEFAULT 0);
INSERT INTO topic_total VALUES(1,4,670,1767225603300000,1,4,2);
INSERT INTO topic_total VALUES(2,4,819,1767225603300001,5,4,2);
INSERT INTO topic_total VALUES(3,4,967,1767225603300002,0,4,2);

DROP TABLE IF EXISTS workspace;
CREATE TABLE workspace (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO workspace VALUES('id','73274071-8f01-49fc-8b8b-60b3a4edbdb3');
INSERT INTO workspace VALUES('created_us','1767225600000000');

pragma user_version=8;
pragma application_id=1297437261;

COMMIT TRANSACTION;
