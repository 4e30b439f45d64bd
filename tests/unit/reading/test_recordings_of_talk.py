"""Real programs that talk to each other: everything that is read of a recording, and nothing besides."""

from collections import Counter

from models.domain.clock import Instant
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Cause, Presence
from models.domain.records import Level, Outcome, TaskState
from tests.helpers.reading import Reading, recorded

OK, ERROR = Outcome.OK, Outcome.ERROR
BEGUN, WORKING, DONE = TaskState.SUBMITTED, TaskState.WORKING, TaskState.COMPLETED


class Heard(Reading):
    """All that a recording holds, by name."""

    def __init__(self, recording: str) -> None:
        super().__init__()
        name, keeper = self.names.agents, PresenceKeeper()
        self.at_the_end: dict[str, tuple[Presence, Cause]] = {}
        self.talks: list[tuple[str, str, str, Outcome]] = []
        self.replies_ms: list[float] = []
        self.tasks: dict[str, list[tuple[str, TaskState]]] = {}
        self.results: dict[str, str] = {}
        self.logs: Counter[tuple[str, Level]] = Counter()
        self.attempts: list[tuple[str, Outcome, str | None]] = []
        self.unread: list[tuple[str, str]] = []
        messages = recorded(recording)
        for i in range(0, len(messages), 7):
            batch = self.read(*messages[i : i + 7])
            at_us = batch.messages[-1].received_us
            for change in keeper.observe(batch, Instant(at_us, at_us)):
                self.at_the_end[name[change.agent]] = change.presence, change.cause
            self.talks += [(name[one.sender], name[one.receiver], one.kind, one.outcome) for one in batch.interactions]
            self.replies_ms += [one.reply_us / 1_000 for one in batch.interactions if one.reply_us is not None]
            for one in batch.tasks:
                self.tasks.setdefault(one.task, []).append((name[one.agent], one.state))
                if one.result:
                    self.results[one.task] = one.result
            self.logs.update((name[one.agent], one.level) for one in batch.logs)
            self.attempts += [(name[one.agent], one.outcome, one.error) for one in batch.attempts]
            self.unread += [(batch.messages[one.row].topic.decode(), one.reason) for one in batch.unreadable]

    @property
    def counts(self) -> dict[tuple[str, str, str], int]:
        return Counter((one.agent, one.metric, one.unit) for one in self.points)


def test_a2a_in_two_groups() -> None:
    """Four responders, one of them of the same name in another group, a task of a task, one asked back, one cancelled, three
    requests that are wrong, one to nobody; one responder killed and back, one stopped, one killed."""
    heard = Heard("a2a-over-mqtt-two-groups")
    ask = "SendMessage"
    assert heard.talks == [
        ("ui", "summariser", ask, OK), ("cli", "summariser", ask, OK), ("acme/rnd/cli", "acme/rnd/planner", ask, OK),
        ("planner", "summariser", ask, OK), ("ui", "planner", ask, OK), ("ui", "summariser", ask, ERROR),
        ("ui", "writer", ask, OK), ("ui", "writer", ask, OK), ("ui", "summariser", "CancelTask", OK),
        ("ui", "summariser", ask, OK), ("ui", "summariser", "CancelTask", ERROR), ("ui", "summariser", ask, ERROR),
    ]  # fmt: skip
    assert 300 < heard.replies_ms[0] < 500
    assert heard.replies_ms[4] > heard.replies_ms[3]  # whoever delegates answers after whom it asked
    assert heard.agents() == {
        "summariser",
        "planner",
        "writer",
        "acme/rnd/planner",
        "ui",
        "cli",
        "acme/rnd/cli",
        "ghost",
    }
    assert heard.at_the_end == {
        "summariser": (Presence.ONLINE, Cause.STATUS), "writer": (Presence.ONLINE, Cause.STATUS),
        "planner": (Presence.STOPPED, Cause.GOODBYE), "acme/rnd/planner": (Presence.OFFLINE, Cause.WILL),
        "ui": (Presence.ONLINE, Cause.HEARD), "cli": (Presence.ONLINE, Cause.HEARD),
        "acme/rnd/cli": (Presence.ONLINE, Cause.HEARD),
    }  # fmt: skip
    states = {"summariser": [BEGUN, WORKING, WORKING, DONE], "planner": [BEGUN, WORKING, DONE]}
    states["acme/rnd/planner"] = states["summariser"]
    *whole, failed, asked_back, cancelled, waits = heard.tasks.values()
    assert len(whole) == 5
    assert all([state for _, state in one] == states[one[0][0]] for one in whole)
    assert failed == [("summariser", BEGUN), ("summariser", TaskState.FAILED)]
    assert [state for _, state in asked_back] == [BEGUN, WORKING, TaskState.INPUT_REQUIRED, WORKING, DONE]
    assert [state for _, state in cancelled] == [BEGUN, WORKING, TaskState.CANCELED]
    assert waits == [("ghost", BEGUN)]
    assert list(heard.results.values())[-1] == "chunk0 chunk1 chunk2 chunk3 "
    assert heard.unread == [("$a2a/v1/request/example.org/lab/summariser", "json")]
    assert not heard.points


