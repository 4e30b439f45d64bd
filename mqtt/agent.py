"""Makes a program an agent that Murmurscope shows: status with a will, figures, logs, connection attempts, messages.

One file, needs Python 3.9 and paho-mqtt 2 (pip install paho-mqtt). Copy it beside your program:

    from agent import Agent

    with Agent("mqtt://localhost", "crawler-7", group="crawlers") as agent:
        while pages := next_pages():
            started = time.monotonic()
            done = crawl(pages)
            agent.metrics({"agent.request.duration": time.monotonic() - started, "pages": done})
            if done < len(pages):
                agent.log("warn", "some pages failed", missed=len(pages) - done)

It says `online` when it connects and again every `interval_s`, `stopped` when the block ends, `offline` when the block
ends with an exception; when the program dies or the network is gone, the broker says `offline` for it. It connects in
the background and comes back by itself, so a broker that is away never stops the program. What is sent meanwhile waits
with its own time in a bounded queue; what does not fit is counted in `dropped`. Figures use base units (seconds, bytes,
ratios 0 to 1). All methods may be called from any thread, and only `open` and `close` wait.
"""

from __future__ import annotations

import atexit
import json
import math
import os
import secrets
import socket
import ssl
import sys
import threading
import time
import traceback
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
_STATES = ("online", "degraded", "asleep", "starting", "offline", "stopped")
_GOODBYE_LIMIT_S = 3.0


