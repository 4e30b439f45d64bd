"""Tables of a segment file, layout 1. A segment is bounded, written by one capture, and never migrated: a reader knows the
last layouts. It carries the names of all ids it uses, so that it can be read alone.

Times are microseconds UTC. `seq` counts messages densely from 1 within the segment; `batch.id` counts commits from 1.
"""

from peewee import BlobField, FloatField, IntegerField, Model, TextField

from models.storage.engine import WorkspaceDatabase

LAYOUT = 1
"""Of what is written batch by batch."""
SEALED_LAYOUT = 2
"""Of a closed segment written anew by `models.storage.sealing`; the newest that is known."""


class SegmentModel(Model):
    class Meta:
        legacy_table_names = False


class Meta(SegmentModel):
    """Key and value: layout, capture, segment, workspace, created_us; closed_us once it is closed."""

    key = TextField(primary_key=True)
    value = TextField()


class Topic(SegmentModel):
    id = IntegerField(primary_key=True)
    name = BlobField()  # bytes, as a topic need not be UTF-8


class Agent(SegmentModel):
    id = IntegerField(primary_key=True)
    name = TextField()


class Series(SegmentModel):
    id = IntegerField(primary_key=True)
    agent_id = IntegerField()
    metric = TextField()
    labels = TextField()
    unit = TextField()
    kind = IntegerField()  # names.SeriesKind
    source = TextField()


class Batch(SegmentModel):
    """One commit. Messages `first_seq` … `first_seq + n - 1` belong to it. `agents` is the sorted u32 list of agents with
    samples, `samples` the columns of `sample_columns`; both NULL where there are none."""

    id = IntegerField(primary_key=True)
    committed_us = IntegerField()
    first_us = IntegerField()  # arrival of the first and the last message; both the commit's time where n is 0
    last_us = IntegerField(index=True)
    first_seq = IntegerField()
    n = IntegerField()
    n_samples = IntegerField()
    n_logs = IntegerField()
    n_tasks = IntegerField()
    duplicates = IntegerField()
    dropped = IntegerField()
    unreadable = IntegerField()
    agents = BlobField(null=True)
    packets = BlobField(null=True)  # (packet id, CRC) u32 pairs of QoS 1 messages not known to be acknowledged
    samples = BlobField(null=True)


class Message(SegmentModel):
    """`flags`: bits 0–1 QoS, 2 retain, 3 duplicate, 4–5 origin, 6 to be remembered, 7 to be forgotten with what was
    remembered of its topic. `properties`: compact JSON, NULL where there are none."""

    seq = IntegerField(primary_key=True)
    received_us = IntegerField()
    topic_id = IntegerField()
    agent_id = IntegerField(index=True)  # not while more arrives than an index can follow
    kind = IntegerField()
    flags = IntegerField()
    crc = IntegerField()
    properties = TextField(null=True)
    payload = BlobField()


class Log(SegmentModel):
    id = IntegerField(primary_key=True)
    seq = IntegerField()
    time_us = IntegerField()
    received_us = IntegerField()
    agent_id = IntegerField(index=True)
    level = IntegerField()
    logger = TextField(null=True)
    text = TextField()
    error = TextField(null=True)
    stack = TextField(null=True)
    attributes = TextField(null=True)


class TaskReport(SegmentModel):
    id = IntegerField(primary_key=True)
    seq = IntegerField()
    time_us = IntegerField()
    received_us = IntegerField()
    agent_id = IntegerField(index=True)
    task = TextField()
    type = TextField(null=True)
    state = IntegerField()
    parent = TextField(null=True)
    requester = TextField(null=True)
    attempt = IntegerField(null=True)
    progress = FloatField(null=True)
    result = TextField(null=True)
    error = TextField(null=True)


class Interaction(SegmentModel):
    id = IntegerField(primary_key=True)
    seq = IntegerField()
    time_us = IntegerField(index=True)
    received_us = IntegerField()
    from_id = IntegerField()
    to_id = IntegerField()
    kind = TextField()
    exchange = TextField()
    reply_us = IntegerField(null=True)
    outcome = IntegerField()


class Attempt(SegmentModel):
    id = IntegerField(primary_key=True)
    seq = IntegerField()
    time_us = IntegerField()
    received_us = IntegerField()
    agent_id = IntegerField(index=True)
    outcome = IntegerField()
    error = TextField(null=True)
    duration_us = IntegerField(null=True)
    target = TextField(null=True)


class PresenceChange(SegmentModel):
    id = IntegerField(primary_key=True)
    batch_id = IntegerField()
    time_us = IntegerField()
    agent_id = IntegerField(index=True)
    presence = IntegerField()
    condition = IntegerField()
    cause = TextField()


class Declaration(SegmentModel):
    id = IntegerField(primary_key=True)
    seq = IntegerField()
    agent_id = IntegerField()
    convention = TextField()
    name = TextField(null=True)
    group = TextField(null=True)
    interval_us = IntegerField(null=True)
    host = TextField(null=True)
    version = TextField(null=True)
    capabilities = TextField(null=True)  # JSON list


class Gap(SegmentModel):
    id = IntegerField(primary_key=True)
    batch_id = IntegerField()
    since_us = IntegerField()
    until_us = IntegerField()
    agent_id = IntegerField()
    cause = TextField()
    count = IntegerField()


class Unreadable(SegmentModel):
    """Messages that are stored but could not be read."""

    seq = IntegerField(primary_key=True)
    topic_id = IntegerField()
    reason = TextField()


class Pulse(SegmentModel):
    """What all agents did in ten seconds, as columns (`pulse_columns`): what the fleet view draws without reading samples.
    Additive: two rows of the same ten seconds are merged by whoever reads them."""

    id = IntegerField(primary_key=True)
    since_us = IntegerField(index=True)  # start of the ten seconds, by arrival
    batch_id = IntegerField()  # last batch counted in
    n = IntegerField()
    data = BlobField()
    responses = BlobField(null=True)


SEGMENT_MODELS = [
    Meta, Topic, Agent, Series, Batch, Message, Log, TaskReport, Interaction, Attempt, PresenceChange, Declaration, Gap,
    Unreadable, Pulse,
]  # fmt: skip


def create_tables(database: WorkspaceDatabase) -> None:
    """Make an empty segment of the present layout."""
    with database.bind_ctx(SEGMENT_MODELS):
        database.create_tables(SEGMENT_MODELS, safe=False)


def index_messages(database: WorkspaceDatabase) -> None:
    """The index on messages that `leave_messages_unindexed` took away."""
    database.execute_sql('CREATE INDEX IF NOT EXISTS "message_agent_id" ON "message" ("agent_id")')


def leave_messages_unindexed(database: WorkspaceDatabase) -> None:
    """Where a commit holds messages of a thousand agents, the index costs it a thousand pages: more than all else."""
    database.execute_sql('DROP INDEX IF EXISTS "message_agent_id"')
