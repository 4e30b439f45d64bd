"""Tables of `catalogue.db`: what is known now, and what only the user knows. Changed by numbered migrations alone.

Everything but the user's own words (given names, groups, notes, maintenance, retirement, annotations), `removed` gaps, hour roll-ups of
what is gone and which files were imported can be rebuilt from the segments. Written by the recorder's ingest thread.
"""

from peewee import BlobField, CompositeKey, FloatField, IntegerField, Model, TextField

SCHEMA = 9
"""Number of the newest migration; stored as user_version. A file with a larger one is refused."""


class CatalogueModel(Model):
    class Meta:
        legacy_table_names = False


class Workspace(CatalogueModel):
    """Key and value: id (UUID text), created_us."""

    key = TextField(primary_key=True)
    value = TextField()


class Capture(CatalogueModel):
    """One recorder run, or one import."""

    id = IntegerField(primary_key=True)
    kind = TextField()  # record, import
    started_us = IntegerField()
    ended_us = IntegerField(null=True)  # NULL while it runs, or after a crash until the next start
    broker = TextField()  # address without secrets; empty for an import
    client_id = TextField()
    host = TextField()
    version = TextField()


class Segment(CatalogueModel):
    """One file `segments/<id>.db`. `state`: open, closed, removed (by retention), quarantined; or importing: nobody reads it,
    and it is removed unless its import ends well."""

    id = IntegerField(primary_key=True)
    capture_id = IntegerField()
    layout = IntegerField()
    state = TextField()
    first_us = IntegerField()
    last_us = IntegerField()
    messages = IntegerField()
    samples = IntegerField()
    logs = IntegerField()
    tasks = IntegerField()
    bytes = IntegerField()
    duplicates = IntegerField()
    dropped = IntegerField()
    unreadable = IntegerField()
    payload_bytes = IntegerField()
    taken_batch = IntegerField()  # last batch that the catalogue has taken in
    unsealed_bytes = IntegerField(default=0)  # before it was sealed; 0: it is not
    seal_failures = IntegerField(default=0)  # attempts to seal it that failed so far
    generation = IntegerField(default=0)  # how often it was read again


class Topic(CatalogueModel):
    id = IntegerField(primary_key=True)
    name = BlobField(unique=True)


class TopicTotal(CatalogueModel):
    """What came on a topic since the workspace was made, retention or not. Derived from the messages of the segments.
    `revision` rises with every take-in that changed the row: the sum of all `Segment.taken_batch` then."""

    topic_id = IntegerField(primary_key=True)
    messages = IntegerField()
    payload_bytes = IntegerField()
    last_us = IntegerField()
    agent_id = IntegerField()  # of the newest message; 0: none
    revision = IntegerField()
    kind = IntegerField(default=0)  # of the newest message, as `domain.messages.Kind`


class Agent(CatalogueModel):
    """`name` is the id that agents and exports use. `given_*` are the user's words and win over the agent's own."""

    id = IntegerField(primary_key=True)
    name = TextField(unique=True)
    convention = TextField(default="")
    own_name = TextField(default="")
    own_group = TextField(default="")
    given_name = TextField(default="")
    given_group = TextField(default="")
    note = TextField(default="")
    host = TextField(default="")
    version = TextField(default="")
    capabilities = TextField(default="[]")
    interval_us = IntegerField(default=0)
    maintenance_until_us = IntegerField(default=0)
    retired_us = IntegerField(default=0)


class Series(CatalogueModel):
    id = IntegerField(primary_key=True)
    agent_id = IntegerField(index=True)
    metric = TextField()
    labels = TextField()
    unit = TextField()
    kind = IntegerField()
    source = TextField()
    imported = IntegerField(default=0)  # 1: known from imports alone


class AgentNow(CatalogueModel):
    """One row per agent: the fleet's first paint. As of batch `taken_batch` of the segments. `cpu` and `memory` are in the
    unit of their series' `domain.headline.Headline` (100 − idle already taken).

    `imported` 1: its presence is how an import ended. It stands until the agent is heard live; whether we record does not
    touch it."""

    agent_id = IntegerField(primary_key=True)
    presence = IntegerField()
    condition = IntegerField()
    cause = TextField()
    since_us = IntegerField()
    first_seen_us = IntegerField()
    last_seen_us = IntegerField()
    messages = IntegerField()
    cpu = FloatField(null=True)
    cpu_series = IntegerField(default=0)
    memory = FloatField(null=True)
    memory_series = IntegerField(default=0)
    response_series = IntegerField(default=0)
    attempts_series = IntegerField(default=0)
    successes_series = IntegerField(default=0)
    errors_series = IntegerField(default=0)
    tasks_open = IntegerField(default=0)
    imported = IntegerField(default=0)


class OpenTask(CatalogueModel):
    """Tasks not yet ended, as last reported: what `AgentNow.tasks_open` counts. Goes when its report goes."""

    agent_id = IntegerField()
    task = TextField()
    reported_us = IntegerField()

    class Meta:
        primary_key = CompositeKey("agent_id", "task")


class Gap(CatalogueModel):
    """Gaps of all segments, and those that no segment can tell of: time without recorder, and what retention removed."""

    id = IntegerField(primary_key=True)
    since_us = IntegerField(index=True)
    until_us = IntegerField()
    agent_id = IntegerField()
    cause = TextField()
    count = IntegerField()
    segment_id = IntegerField()  # 0: none


class ImportedFile(CatalogueModel):
    """What an import brought in, so that nobody imports the same file twice without knowing."""

    id = IntegerField(primary_key=True)
    capture_id = IntegerField()
    path = TextField()
    digest = TextField(index=True)
    bytes = IntegerField()


class Hours(CatalogueModel):
    """Hour roll-ups (`hour_columns`) of `BUCKET` series in a row in one week. Derived from the samples of a segment, which
    they outlive: `segment_id` is 0 where those are gone and rows may be joined, -1 where the row is damaged."""

    id = IntegerField(primary_key=True)
    week = IntegerField()  # since 1970-01-01
    bucket = IntegerField()
    segment_id = IntegerField()
    parts = IntegerField()
    bytes = IntegerField()
    data = BlobField()

    class Meta:
        indexes = (
            (("bucket", "week", "segment_id", "bytes"), False),
            (("segment_id", "week", "bucket", "bytes"), False),
        )


class Remembered(CatalogueModel):
    """The last message of each topic that others cannot be read without, as the segments mark them; an empty one removed it.
    Outlives its segment."""

    topic_id = IntegerField(primary_key=True)
    received_us = IntegerField()
    properties = TextField(null=True)  # as of a segment's messages
    payload = BlobField()


class Annotation(CatalogueModel):
    """What people marked in time. Primary: no segment knows of it, and retention leaves it alone. How often they changed
    stands in `workspace`, as `annotations`."""

    id = TextField(primary_key=True)  # UUIDv7
    since_us = IntegerField()
    until_us = IntegerField()  # `since_us`: a moment
    agent_id = IntegerField()  # 0: everybody
    text = TextField()
    tags = TextField()  # a JSON array
    changed_us = IntegerField()


class Audit(CatalogueModel):
    """What the user changed, before it took effect."""

    id = IntegerField(primary_key=True)
    time_us = IntegerField()
    command = TextField()  # JSON, as submitted


CATALOGUE_MODELS = [
    Workspace, Capture, Segment, Topic, TopicTotal, Agent, Series, AgentNow, OpenTask, Gap, ImportedFile, Hours,
    Remembered, Annotation, Audit,
]  # fmt: skip
