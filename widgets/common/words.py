"""Stored codes as words a person reads, in the language of the window. No sentence lives in the store."""

from collections.abc import Mapping

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from models.domain.control import Link
from models.domain.messages import Kind, Origin
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.problems import PROBLEMS, Problem, Severity, fill
from models.domain.records import GapCause, Level, Outcome, TaskState
from models.domain.tasks.work import Reason
from widgets.common.plain import visible

PARAM_LIMIT = 300
DATASETS = (
    "messages", "samples", "logs", "presence", "agents", "tasks", "interactions", "connections", "gaps", "unreadable",
    "annotations",
)  # fmt: skip
"""What can be exported, in the order in which it is offered."""

_PRESENCES = {
    Presence.ONLINE: QT_TRANSLATE_NOOP("Presence", "online"),
    Presence.STOPPED: QT_TRANSLATE_NOOP("Presence", "stopped"),
    Presence.UNKNOWN: QT_TRANSLATE_NOOP("Presence", "unknown"),
    Presence.LATE: QT_TRANSLATE_NOOP("Presence", "late"),
    Presence.OFFLINE: QT_TRANSLATE_NOOP("Presence", "offline"),
}
_CONDITIONS = {
    Condition.OK: QT_TRANSLATE_NOOP("Condition", "ok"),
    Condition.STARTING: QT_TRANSLATE_NOOP("Condition", "starting"),
    Condition.ASLEEP: QT_TRANSLATE_NOOP("Condition", "asleep"),
    Condition.DEGRADED: QT_TRANSLATE_NOOP("Condition", "degraded"),
}
_CAUSES = {
    Cause.HEARD: QT_TRANSLATE_NOOP("Cause", "heard"),
    Cause.STATUS: QT_TRANSLATE_NOOP("Cause", "its own word"),
    Cause.WILL: QT_TRANSLATE_NOOP("Cause", "will"),
    Cause.GOODBYE: QT_TRANSLATE_NOOP("Cause", "goodbye"),
    Cause.SILENCE: QT_TRANSLATE_NOOP("Cause", "silence"),
    Cause.REPLAYED: QT_TRANSLATE_NOOP("Cause", "retained only"),
    Cause.BROKER: QT_TRANSLATE_NOOP("Cause", "broker"),
    Cause.LINK_LOST: QT_TRANSLATE_NOOP("Cause", "not connected"),
    Cause.NOT_RECORDING: QT_TRANSLATE_NOOP("Cause", "not recording"),
    Cause.NOT_HEARD: QT_TRANSLATE_NOOP("Cause", "not heard yet"),
}
_CAUSE_SENTENCES = {
    Cause.HEARD: QT_TRANSLATE_NOOP("CauseSentence", "A live message arrived."),
    Cause.STATUS: QT_TRANSLATE_NOOP("CauseSentence", "The agent says so itself."),
    Cause.WILL: QT_TRANSLATE_NOOP("CauseSentence", "The broker published its will: the connection broke."),
    Cause.GOODBYE: QT_TRANSLATE_NOOP("CauseSentence", "The agent said goodbye."),
    Cause.SILENCE: QT_TRANSLATE_NOOP("CauseSentence", "Nothing came for longer than its interval allows."),
    Cause.REPLAYED: QT_TRANSLATE_NOOP(
        "CauseSentence", "Only a retained message is known; that says nothing of the present."
    ),
    Cause.BROKER: QT_TRANSLATE_NOOP("CauseSentence", "The broker tells so of its connection."),
    Cause.LINK_LOST: QT_TRANSLATE_NOOP("CauseSentence", "Our own connection to the broker is gone, so we cannot tell."),
    Cause.NOT_RECORDING: QT_TRANSLATE_NOOP("CauseSentence", "Nothing was being recorded, so we cannot tell."),
    Cause.NOT_HEARD: QT_TRANSLATE_NOOP("CauseSentence", "Nothing live came since we connected."),
}
_GAPS = {
    GapCause.NOT_RECORDING: QT_TRANSLATE_NOOP("GapCause", "not recording"),
    GapCause.NOT_CONNECTED: QT_TRANSLATE_NOOP("GapCause", "not connected"),
    GapCause.SESSION_LOST: QT_TRANSLATE_NOOP("GapCause", "the broker forgot our session"),
    GapCause.SEQUENCE: QT_TRANSLATE_NOOP("GapCause", "the publisher's numbers jumped"),
    GapCause.DROPPED: QT_TRANSLATE_NOOP("GapCause", "dropped by us under load"),
    GapCause.BROKER_DROPPED: QT_TRANSLATE_NOOP("GapCause", "dropped by the broker"),
    GapCause.RETENTION: QT_TRANSLATE_NOOP("GapCause", "removed by retention"),
    GapCause.LEFT_OUT: QT_TRANSLATE_NOOP("GapCause", "not in this backup"),
    GapCause.CLOCK_STEP: QT_TRANSLATE_NOOP("GapCause", "the clock was set"),
    GapCause.DAMAGED: QT_TRANSLATE_NOOP("GapCause", "a file was damaged"),
}
_GAP_SENTENCES = {
    GapCause.NOT_RECORDING: QT_TRANSLATE_NOOP("GapSentence", "No recorder ran."),
    GapCause.NOT_CONNECTED: QT_TRANSLATE_NOOP("GapSentence", "The recorder had no connection to the broker."),
    GapCause.SESSION_LOST: QT_TRANSLATE_NOOP(
        "GapSentence",
        "The broker did not keep what was sent while we were away: give it persistence, and us a session.",
    ),
    GapCause.SEQUENCE: QT_TRANSLATE_NOOP(
        "GapSentence", "An agent numbers what it sends, and numbers are missing: they never arrived here."
    ),
    GapCause.DROPPED: QT_TRANSLATE_NOOP(
        "GapSentence", "More QoS 0 messages came than can be written; the oldest of them were thrown away."
    ),
    GapCause.BROKER_DROPPED: QT_TRANSLATE_NOOP("GapSentence", "The broker says that it threw messages away."),
    GapCause.RETENTION: QT_TRANSLATE_NOOP("GapSentence", "Older than what is kept: removed as the limits say."),
    GapCause.LEFT_OUT: QT_TRANSLATE_NOOP("GapSentence", "Recorded, but older than what the backup was asked to hold."),
    GapCause.CLOCK_STEP: QT_TRANSLATE_NOOP("GapSentence", "This computer's clock was set; no such time existed."),
    GapCause.DAMAGED: QT_TRANSLATE_NOOP("GapSentence", "A file of the store is missing or cannot be read."),
}
_UNREADABLE = {
    "empty": QT_TRANSLATE_NOOP("Unreadable", "empty"),
    "binary": QT_TRANSLATE_NOOP("Unreadable", "no text"),
    "text": QT_TRANSLATE_NOOP("Unreadable", "no JSON and no number"),
    "json": QT_TRANSLATE_NOOP("Unreadable", "broken JSON"),
    "too-deep": QT_TRANSLATE_NOOP("Unreadable", "nested too deep"),
    "shape": QT_TRANSLATE_NOOP("Unreadable", "not what the topic promises"),
    "no-birth": QT_TRANSLATE_NOOP("Unreadable", "not declared yet"),
    "nobody": QT_TRANSLATE_NOOP("Unreadable", "nobody's"),
    "template": QT_TRANSLATE_NOOP("Unreadable", "a template that is not understood"),
    "too-many-series": QT_TRANSLATE_NOOP("Unreadable", "too many series"),
    "too-many-agents": QT_TRANSLATE_NOOP("Unreadable", "too many agents"),
    "bug": QT_TRANSLATE_NOOP("Unreadable", "a mistake of ours"),
}
_UNREADABLE_SENTENCES = {
    "empty": QT_TRANSLATE_NOOP("UnreadableSentence", "There is nothing in the message."),
    "binary": QT_TRANSLATE_NOOP("UnreadableSentence", "The payload is not text (UTF-8)."),
    "text": QT_TRANSLATE_NOOP("UnreadableSentence", "The payload is text, but neither JSON nor a number."),
    "json": QT_TRANSLATE_NOOP("UnreadableSentence", "The payload begins like JSON and is not."),
    "too-deep": QT_TRANSLATE_NOOP("UnreadableSentence", "The JSON is nested deeper than is read."),
    "shape": QT_TRANSLATE_NOOP("UnreadableSentence", "The JSON lacks what such a topic has to carry."),
    "no-birth": QT_TRANSLATE_NOOP(
        "UnreadableSentence",
        "It names its values by numbers that no birth has explained yet: the node tells them when it connects, or when"
        " it is asked for its birth certificates.",
    ),
    "nobody": QT_TRANSLATE_NOOP("UnreadableSentence", "Neither topic nor payload tells whose it is."),
    "template": QT_TRANSLATE_NOOP(
        "UnreadableSentence", "Its declaration names the value by a template that is not understood; none is ever run."
    ),
    "too-many-series": QT_TRANSLATE_NOOP(
        "UnreadableSentence", "The agent has more series than are kept; the rest was read."
    ),
    "too-many-agents": QT_TRANSLATE_NOOP("UnreadableSentence", "There are more agents than are kept."),
    "bug": QT_TRANSLATE_NOOP("UnreadableSentence", "Reading failed in a way that it should not: please report it."),
}
_CONVENTIONS = {
    "": QT_TRANSLATE_NOOP("Convention", "home-made"),
    "murmurscope": QT_TRANSLATE_NOOP("Convention", "Murmurscope"),
    "home-assistant": QT_TRANSLATE_NOOP("Convention", "Home Assistant"),
    "tasmota": QT_TRANSLATE_NOOP("Convention", "Tasmota"),
    "zigbee2mqtt": QT_TRANSLATE_NOOP("Convention", "Zigbee2MQTT"),
    "esphome": QT_TRANSLATE_NOOP("Convention", "ESPHome"),
    "telegraf": QT_TRANSLATE_NOOP("Convention", "Telegraf"),
    "glances": QT_TRANSLATE_NOOP("Convention", "Glances"),
    "collectd": QT_TRANSLATE_NOOP("Convention", "collectd"),
    "a2a": QT_TRANSLATE_NOOP("Convention", "A2A"),
    "mcp": QT_TRANSLATE_NOOP("Convention", "MCP"),
    "solace-agent-mesh": QT_TRANSLATE_NOOP("Convention", "Solace Agent Mesh"),
    "sparkplug": QT_TRANSLATE_NOOP("Convention", "Sparkplug B"),
    "homie": QT_TRANSLATE_NOOP("Convention", "Homie"),
    "opentelemetry": QT_TRANSLATE_NOOP("Convention", "OpenTelemetry"),
    "cloudevents": QT_TRANSLATE_NOOP("Convention", "CloudEvents"),
    "celery": QT_TRANSLATE_NOOP("Convention", "Celery"),
    "moleculer": QT_TRANSLATE_NOOP("Convention", "Moleculer"),
    "nestjs": QT_TRANSLATE_NOOP("Convention", "NestJS"),
    "vrpc": QT_TRANSLATE_NOOP("Convention", "VRPC"),
    "rabbitmq": QT_TRANSLATE_NOOP("Convention", "RabbitMQ"),
    "mosquitto": QT_TRANSLATE_NOOP("Convention", "Mosquitto"),
    "emqx": QT_TRANSLATE_NOOP("Convention", "EMQX"),
    "aws-iot": QT_TRANSLATE_NOOP("Convention", "AWS IoT"),
    "winston": QT_TRANSLATE_NOOP("Convention", "winston"),
    "pino": QT_TRANSLATE_NOOP("Convention", "pino"),
    "bunyan": QT_TRANSLATE_NOOP("Convention", "bunyan"),
    "log4js": QT_TRANSLATE_NOOP("Convention", "log4js"),
    "roarr": QT_TRANSLATE_NOOP("Convention", "Roarr"),
    "consola": QT_TRANSLATE_NOOP("Convention", "consola"),
    "tslog": QT_TRANSLATE_NOOP("Convention", "tslog"),
    "python-logging": QT_TRANSLATE_NOOP("Convention", "Python logging"),
    "structlog": QT_TRANSLATE_NOOP("Convention", "structlog"),
    "loguru": QT_TRANSLATE_NOOP("Convention", "Loguru"),
    "ecs": QT_TRANSLATE_NOOP("Convention", "ECS logs"),
    "gelf": QT_TRANSLATE_NOOP("Convention", "GELF logs"),
    "serilog": QT_TRANSLATE_NOOP("Convention", "Serilog"),
    "logstash": QT_TRANSLATE_NOOP("Convention", "Logstash logs"),
    "log4j": QT_TRANSLATE_NOOP("Convention", "Log4j"),
    "logrus": QT_TRANSLATE_NOOP("Convention", "logrus"),
    "zap": QT_TRANSLATE_NOOP("Convention", "zap"),
    "slog": QT_TRANSLATE_NOOP("Convention", "slog"),
    "tracing": QT_TRANSLATE_NOOP("Convention", "tracing (Rust)"),
    "journald": QT_TRANSLATE_NOOP("Convention", "journald"),
    "google-cloud": QT_TRANSLATE_NOOP("Convention", "Google Cloud logs"),
}
_DATASETS = {
    "messages": QT_TRANSLATE_NOOP("Dataset", "Messages"),
    "samples": QT_TRANSLATE_NOOP("Dataset", "Samples"),
    "logs": QT_TRANSLATE_NOOP("Dataset", "Log records"),
    "presence": QT_TRANSLATE_NOOP("Dataset", "Presence"),
    "agents": QT_TRANSLATE_NOOP("Dataset", "Agents"),
    "tasks": QT_TRANSLATE_NOOP("Dataset", "Tasks"),
    "interactions": QT_TRANSLATE_NOOP("Dataset", "Interactions"),
    "connections": QT_TRANSLATE_NOOP("Dataset", "Connection attempts"),
    "gaps": QT_TRANSLATE_NOOP("Dataset", "Gaps"),
    "unreadable": QT_TRANSLATE_NOOP("Dataset", "Unreadable topics"),
    "annotations": QT_TRANSLATE_NOOP("Dataset", "Annotations"),
}
_FINDINGS = {
    "missing": QT_TRANSLATE_NOOP("Finding", "the file is missing"),
    "set-aside": QT_TRANSLATE_NOOP("Finding", "damaged before, and kept as it is"),
    "unreadable": QT_TRANSLATE_NOOP("Finding", "the file cannot be read"),
    "structure": QT_TRANSLATE_NOOP("Finding", "its structure is damaged"),
    "checksum": QT_TRANSLATE_NOOP("Finding", "a message is not as it came"),
    "sequence": QT_TRANSLATE_NOOP("Finding", "messages are not there"),
    "accounts": QT_TRANSLATE_NOOP("Finding", "counts do not agree"),
    "samples": QT_TRANSLATE_NOOP("Finding", "samples are damaged"),
    "catalogue": QT_TRANSLATE_NOOP("Finding", "the catalogue counts otherwise"),
}
_LEVELS = {
    Level.TRACE: QT_TRANSLATE_NOOP("Level", "trace"),
    Level.DEBUG: QT_TRANSLATE_NOOP("Level", "debug"),
    Level.INFO: QT_TRANSLATE_NOOP("Level", "info"),
    Level.WARN: QT_TRANSLATE_NOOP("Level", "warn"),
    Level.ERROR: QT_TRANSLATE_NOOP("Level", "error"),
    Level.FATAL: QT_TRANSLATE_NOOP("Level", "fatal"),
}
_TASKS = {
    TaskState.UNKNOWN: QT_TRANSLATE_NOOP("TaskState", "unknown"),
    TaskState.SUBMITTED: QT_TRANSLATE_NOOP("TaskState", "submitted"),
    TaskState.WORKING: QT_TRANSLATE_NOOP("TaskState", "working"),
    TaskState.INPUT_REQUIRED: QT_TRANSLATE_NOOP("TaskState", "input required"),
    TaskState.AUTH_REQUIRED: QT_TRANSLATE_NOOP("TaskState", "authorisation required"),
    TaskState.COMPLETED: QT_TRANSLATE_NOOP("TaskState", "completed"),
    TaskState.FAILED: QT_TRANSLATE_NOOP("TaskState", "failed"),
    TaskState.CANCELED: QT_TRANSLATE_NOOP("TaskState", "canceled"),
    TaskState.REJECTED: QT_TRANSLATE_NOOP("TaskState", "rejected"),
}
_OUTCOMES = {
    Outcome.OK: QT_TRANSLATE_NOOP("Outcome", "ok"),
    Outcome.ERROR: QT_TRANSLATE_NOOP("Outcome", "error"),
    Outcome.TIMEOUT: QT_TRANSLATE_NOOP("Outcome", "timed out"),
    Outcome.REFUSED: QT_TRANSLATE_NOOP("Outcome", "refused"),
}
_LINKS = {
    Link.IDLE: QT_TRANSLATE_NOOP("Link", "no broker chosen"),
    Link.CONNECTING: QT_TRANSLATE_NOOP("Link", "connecting"),
    Link.CONNECTED: QT_TRANSLATE_NOOP("Link", "connected"),
    Link.WAITING: QT_TRANSLATE_NOOP("Link", "not connected, trying again"),
    Link.REFUSED: QT_TRANSLATE_NOOP("Link", "refused"),
}
_ORIGINS = {
    Origin.LIVE: QT_TRANSLATE_NOOP("Origin", "live"),
    Origin.BACKLOG: QT_TRANSLATE_NOOP("Origin", "backlog"),
    Origin.REPLAY: QT_TRANSLATE_NOOP("Origin", "replay"),
    Origin.IMPORTED: QT_TRANSLATE_NOOP("Origin", "imported"),
}
_KINDS = {
    Kind.OTHER: QT_TRANSLATE_NOOP("Kind", "other"),
    Kind.STATUS: QT_TRANSLATE_NOOP("Kind", "status"),
    Kind.METRICS: QT_TRANSLATE_NOOP("Kind", "metrics"),
    Kind.LOG: QT_TRANSLATE_NOOP("Kind", "log"),
    Kind.TASK: QT_TRANSLATE_NOOP("Kind", "task"),
    Kind.MESSAGE: QT_TRANSLATE_NOOP("Kind", "message"),
    Kind.CONNECTION: QT_TRANSLATE_NOOP("Kind", "connection"),
}
_SEVERITIES = {
    Severity.INFO: QT_TRANSLATE_NOOP("Severity", "information"),
    Severity.WARNING: QT_TRANSLATE_NOOP("Severity", "warning"),
    Severity.ERROR: QT_TRANSLATE_NOOP("Severity", "error"),
}
_REASONS = {
    Reason.FAILED: QT_TRANSLATE_NOOP("TaskReason", "its agent failed"),
    Reason.DIED: QT_TRANSLATE_NOOP("TaskReason", "its agent went offline"),
    Reason.LATE: QT_TRANSLATE_NOOP("TaskReason", "its deadline passed"),
    Reason.NOBODY: QT_TRANSLATE_NOOP("TaskReason", "no agent serves it"),
    Reason.REJECTED: QT_TRANSLATE_NOOP("TaskReason", "its agent would not take it"),
    Reason.REFUSED: QT_TRANSLATE_NOOP("TaskReason", "the broker refused it"),
    Reason.UNSURE: QT_TRANSLATE_NOOP("TaskReason", "nobody knows whether it was sent"),
    Reason.ASKED: QT_TRANSLATE_NOOP("TaskReason", "somebody cancelled it"),
    Reason.NOT_NEEDED: QT_TRANSLATE_NOOP("TaskReason", "not needed any more"),
    Reason.PARTS: QT_TRANSLATE_NOOP("TaskReason", "its parts came to no result"),
    Reason.BUSY: QT_TRANSLATE_NOOP("TaskReason", "its agents are busy"),
    Reason.AGAIN: QT_TRANSLATE_NOOP("TaskReason", "tried once more"),
    Reason.ELSEWHERE: QT_TRANSLATE_NOOP("TaskReason", "the original of this copy has it"),
    Reason.STOPPING: QT_TRANSLATE_NOOP("TaskReason", "asked to stop; cancelled again, it ends at once"),
    Reason.ANSWERED: QT_TRANSLATE_NOOP("TaskReason", "answered"),
    Reason.UNCONNECTED: QT_TRANSLATE_NOOP("TaskReason", "there is no connection with the broker"),
    Reason.STRANGER: QT_TRANSLATE_NOOP("TaskReason", "told by an agent that does not have it; does not count"),
    Reason.TOO_LATE: QT_TRANSLATE_NOOP("TaskReason", "told after its end; does not count"),
}