class Refused(ConnectionError):  # noqa: N818 - an answer of the broker
    """The broker answered, and said no. `code` is the return code of MQTT 3.1.1 (4: wrong password, 5: not authorised)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Incoming(NamedTuple):
    """A message from another agent."""

    sender: str
    id: str
    type: str
    body: Any
    reply_to: str  # the id that it answers, or empty


class Agent:
    """One agent on one broker. Connects when entered, with `start` or with `open`; ended by `close`, at exit at the latest.

    `broker_url`: mqtt://, mqtts://, ws:// or wss://, with user and port if need be. `id`: one level of a topic, unique
    on the broker: a second program with the same id takes the connection away from the first. `interval_s`: how often
    the status is told again; an agent silent for three intervals (30 s at least) counts as offline. `ca_file`: trust
    only this authority; without it this computer's list. Raises `ValueError` for an id or address that cannot be one, and
    `OSError` for certificate files that cannot be read.
    """

    def __init__(
        self,
        broker_url: str,
        id: str,  # noqa: A002 - what everybody calls it
        *,
        name: str = "",
        group: str = "",
        interval_s: float = 10.0,
        prefix: str = "agents",
        password: str | None = None,
        capabilities: Iterable[str] = (),
        version: str = "",
        ca_file: str | None = None,
        certificate_file: str | None = None,
        key_file: str | None = None,
        queue_limit: int = 1_000,
    ) -> None:
        self.id = _one_level(id)
        self.boot = secrets.token_hex(6)
        self.dropped = 0
        self.last_error = ""  # why there is no connection
        self.refusal: Refused | None = None  # the broker answered and did not let us in
        self._base = f"{prefix}/{self.id}"
        self._prefix = prefix
        self._interval_s = interval_s
        known = {
            "name": name or id,
            "group": group,
            "interval_s": interval_s,
            "capabilities": list(capabilities),
            "version": version,
            "host": socket.gethostname(),
        }
        self._card = {key: value for key, value in known.items() if value}
        self._state = "online"
        self._numbers: dict[str, int] = {}
        self._queue_limit = queue_limit
        self._sent = 0
        self._answered = 0
        self._guard = threading.Lock()
        self._connected, self._answered_connect = threading.Event(), threading.Event()
        self._closing = threading.Event()
        self._closed = False
        self._listener: Callable[[Incoming], None] | None = None
        self._address, self._client = self._build(broker_url, password, ca_file, certificate_file, key_file)
        self._beat = threading.Thread(target=self._repeat_status, name=f"agent-{id}", daemon=True)

    # ---- life

    def start(self) -> Agent:
        """Connect in the background; what is sent from now on waits for the connection."""
        self._client.connect_async(*self._address, keepalive=15)
        self._go()
        return self

    def open(self, wait_s: float = 10.0) -> Agent:
        """Connect now; afterwards the connection comes back by itself.

        Raises `OSError` where nobody listens, `Refused` where the broker says no, `TimeoutError` after `wait_s`.
        """
        try:
            self._client.connect(*self._address, keepalive=15)
            self._go()
            if not self._answered_connect.wait(wait_s):
                raise TimeoutError(f"no answer from the broker within {wait_s:g} s")
            if self.refusal is not None:
                raise self.refusal
        except BaseException:
            self.close()
            raise
        return self

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait until the broker let us in; `last_error` says why it did not."""
        return self._connected.wait(timeout_s)

    def _go(self) -> None:
        self._client.loop_start()
        self._beat.start()
        atexit.register(self.close)

    def close(self, state: str = "stopped") -> None:
        """Say goodbye and disconnect; what still waits, also for the first connection, gets up to 3 s. May be called
        twice."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
        self._closing.set()
        atexit.unregister(self.close)
        if self._beat.is_alive():
            self._beat.join()
        if self._beat.ident is not None and not self.last_error and self._connected.wait(_GOODBYE_LIMIT_S):
            self._state = state
            goodbye = self._publish_status()
            try:
                goodbye.wait_for_publish(_GOODBYE_LIMIT_S)
            except (RuntimeError, ValueError):
                pass  # the connection went, or the queue is full: the broker will say offline for us
        self._client.disconnect()  # without this packet the broker publishes the will
        self._client.loop_stop()

    def __enter__(self) -> Agent:  # noqa: PYI034 - Self is newer than Python 3.9
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            stack = "".join(traceback.format_exception(kind, error, trace))
            self.log("fatal", str(error) or type(error).__name__, error=type(error).__name__, stack=stack)
            self.close("offline")
        else:
            self.close()

    @property
    def connected(self) -> bool:
        return self._connected.is_set()

    # ---- what an agent tells

    @property
    def room(self) -> int:
        """So many messages more find room in the queue."""
        return max(0, self._queue_limit - (self._sent - self._answered))

    def status(self, state: str = "online") -> None:
        """One of online, degraded, asleep, starting, offline, stopped; told now and again every `interval_s`."""
        if state not in _STATES:
            raise ValueError(f"{state!r} is none of {', '.join(_STATES)}")
        self._state = state
        if self._connected.is_set():  # else it is told when the connection is made
            self._publish_status()

    def metrics(self, values: Mapping[str, float]) -> None:
        """Numbers by name, in base units (seconds, bytes, 0 to 1). What is no finite number is left out."""
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        if finite:
            self._send(f"{self._base}/metrics", {"metrics": finite})

    def log(self, level: str, message: str, **attributes: Any) -> None:
        """trace, debug, info, warn, error or fatal. `logger`, `error` and `stack` have meanings of their own; every other
        attribute is kept by its name."""
        self._send(f"{self._base}/log", {**attributes, "level": level, "message": message})

    def connection(self, target: str, outcome: str, error: str | None = None, duration_s: float | None = None) -> None:
        """An attempt to connect to something: outcome ok, error, timeout or refused."""
        told = {"target": target, "outcome": outcome, "error": error, "duration_s": duration_s}
        self._send(f"{self._base}/connection", {key: value for key, value in told.items() if value is not None})

    def line(self, file: str, line: bytes | str) -> None:
        """One line of a followed file, as it is."""
        level = "".join("-" if sign in "/+#\0" else sign for sign in file)
        self._send(f"{self._base}/tail/{level}", line)

    def say(self, to: str, body: Any, type: str = "message", reply_to: str = "") -> str:  # noqa: A002 - the key's name
        """Send a message to another agent; returns its id."""
        name = str(uuid.uuid4())
        message = {"id": name, "type": type, "body": body}
        if reply_to:
            message["reply_to"] = reply_to
        self._send(f"{self._prefix}/{_one_level(to)}/inbox/{self.id}", message)
        return name

    def reply(self, message: Incoming, body: Any, type: str = "reply") -> str:  # noqa: A002 - as above
        """Answer a message of another agent."""
        return self.say(message.sender, body, type, message.id)

    def listen(self, handler: Callable[[Incoming], None]) -> None:
        """Call `handler` for each message to this agent, in the network thread. What it raises is logged as an error."""
        self._listener = handler
        if self._connected.is_set():
            self._subscribe()

    # ---- inside

    def _build(
        self, url: str, password: str | None, ca_file: str | None, certificate_file: str | None, key_file: str | None
    ) -> tuple[tuple[str, int], Client]:
        parts = urlsplit(url if "://" in url else f"mqtt://{url}")
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("the broker's address must look like mqtt://host:1883")
        parts.hostname.encode("idna")  # what cannot be a name would end paho's thread later
        # the client id stays the same: after a crash the broker ends the old connection, and says its will, before the
        # new one says online; with another id that will would come later and be believed
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{self._prefix}-{self.id}",
            transport="websockets" if parts.scheme in ("ws", "wss") else "tcp",
        )
        secret = password if password is not None else unquote(parts.password or "")
        if parts.username:
            client.username_pw_set(unquote(parts.username), secret or None)
        if parts.scheme in ("ws", "wss"):
            client.ws_set_options(path=parts.path or "/mqtt")
        if parts.scheme in ("mqtts", "wss"):
            context = ssl.create_default_context(cafile=ca_file or None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if certificate_file:
                context.load_cert_chain(certificate_file, key_file or None)
            client.tls_set_context(context)
        client.reconnect_delay_set(1, 30)
        client.will_set(f"{self._base}/status", _json({**self._card, "state": "offline"}), 1, retain=True)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return (parts.hostname, parts.port or _PORTS[parts.scheme]), client

    def _publish_status(self) -> Any:
        return self._send(f"{self._base}/status", {**self._card, "state": self._state}, retain=True)

    def _send(self, topic: str, payload: dict[str, Any] | bytes | str, *, retain: bool = False) -> Any:
        """Publish at QoS 1; the status always finds room."""
        with self._guard:  # numbers go out in their order
            if isinstance(payload, dict):
                number = self._numbers.get(topic, 0)
                self._numbers[topic] = number + 1  # also of what is dropped: so a gap shows
                payload = _json({**payload, "ts": round(time.time(), 6), "boot": self.boot, "seq": number})
            if not retain and self._sent - self._answered >= self._queue_limit:
                self.dropped += 1
                return None
            self._sent += 1
            return self._client.publish(topic, payload, 1, retain)

    def _on_publish(self, *_: object) -> None:
        self._answered += 1  # paho's thread alone; no lock, for it holds one that publish() waits for

    def _repeat_status(self) -> None:
        while not self._closing.wait(self._interval_s):
            if self._connected.is_set():
                self._publish_status()

    def _subscribe(self) -> None:
        self._client.subscribe(f"{self._base}/inbox/+", 1)

    def _on_connect(self, _client: object, _userdata: object, _flags: object, reason: Any, _properties: object) -> None:
        if reason.is_failure:
            self.last_error = str(reason)
            self.refusal = Refused(
                {"Bad user name or password": 4, "Not authorized": 5}.get(str(reason), 3), str(reason)
            )
            self._answered_connect.set()
            return
        self.last_error, self.refusal = "", None
        self._publish_status()  # first: the broker may just have said offline for us
        self._connected.set()
        if self._listener is not None:  # looked at after the flag is set, as `listen` does it the other way round
            self._subscribe()
        self._answered_connect.set()

    def _on_connect_fail(self, _client: object, _userdata: object) -> None:
        error = sys.exc_info()[1]  # paho calls while it handles the exception, and does not hand it over
        self.last_error = str(error or "the broker cannot be reached")

    def _on_disconnect(self, _client: object, _userdata: object, _flags: object, reason: Any, _more: object) -> None:
        self._connected.clear()
        if self.refusal is None:
            self.last_error = str(reason)

    def _on_message(self, _client: object, _userdata: object, message: MQTTMessage) -> None:
        try:
            told = json.loads(message.payload)
            sender = message.topic.rsplit("/", 1)[1]
            incoming = Incoming(
                sender,
                str(told.get("id", "")),
                str(told.get("type", "")),
                told.get("body"),
                str(told.get("reply_to", "")),
            )
            if self._listener is not None:
                self._listener(incoming)
        except Exception as error:  # noqa: BLE001 - an exception would end paho's thread, and the agent with it
            self.log("error", "a message could not be handled", error=repr(error), stack=traceback.format_exc())


def _one_level(text: str) -> str:
    """The text, if it can be one level of a topic."""
    if not text or any(sign in text for sign in "/+#\0"):
        raise ValueError(f"{text!r} cannot be one level of a topic (empty, or with / + # in it)")
    return text


def _json(payload: dict[str, Any]) -> bytes:
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False, default=str)
    return text.encode("utf-8", "backslashreplace")


if __name__ == "__main__":
    broker = sys.argv[1] if len(sys.argv) > 1 else "mqtt://localhost"
    with Agent(broker, f"example-{os.getpid()}", group="examples") as example:
        print(f"{example.id} tells {broker} its load once a second; Ctrl+C says goodbye")
        try:
            while True:
                example.metrics({"system.cpu.load_average.1m": os.getloadavg()[0]})
                time.sleep(1)
        except KeyboardInterrupt:
            pass