def test_mcp_with_two_servers_of_one_name() -> None:
    """Three servers, two of them `lab/files`; one killed while asked; three clients, one of them twice, one killed."""
    heard = Heard("mcp-over-mqtt-three-servers")
    methods = ["initialize", "tools/list", "resources/list", "resources/templates/list", "prompts/list", "prompts/get",
               "resources/read", "resources/read", "tools/call", "tools/call", "prompts/get", "ping", "tools/call"]  # fmt: skip
    failed = {7, 9, 10}  # an unknown resource, a tool that fails, an unknown prompt
    assert heard.talks == [
        *(("desk-a", "files-1", method, ERROR if i in failed else OK) for i, method in enumerate(methods)),
        ("desk-c", "mail-1", "initialize", OK), ("desk-a", "files-2", "initialize", OK),
        ("desk-a", "files-2", "tools/list", OK), ("desk-a", "files-2", "ping", OK),
    ]  # fmt: skip
    assert 400 < heard.replies_ms[8] < 600  # with three notifications of progress
    assert 1_200 < heard.replies_ms[12] < 1_400  # the client gave up after half a second, the server did not
    assert heard.agents() == {"files-1", "files-2", "mail-1", "desk-a", "desk-b", "desk-c"}
    here, gone = (Presence.ONLINE, Cause.STATUS), (Presence.OFFLINE, Cause.STATUS)
    assert heard.at_the_end == {"files-1": here, "files-2": here} | dict.fromkeys(
        ("mail-1", "desk-a", "desk-b", "desk-c"), gone
    )
    assert heard.logs == {("files-1", level): 1 for level in (Level.INFO, Level.WARN, Level.ERROR)}
    assert [heard.points, heard.tasks, heard.unread] == [[], {}, []]


def test_events_of_the_cloudevents_sdk() -> None:
    """Structured and binary, JSON and text and bytes and nothing inside, an export of OpenTelemetry, a batch."""
    heard = Heard("cloudevents-10-mqtt-5")
    assert heard.counts == {
        ("crawler-1", "queue_depth", ""): 6, ("crawler-1", "load", ""): 6, ("payments", "queue.size", "{item}"): 2,
        ("batcher-1", "temp_c", ""): 1, ("batcher-2", "temp_c", ""): 1,
    }  # fmt: skip
    assert heard.logs == {("indexer-2", Level.ERROR): 2}
    assert heard.tasks == {"t-1": [("planner-3", WORKING), ("planner-3", DONE)]}
    assert set(heard.at_the_end) == heard.agents() == {
        "crawler-1", "indexer-2", "planner-3", "payments", "batcher-1", "batcher-2",
    }  # fmt: skip
    assert [heard.talks, heard.unread] == [[], []]


def test_calls_with_progress_and_beats() -> None:
    """Parley: three calls with three reports of progress each, of which one fails; one that nobody takes, sent five times."""
    heard = Heard("parley-mqtt-1.0")
    assert heard.talks == [("", "backup", "request", outcome) for outcome in (OK, ERROR, OK)]
    assert all(600 < one < 700 for one in heard.replies_ms)
    assert heard.agents() == {"backup"}
    assert [heard.points, heard.unread] == [[], []]
    heard.now_us = recorded("parley-mqtt-1.0")[-1].received_us + 60_000_000
    [missed] = heard.send("x/y-1/cpu", "5").interactions
    assert (missed.outcome, missed.reply_us) == (Outcome.TIMEOUT, None)


def test_wrong_passwords_are_told_twice_and_counted_once() -> None:
    """Mosquitto's log comes by topic, and as a file that our agent follows. A client connects, is refused as another twice, breaks
    off, comes back and says goodbye."""
    heard = Heard("mosquitto-2.0.11-logins")
    assert sorted(heard.attempts, key=lambda one: one[1]) == [
        ("worker-1", OK, None), ("worker-1", OK, None), ("", Outcome.REFUSED, "not authorised"),
        ("", Outcome.REFUSED, "not authorised"),
    ]  # fmt: skip
    assert heard.agents() == {"broker-host", "worker-1"}
    assert heard.at_the_end == {
        "worker-1": (Presence.STOPPED, Cause.BROKER), "broker-host": (Presence.STOPPED, Cause.GOODBYE),
    }  # fmt: skip
    assert {key: n for key, n in heard.counts.items() if key[0]} == {("worker-1", "queue", ""): 1}
    assert heard.logs == {("", Level.INFO): 13, ("broker-host", Level.INFO): 12}
    assert not heard.unread