def _say(context: str, source: object) -> str:
    """A marked source text in the language of the window."""
    return QCoreApplication.translate(context, str(source))


def presence_word(presence: Presence, condition: Condition = Condition.OK) -> str:
    """The word alone, or "online, degraded" where the condition is worth one of its own."""
    word = _say("Presence", _PRESENCES[presence])
    if presence is not Presence.ONLINE or condition is Condition.OK:
        return word
    return f"{word}, {condition_word(condition)}"


def condition_word(condition: Condition) -> str:
    """Such as "degraded"."""
    return _say("Condition", _CONDITIONS[condition])


def cause_word(cause: Cause) -> str:
    """Short, to stand in brackets after a presence."""
    return _say("Cause", _CAUSES[cause])


def cause_sentence(cause: Cause) -> str:
    """Why we say so, for tooltips and details."""
    return _say("CauseSentence", _CAUSE_SENTENCES[cause])


def gap_word(cause: GapCause) -> str:
    """Why history misses something."""
    return _say("GapCause", _GAPS[cause])


def gap_sentence(cause: GapCause) -> str:
    """What such a gap means, for tooltips."""
    return _say("GapSentence", _GAP_SENTENCES[cause])


def unreadable_word(reason: str) -> str:
    """Why a message could not be read; a reason that a newer recorder knows is shown as it is."""
    return _say("Unreadable", _UNREADABLE[reason]) if reason in _UNREADABLE else visible(reason)


