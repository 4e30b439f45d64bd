"""Tables of `tasks.db`. Written by the recorder's task thread alone.

A file of its own, not a part of the catalogue: that belongs to the thread that stores messages, whose commits a thousand tasks a
second would make longer; and it may be made anew from the segments, which know nothing of what was only planned.
"""

from peewee import SQL, FloatField, IntegerField, Model, TextField

SCHEMA = 1
"""user_version. A file with a larger one is refused."""


class TaskModel(Model):
    class Meta:
        legacy_table_names = False


class Task(TaskModel):
    """`models.domain.tasks.work.Work`. `targets`: names of agents as a JSON list; `input`, `result`: as told; times wall time in
    microseconds, 0: not yet."""

    id = TextField(primary_key=True)
    type = TextField()
    input = TextField()
    targets = TextField()
    capability = TextField()
    fan = TextField()
    gather = TextField()
    deadline_us = IntegerField()
    attempts = IntegerField()
    backoff_us = IntegerField()
    idempotent = IntegerField()
    parent = TextField()
    requester = TextField()
    reply_to = TextField()
    created_us = IntegerField(index=True)
    state = IntegerField()
    reason = TextField()
    agent = TextField()
    attempt = IntegerField()
    attempts_most = IntegerField()
    sending = IntegerField()
    progress = FloatField(null=True)
    result = TextField(null=True)
    error = TextField(null=True)
    sent_us = IntegerField()
    started_us = IntegerField()
    ended_us = IntegerField()
    due_us = IntegerField()
    cancel_us = IntegerField()
    children = IntegerField()


Task.add_index(Task.parent, where=SQL("parent <> ''"))
Task.add_index(Task.created_us, where=SQL("ended_us = 0"), name="task_open")


class TaskStep(TaskModel):
    """`models.domain.tasks.work.Step`: a line of a task's history, in the order in which it was written."""

    id = IntegerField(primary_key=True)
    task = TextField(index=True)
    time_us = IntegerField()
    attempt = IntegerField()
    agent = TextField()
    state = IntegerField()
    reason = TextField()
    text = TextField()


class AgentCommand(TaskModel):
    """`models.domain.tasks.commands.AgentCommand`, noted before it is published."""

    id = TextField(primary_key=True)
    agent = TextField()
    name = TextField()
    arguments = TextField()
    asked_us = IntegerField(index=True)
    sending = IntegerField()
    state = TextField()
    answered_us = IntegerField()
    answer = TextField(null=True)


class AgentLimit(TaskModel):
    """How many tasks an agent may have from us at a time, as the user says."""

    agent = TextField(primary_key=True)
    most = IntegerField()


class Heard(TaskModel):
    """One row: up to which arrival the segments' reports were taken, and as whom we give tasks."""

    id = IntegerField(primary_key=True)
    us = TextField()
    received_us = IntegerField()


TASK_MODELS = [Task, TaskStep, AgentCommand, AgentLimit, Heard]
