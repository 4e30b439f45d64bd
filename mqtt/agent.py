"""Makes a program an agent that Murmurscope shows: status with a will, figures, logs, connection attempts, messages.

One file, needs Python 3.9 and paho-mqtt 2 (pip install paho-mqtt). Copy it beside your program:

    from agent import Agent

    with Agent("mqtt://localhost", "crawler-1", group="crawlers") as me:
        me.metrics({"process.cpu.utilization": 0.12, "process.memory.usage": 81_000_000})
        me.log("warn", "retrying after a slow answer", url="https://example.org", attempt=2)
        me.connection("https://example.org", "ok", duration_s=0.21)

Figures use base units (seconds, bytes, ratios 0–1). While the broker is away, up to 1,000 messages wait and keep their own
times. All methods may be called from any thread.
"""

from __future__ import annotations  # so that Python 3.9 reads the types below

import json
import os
import platform
import ssl
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
_WAITING_LIMIT = 1_000


class Refused(ConnectionError):  # noqa: N818 - an answer of the broker
    """The broker answered, and said no. `code` is the return code of MQTT 3.1.1 (4: wrong password, 5: not authorised)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Agent:
    """One agent with a connection of its own. `with` opens it and says goodbye at the end.

    `id` is the agent's level in topics: no slash, plus or hash. `interval_s`: how often the status is told again; an agent
    silent for three intervals (30 s at least) counts as offline.
    """

    def __init__(
        self,
        broker_url: str,
        id: str,  # noqa: A002 - what the contract calls it
        *,
        name: str = "",
        group: str = "",
        interval_s: float = 10.0,
        capabilities: Iterable[str] = (),
        version: str = "",
        prefix: str = "agents",
        password: str | None = None,
        ca_file: str | None = None,
        certificate_file: str | None = None,
        key_file: str | None = None,
        qos: int = 1,
    ) -> None:
        if not id or any(c in id for c in "/+#\0"):
            raise ValueError(f"{id!r} cannot be a level of a topic")
        self.id, self._prefix, self._qos, self._interval_s = id, prefix, qos, interval_s
        self._about: dict[str, Any] = {
            "name": name or id, "group": group, "interval_s": interval_s, "capabilities": list(capabilities),
            "version": version, "host": platform.node(),
        }  # fmt: skip
        self._state = "online"
        self._boot = uuid.uuid4().hex
        self._seq: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()
        self._closing, self._answered = threading.Event(), threading.Event()
        self._refusal: Refused | None = None
        self._teller: threading.Thread | None = None
        url = urlsplit(broker_url if "://" in broker_url else f"mqtt://{broker_url}")
        if url.scheme not in _PORTS or not url.hostname:
            raise ValueError(f"{url.scheme}://{url.hostname or ''} is not the address of a broker")
        self._host, self._port = url.hostname, url.port or _PORTS[url.scheme]
        websocket = url.scheme in ("ws", "wss")
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{id[:40]}-{self._boot[:8]}",
            transport="websockets" if websocket else "tcp",
            protocol=paho.MQTTv311,
        )
        if websocket:
            self._client.ws_set_options(path=url.path or "/mqtt")
        if url.scheme in ("mqtts", "wss"):
            context = ssl.create_default_context(cafile=ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if certificate_file:
                context.load_cert_chain(certificate_file, key_file)
            self._client.tls_set_context(context)
        if url.username:
            secret = password if password is not None else unquote(url.password) if url.password else None
            self._client.username_pw_set(unquote(url.username), secret)
        self._client.max_queued_messages_set(_WAITING_LIMIT)
        self._client.reconnect_delay_set(1, 30)
        self._client.will_set(self._topic("status"), _encode({"state": "offline", **self._about}), 1, retain=True)
        self._client.on_connect = self._connected

    def open(self, wait_s: float = 10.0) -> Agent:
        """Connect and tell the status; afterwards the connection comes back by itself.

        Raises `OSError` where nobody listens, `Refused` where the broker says no, `TimeoutError` after `wait_s`.
        """
        try:
            self._client.connect(self._host, self._port, keepalive=15)
            self._client.loop_start()
            if not self._answered.wait(wait_s):
                raise TimeoutError(f"no answer from {self._host}:{self._port} within {wait_s:g} s")
            if self._refusal is not None:
                raise self._refusal
        except BaseException:
            self._end()
            raise
        self._teller = threading.Thread(target=self._tell_again, name=f"status of {self.id}", daemon=True)
        self._teller.start()
        return self

    def close(self) -> None:
        """Say goodbye (`stopped`), wait up to two seconds until the broker has it, and disconnect."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._teller is not None:
            self._teller.join()
        if self._client.is_connected():
            farewell = self.status("stopped")
            try:
                farewell.wait_for_publish(2.0)
            except (RuntimeError, ValueError):
                pass  # the link broke in between: the will says what we could not
        self._end()

    def __enter__(self) -> Agent:  # noqa: PYI034 - Self needs Python 3.11
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def status(self, state: str = "online") -> paho.MQTTMessageInfo:
        """online, degraded, asleep or starting. Told again every `interval_s`, and kept by the broker."""
        self._state = state
        return self._publish(self._topic("status"), {"state": state, **self._about}, qos=1, retain=True)

    def metrics(self, metrics: Mapping[str, float]) -> None:
        """Figures of now, by OpenTelemetry's names, in base units."""
        self._publish(self._topic("metrics"), {"metrics": dict(metrics)})

    def log(
        self,
        level: str,
        message: str,
        *,
        logger: str = "",
        error: str | None = None,
        stack: str | None = None,
        **attributes: Any,
    ) -> None:
        """A log record: trace, debug, info, warn, error or fatal; further keywords become its attributes."""
        own = {"level": level, "message": message, "logger": logger, "error": error, "stack": stack}
        self._publish(self._topic("log"), {**attributes, **{k: v for k, v in own.items() if v}})

    def connection(
        self, target: str, outcome: str = "ok", *, error: str | None = None, duration_s: float | None = None
    ) -> None:
        """An attempt to connect to something: ok, error, timeout or refused."""
        body = {"target": target, "outcome": outcome, "error": error, "duration_s": duration_s}
        self._publish(self._topic("connection"), {k: v for k, v in body.items() if v is not None})

    def say(self, to: str, body: Any, *, type: str = "message", reply_to: str | None = None) -> str:  # noqa: A002
        """Send a message to another agent; answers its id. `reply_to` is the id of the message this one answers."""
        id_ = uuid.uuid4().hex
        message = {"id": id_, "type": type, "body": body}
        if reply_to is not None:
            message["reply_to"] = reply_to
        self._publish(f"{self._prefix}/{to}/inbox/{self.id}", message)
        return id_

    def line(self, file: str, line: bytes | str) -> None:
        """A line of a followed file, as it is."""
        level = "".join("-" if c in "/+#\0" else c for c in file)
        self._client.publish(self._topic(f"tail/{level}"), line, 1)

    def _topic(self, kind: str) -> str:
        return f"{self._prefix}/{self.id}/{kind}"

    def _publish(
        self, topic: str, body: Mapping[str, Any], *, qos: int | None = None, retain: bool = False
    ) -> paho.MQTTMessageInfo:
        with self._lock:  # the order of numbers is the order of sending
            seq = self._seq[topic]
            self._seq[topic] = seq + 1
            payload = _encode({"ts": time.time(), "boot": self._boot, "seq": seq, **body})
            return self._client.publish(topic, payload, self._qos if qos is None else qos, retain)

    def _connected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            codes = {"Bad user name or password": 4, "Not authorized": 5}
            self._refusal = Refused(codes.get(str(reason), 3), str(reason))
        else:
            self.status(self._state)
        self._answered.set()

    def _tell_again(self) -> None:
        while not self._closing.wait(self._interval_s):
            self.status(self._state)

    def _end(self) -> None:
        self._closing.set()
        self._client.disconnect()
        self._client.loop_stop()


def _encode(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False, default=str).encode("utf-8", "backslashreplace")


if __name__ == "__main__":
    broker = sys.argv[1] if len(sys.argv) > 1 else "mqtt://localhost"
    with Agent(broker, f"example-{os.getpid()}", group="examples") as agent:
        print(f"{agent.id} tells {broker} its load once a second; Ctrl+C says goodbye")
        try:
            while True:
                agent.metrics({"system.cpu.load_average.1m": os.getloadavg()[0]})
                time.sleep(1)
        except KeyboardInterrupt:
            pass