def unreadable_sentence(reason: str) -> str:
    """The same in full, for tooltips."""
    return _say("UnreadableSentence", _UNREADABLE_SENTENCES[reason]) if reason in _UNREADABLE_SENTENCES else ""


def convention_word(convention: str) -> str:
    """What an agent speaks; one that never declared itself is home-made."""
    return _say("Convention", _CONVENTIONS[convention]) if convention in _CONVENTIONS else visible(convention)


def dataset_word(dataset: str) -> str:
    """What an export writes."""
    return _say("Dataset", _DATASETS[dataset])


def finding_word(code: str) -> str:
    """What a check found wrong with a file; a code that we do not know is shown as it is."""
    return _say("Finding", _FINDINGS[code]) if code in _FINDINGS else visible(code)


def level_word(level: Level) -> str:
    """Severity of a log record."""
    return _say("Level", _LEVELS[level])


def task_word(state: TaskState) -> str:
    """State of a task."""
    return _say("TaskState", _TASKS[state])


def reason_text(reason: str) -> str:
    """Why a task stands as it does; empty where its state says all."""
    return _say("TaskReason", _REASONS[Reason(reason)]) if reason in _REASONS else ""


def outcome_word(outcome: Outcome) -> str:
    """Of an interaction or a connection attempt."""
    return _say("Outcome", _OUTCOMES[outcome])


