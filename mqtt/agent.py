"""Makes a program an agent that Murmurscope shows: status with a will, figures, logs, connections, messages, tasks.

One file, needs Python 3.9 and paho-mqtt 2 (pip install paho-mqtt). Copy it beside your program:

    from agent import Agent

    with Agent("mqtt://localhost", "crawler-7", group="crawlers") as agent:
        logging.getLogger().addHandler(agent.handler())  # what the program logs
        agent.task("crawl", lambda task: crawl(task.input))  # what others ask for; or @agent.task("crawl") over a function
        while pages := next_pages():
            started = time.monotonic()
            done = crawl(pages)
            agent.metrics({"agent.request.duration": time.monotonic() - started, "pages": done})

It says `online` when it connects and again every `interval_s`, `stopped` when the block ends, `offline` when the block
ends with an exception; when the program dies or the network is gone, the broker says `offline` for it. It comes back by
itself, so a broker that is away never stops the program. What is sent meanwhile waits with its own time in a bounded
queue; what does not fit is counted in `dropped`. Figures use base units (seconds, bytes, ratios 0 to 1). All methods may
be called from any thread, and only `close` waits.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import math
import queue
import secrets
import socket
import ssl
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from mqtt.agent_work import Incoming, Task, Work, described, known

_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
_STATES = ("online", "degraded", "asleep", "starting", "offline", "stopped")
_LEVELS = ((50, "fatal"), (40, "error"), (30, "warn"), (20, "info"), (10, "debug"), (-math.inf, "trace"))
_NO_EXTRA = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
_GOODBYE_LIMIT_S = 3.0


class Refused(ConnectionError):  # noqa: N818 - an answer of the broker
    """The broker answered, and said no: its text is the reason."""


class Agent:
    """One agent on one broker. Connects when entered, or with `start`; ended by `close`, at exit at the latest.

    `broker_url`: mqtt://, mqtts://, ws:// or wss://, with user and port if need be. `id`: one level of a topic, unique
    on the broker: a second program with the same id takes the connection away from the first. `interval_s`: how often
    the status is told again; an agent silent for three intervals (30 s at least) counts as offline. `tls`: for mqtts and
    wss; without it this computer's authorities are trusted. `workers`: tasks at a time. Raises `ValueError` for an id or address that cannot be one.
    """

    def __init__(
        self, broker_url: str, id: str, *, name: str = "", group: str = "", interval_s: float = 10.0,
        prefix: str = "agents", password: str | None = None, capabilities: Iterable[str] = (), version: str = "",
        tls: ssl.SSLContext | None = None, queue_limit: int = 1_000, workers: int = 1,
    ) -> None:  # fmt: skip
        self.id = _one_level(id)
        self.boot, self.dropped = secrets.token_hex(6), 0
        self.connected = threading.Event()
        self.failure: OSError | None = None  # why there is no connection; `Refused` where the broker said no
        self._base, self._prefix = f"{prefix}/{self.id}", prefix
        self._interval_s, self._queue_limit = interval_s, queue_limit
        self._capabilities = list(capabilities)
        card = {"name": name or id, "group": group, "interval_s": interval_s, "capabilities": self._capabilities}
        card.update(version=version, host=socket.gethostname())
        self._card = {key: value for key, value in card.items() if value}
        self._state = "online"
        self._numbers: dict[str, int] = {}
        self._sent = self._answered = 0
        self._guard = threading.RLock()  # a signal's handler may log in the midst of sending
        self._closing = threading.Event()
        self._listener: Callable[[Incoming], None] | None = None
        self._asked: dict[str, queue.SimpleQueue[Incoming]] = {}
        self._work = Work(self, workers, queue_limit)
        self._client = self._build(broker_url, password, tls)
        self._beat = threading.Thread(target=self._repeat_status, name=f"agent-{id}", daemon=True)

    def start(self) -> Agent:
        """Connect in the background; what is sent from now on waits for the connection."""
        self._client.loop_start()
        self._beat.start()
        atexit.register(self.close)
        return self

    def close(self, state: str = "stopped") -> None:
        """Say goodbye and disconnect; open tasks fail. What still waits, also for the first connection, gets up to 3 s."""
        self._work.fail_all("the agent stopped")
        with self._guard:
            if self._closing.is_set():
                return
            self._closing.set()
        self._work.end()
        atexit.unregister(self.close)
        if self._beat.is_alive():
            self._beat.join()
        if self._beat.ident is not None and self.failure is None and self.connected.wait(_GOODBYE_LIMIT_S):
            self._state = state
            goodbye = self._publish_status()
            with contextlib.suppress(RuntimeError, ValueError):  # the connection went: the broker says offline for us
                goodbye.wait_for_publish(_GOODBYE_LIMIT_S)
        client = self._client
        client.disconnect()  # without this packet the broker publishes the will
        client.loop_stop()
        client.on_connect = client.on_disconnect = client.on_connect_fail = client.on_message = client.on_publish = None
        # now it refers to us no more, and closes its sockets as soon as nobody refers to it

    def __enter__(self) -> Agent:  # noqa: PYI034 - Self is newer than Python 3.9
        return self.start()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception):
            self.log("fatal", str(error) or type(error).__name__, error=error)
        self.close("offline" if isinstance(error, Exception) else "stopped")

    # ---- what an agent tells

    def status(self, state: str = "online") -> None:
        """One of online, degraded, asleep, starting, offline, stopped; told now and again every `interval_s`."""
        if state not in _STATES:
            raise ValueError(f"{state!r} is none of {', '.join(_STATES)}")
        self._state = state
        if self.connected.is_set():  # else it is told when the connection is made
            self._publish_status()

    def metrics(self, values: Mapping[str, float]) -> None:
        """Numbers by name (also numpy's), in base units (seconds, bytes, 0 to 1). What is no finite number is left out."""
        finite = {name: float(value) for name, value in values.items() if math.isfinite(value)}
        if finite:
            self._send(f"{self._base}/metrics", {"metrics": finite})

    def log(self, level: str, message: str, /, **attributes: Any) -> None:
        """`level`: trace to fatal. `logger`, `stack`, `error` (a text or an exception) and any other attributes."""
        error = attributes.get("error")
        if isinstance(error, BaseException):
            stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
            attributes.update(error=described(error), stack=stack)
        self._send(f"{self._base}/log", {**attributes, "level": level, "message": message})

    def handler(self, level: int = logging.NOTSET) -> logging.Handler:
        """For `logging`: an exception becomes error and stack, `extra` attributes. It neither waits nor raises."""
        return _Handler(self, level)

    def connection(self, target: str, outcome: str, error: str | None = None, duration_s: float | None = None) -> None:
        """An attempt to connect to something: outcome ok, error, timeout or refused."""
        told = {"target": target, "outcome": outcome, "error": error, "duration_s": duration_s}
        self._send(f"{self._base}/connection", known(told))

    def report(self, task: str, state: str, **more: Any) -> None:
        """The state of a task; `more`: type, parent, requester, attempt, progress (0 to 1), result, error."""
        self._send(f"{self._base}/task", known({**more, "task": task, "state": state}))

    # ---- what agents tell each other

    def say(self, to: str, body: Any, type: str = "message", reply_to: str = "", *, id: str = "") -> str:
        """Send a message to another agent; returns its id."""
        name = id or secrets.token_hex(16)
        message = {"id": name, "type": type, "body": body, "reply_to": reply_to or None}
        self._send(f"{self._prefix}/{_one_level(to)}/inbox/{self.id}", known(message))
        return name

    def reply(self, message: Incoming, body: Any, type: str = "reply") -> str:
        """Answer a message of another agent."""
        return self.say(message.sender, body, type, message.id)

    def ask(self, to: str, body: Any, type: str = "request", timeout_s: float = 30.0) -> Incoming:
        """Send a message and wait for its answer; not in a handler of `listen`, which runs in the network thread. Raises
        `TimeoutError`."""
        answers: queue.SimpleQueue[Incoming] = queue.SimpleQueue()
        name = secrets.token_hex(16)
        self._asked[name] = answers
        self._subscribe()
        try:
            self.say(to, body, type, id=name)
            return answers.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError(f"{to} did not answer within {timeout_s:g} s") from None
        finally:
            del self._asked[name]

    def listen(self, handler: Callable[[Incoming], None]) -> None:
        """Call `handler` for each message to this agent, in the network thread. What it raises is logged as an error."""
        self._listener = handler
        self._subscribe()

    def task(self, type: str, handler: Callable[[Task], Any] | None = None) -> Any:
        """Call `handler` for each task of this type, `workers` of them at a time, in threads of their own; without it this is a
        decorator. The type becomes a capability. Of types without a handler tasks are rejected once there is one. One that
        comes a second time is not done a second time: what came of it is told again. The capability `inquiry` says so."""
        if handler is None:
            return lambda function: self.task(type, function) or function
        self._work.handle(type, handler)
        self._capabilities += [one for one in (type, "inquiry") if one not in self._capabilities]
        self._card["capabilities"] = self._capabilities
        if self.connected.is_set():
            self._publish_status()
        self._subscribe()
        return None

    def command(self, name: str, handler: Callable[[Any], Any]) -> None:
        """Call `handler` with the arguments when somebody gives this command; what it returns is the answer. Known without are
        ping, pause and resume (no task begins meanwhile), and drain (what is here is finished, nothing more is taken)."""
        self._work.handle_command(name, handler)
        self._subscribe()

    def wait_for_room(self) -> None:
        """Until less than half of what may wait for the broker's answers does, or the end."""
        while self._sent - self._answered > self._queue_limit // 2 and not self._closing.wait(0.05):
            pass

    def _build(self, url: str, password: str | None, tls: ssl.SSLContext | None) -> Client:
        parts = urlsplit(url if "://" in url else f"mqtt://{url}")
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("the broker's address must look like mqtt://host:1883")
        parts.hostname.encode("idna")  # what cannot be a name would end paho's thread later
        web = parts.scheme in ("ws", "wss")
        name = f"{self._prefix}-{self.id}"  # the same after a crash: the broker says the old will before we say online
        client = Client(CallbackAPIVersion.VERSION2, name, transport="websockets" if web else "tcp")
        if parts.username:
            client.username_pw_set(unquote(parts.username), password or unquote(parts.password or "") or None)
        if web:
            client.ws_set_options(path=parts.path or "/mqtt")
        if parts.scheme in ("mqtts", "wss"):
            client.tls_set_context(tls or ssl.create_default_context())
        client.reconnect_delay_set(1, 30)
        client.will_set(f"{self._base}/status", _json({**self._card, "state": "offline"}), 1, retain=True)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_connect_fail, client.on_message, client.on_publish = self._on_fail, self._on_message, self._on_publish
        client.connect_async(parts.hostname, parts.port or _PORTS[parts.scheme], keepalive=15)  # begins with the loop
        return client

    def _publish_status(self) -> Any:
        return self._send(f"{self._base}/status", {**self._card, "state": self._state}, retain=True)

    def _send(self, topic: str, told: dict[str, Any], *, retain: bool = False) -> Any:
        """An object, with its stamp."""
        body = _json({key: value for key, value in told.items() if key not in ("ts", "boot", "seq")})
        with self._guard:  # numbers go out in their order
            number = self._numbers[topic] = self._numbers.get(topic, -1) + 1  # also of what is dropped: so a gap shows
            stamp = _json({"ts": round(time.time(), 6), "boot": self.boot, "seq": number})
            return self._publish(topic, body[:-1] + b"," + stamp[1:], retain=retain)

    def _publish(self, topic: str, payload: bytes | str, *, retain: bool = False) -> Any:
        """At QoS 1; the status always finds room."""
        with self._guard:
            if not retain and (self._closing.is_set() or self._sent - self._answered >= self._queue_limit):
                self.dropped += 1
                return None
            self._sent += 1
            return self._client.publish(topic, payload, 1, retain)

    def _on_publish(self, *_: object) -> None:
        self._answered += 1  # paho's thread alone; no lock, for it holds one that publish() waits for

    def _repeat_status(self) -> None:
        while not self._closing.wait(self._interval_s):
            if self.connected.is_set():
                self._publish_status()
                self._work.beat()

    def _subscribe(self) -> None:
        if self.connected.is_set() and (self._listener or self._asked or self._work.obeys):
            self._client.subscribe(f"{self._base}/inbox/+", 1)

    def _on_connect(self, _client: object, _userdata: object, _flags: object, reason: Any, _properties: object) -> None:
        self.failure = Refused(str(reason)) if reason.is_failure else None
        if self.failure is None:
            self._publish_status()  # first: the broker may just have said offline for us
            self.connected.set()
            self._subscribe()

    def _on_fail(self, _client: object, _userdata: object) -> None:
        error = sys.exc_info()[1]  # paho calls while it handles the exception, and does not hand it over
        self.failure = error.with_traceback(None) if isinstance(error, OSError) else OSError("no connection")

    def _on_disconnect(self, _client: object, _userdata: object, _flags: object, reason: Any, _more: object) -> None:
        self.connected.clear()
        self.failure = self.failure or ConnectionError(str(reason))

    def _on_message(self, _client: object, _userdata: object, message: MQTTMessage) -> None:
        try:
            told = json.loads(message.payload)
            id_, kind, reply_to = (str(told.get(key, "")) for key in ("id", "type", "reply_to"))
            incoming = Incoming(message.topic.rsplit("/", 1)[1], id_, kind, told.get("body"), reply_to)
            if reply_to in self._asked:
                self._asked[reply_to].put(incoming)
            elif self._work.takes_tasks and kind in ("task", "cancel", "input", "inquiry"):
                self._work.take(incoming)
            elif kind == "command" and self._work.obeys:
                self._work.obey(incoming)
            elif self._listener is not None:
                self._listener(incoming)
        except Exception as error:  # noqa: BLE001 - an exception would end paho's thread, and the agent with it
            self.log("error", "a message could not be handled", error=error)


class _Handler(logging.Handler):
    """Records of `logging` become records of the agent. Those that arise while one is sent, and paho's, are left out:
    they would go round in a circle."""

    def __init__(self, agent: Agent, level: int) -> None:
        super().__init__(level)
        self._agent, self._busy = agent, False  # one thread at a time: the lock of `handle`; filters come before it
        self.addFilter(lambda record: record.name.partition(".")[0] != "paho")

    def emit(self, record: logging.LogRecord) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            told = {key: value for key, value in vars(record).items() if key not in _NO_EXTRA}
            told.update(known({"stack": record.stack_info, "error": (record.exc_info or (None, None))[1]}))
            level = next(word for least, word in _LEVELS if record.levelno >= least)
            self._agent.log(level, record.getMessage(), **{**told, "logger": record.name})
        except Exception:  # noqa: BLE001 - logging must not break the program
            self.handleError(record)
        finally:
            self._busy = False


def _one_level(text: str) -> str:
    if not text or any(sign in text for sign in "/+#\0"):
        raise ValueError(f"{text!r} cannot be one level of a topic (empty, or with / + # in it)")
    return text


def _json(told: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(told, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=str)
    except (TypeError, ValueError, RecursionError):  # a key that is no text, no number, a circle
        kept = (str, int, type(None))
        plain = {key: value if isinstance(value, kept) else repr(value) for key, value in told.items()}
        text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")
