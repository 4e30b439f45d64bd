"""What the window and the command line say to the recorder: one JSON object a line each way, over a local socket.

Request: {"id": n, "verb": v, …}; answer: {"id": n, "ok": true, …} or {"id": n, "ok": false, "problem": {"code", "params"}}.
`test_connection`, `import` and `reread` answer several times with the same id: a line for every step, then the last with "ok".
Hanging up ends them.
"""

from dataclasses import dataclass, field
from enum import StrEnum

PROTOCOL_VERSION = 1
"""Both sides refuse to act together when this differs."""


class Verb(StrEnum):
    HELLO = "hello"  # {"protocol", "role": "window"|"cli"} -> RecorderState; asked again, it is the heartbeat
    SUBMIT = "submit"  # {"commands": [{"do": …}]} -> answered after commit
    SECRET = "secret"  # {"password"}: for this session only, never stored
    TEST_CONNECTION = "test_connection"  # {"connection": {…}, "password"?} -> lines {"step", "state", "problem"?}
    PUBLISH = "publish"  # {"message": OutgoingMessage} -> {"published": Published}; waits for the broker's answer
    IMPORT = "import"
    """{"files": [absolute path], "again"?: bool, "make_room"?: bool}; recorded traffic, or else backups and folders of
    workspaces -> several times a second a line with the fields of `recorded.ImportProgress`: {"bytes_done",
    "bytes_total", "messages", "skipped"}; at last {"ok": true, "result": `recorded.ImportResult`}. All of it is stored or nothing: hanging up before the last line takes everything back."""
    REREAD = "reread"
    """{"since_us", "until_us"}: arrivals, 0: open end -> several times a second a line with the fields of
    `recorded.RereadProgress`; at last {"ok": true, "result": `recorded.RereadResult`}. Hanging up before that leaves history
    as it was."""
    TASK = "task"
    """{"do": "submit", "orders": [the fields of `tasks.orders.TaskOrder`]} -> {"tasks": [id]}; {"do": "cancel" | "retry", "task": id};
    {"do": "answer", "task": id, "input": JSON text}; {"do": "limit", "agent": id, "most": int}; {"do": "command", "agent",
    "command", "arguments": JSON text, "confirmed": the agent's name once more}. Answered when it is stored (a command: and published)."""
    WAKE = "wake"
    """{"anew"?: bool}: settings changed (broker, retention), or "try to connect now"; with `anew` the broker forgets our
    session, and what it queued for us, first."""
    STOP = "stop"


class Link(StrEnum):
    """State of the recorder's connection to the broker."""

    IDLE = "idle"  # no broker chosen
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"  # tries again at `problem.retry_at_us`
    REFUSED = "refused"  # waits for somebody to act


class TestStep(StrEnum):
    """Steps of a connection test, in order."""

    __test__ = False  # not a pytest class
    NAME = "name"
    TCP = "tcp"
    TLS = "tls"
    CONNACK = "connack"
    SUBSCRIBE = "subscribe"
    MESSAGE = "message"


class StepState(StrEnum):
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"  # e.g. TLS on a plain connection


@dataclass(frozen=True, slots=True)
class Counters:
    """Since the recorder started. `lag_us` is the age of the oldest received message that is not stored yet. `missing`
    never reached us, as publishers' own numbers and the broker's own counter tell; what was lost with a session of ours that
    the broker forgot, nobody counted."""

    received: int = 0
    stored: int = 0
    duplicates: int = 0
    unreadable: int = 0
    dropped: int = 0
    bytes: int = 0
    lag_us: int = 0
    commit_p50_us: int = 0
    commit_p99_us: int = 0
    missing: int = 0
    sessions_lost: int = 0


@dataclass(frozen=True, slots=True)
class BrokerFigures:
    """What the broker tells of itself; what it does not is empty or None. Rates are its means over a minute."""

    version: str = ""
    started_us: int | None = None
    clients: int | None = None
    received_per_min: float | None = None
    sent_per_min: float | None = None


@dataclass(frozen=True, slots=True)
class RecorderState:
    """The answer to `hello`. `problem` is {"code", "params", "retry_at_us"} or None; `started_by` is "window",
    "cli" or "service"; `disk_days` is how long the retention cap lasts at the present rate (None: unknown)."""

    pid: int
    version: str
    protocol: int
    started_by: str
    started_us: int
    link: Link
    since_us: int
    broker_url: str
    mqtt_version: str = ""
    in_bulk: bool = False  # messages are taken out of the bytes many at a time; else paho brings each
    embedded: bool = False
    problem: dict[str, object] | None = None
    warnings: tuple[dict[str, object], ...] = ()
    counters: Counters = field(default_factory=Counters)
    store_bytes: int = 0
    disk_days: float | None = None
    broker: BrokerFigures = field(default_factory=BrokerFigures)


class Command(StrEnum):
    """What `submit` takes in "do". Those on agents name `agent` (its id as text)."""

    RENAME = "agent.rename"  # "name": text, empty takes the agent's own name again
    GROUP = "agent.group"  # "group": text, empty takes the agent's own group again
    NOTE = "agent.note"  # "note": text
    MAINTENANCE = "agent.maintenance"  # "until_us": int, 0 ends it
    RETIRE = "agent.retire"  # "retired": bool
    ANNOTATE = "annotation.put"
    """"id": UUIDv7 text, "since_us", "until_us": int (the same: a moment), "agent": its id, empty for everybody, "text",
    "tags": [text]; in place of what was kept with this id."""
    UNANNOTATE = "annotation.remove"  # "id"; one that is gone already is no mistake