def link_word(link: Link) -> str:
    """State of the recorder's connection to the broker."""
    return _say("Link", _LINKS[link])


def origin_word(origin: Origin) -> str:
    """How a message reached us."""
    return _say("Origin", _ORIGINS[origin])


def kind_word(kind: Kind) -> str:
    """What a message was read as."""
    return _say("Kind", _KINDS[kind])


def severity_word(severity: Severity) -> str:
    """Of a problem."""
    return _say("Severity", _SEVERITIES[severity])


def problem_text(problem: Problem) -> tuple[str, str]:
    """The sentence (what and why) and the remedy (the way out) of a problem; its parameters made visible, plain."""
    params = {name: visible(str(value), PARAM_LIMIT) for name, value in problem.params.items()}
    kind = problem.kind
    sentence = QCoreApplication.translate("Problems", kind.sentence)
    remedy = QCoreApplication.translate("Problems", kind.remedy) if kind.remedy else ""
    return fill(sentence, params), fill(remedy, params)


def told_problem(told: Mapping[str, object] | None) -> Problem | None:
    """A problem as `RecorderState.problem` carries it; None where there is none, or a newer recorder's that we do not
    know."""
    if told is None or told.get("code") not in PROBLEMS:
        return None
    params, retry = told.get("params"), told.get("retry_at_us")
    kept = {str(key): value for key, value in params.items()} if isinstance(params, Mapping) else {}
    return Problem(str(told["code"]), kept, retry if isinstance(retry, int) else None)
