"""A session with its inbox, for tests that talk to a real or a fake broker."""

import random
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from models.domain.clock import SystemClock
from models.domain.connection import Secret, parse_url
from models.domain.control import Link
from models.domain.messages import Origin, RawMessage
from mqtt.backoff import Backoff
from mqtt.inbox import Inbox, InboxLimits
from mqtt.retained_states import KnownStates
from mqtt.session import LinkState, Session, SessionMemory
from tests.helpers.poll import until


class Listening:
    """Use as a context manager: a started session, and everything it said and brought, in order.

    Further arguments are fields of the connection. Attempts follow each other quickly. What is taken is acknowledged
    at once unless told otherwise.
    """

    def __init__(
        self, url: str, *, client_id: str = "listener", password: str | None = None, expects_session: bool = False,
        inbox: Inbox | None = None, first_delay_s: float = 0.05, acknowledges: bool = True,
        known_states: KnownStates | None = None, **fields: object,
    ) -> None:  # fmt: skip
        connection, secret = parse_url(url)
        self.states: list[LinkState] = []
        self._acknowledges = acknowledges
        self.messages: list[RawMessage] = []
        self.inbox = inbox or Inbox(SystemClock(), InboxLimits(idle_us=1_000))
        self.session = Session(
            replace(connection, **fields),  # type: ignore[arg-type]
            Secret(password) if password is not None else secret,
            client_id,
            self.inbox,
            SystemClock(),
            self.states.append,
            memory=SessionMemory(expects_session),
            backoff=Backoff(random.Random(1), first_s=first_delay_s),
            known_states=known_states,
        )

    def __enter__(self) -> Self:
        self.session.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.stop()

    def words(self) -> list[Link]:
        return [one.link for one in self.states]

    def until_state(self, link: Link, count: int = 1, limit_s: float = 20.0) -> LinkState:
        """Wait until this state was entered `count` times, and return it as it was told then."""

        def found() -> LinkState | None:
            entered = [one for one in list(self.states) if one.link is link]
            return entered[count - 1] if len(entered) >= count else None

        return until(found, f"{link} for the {count}. time; told were {self.states}", limit_s)  # type: ignore[return-value]

    def connected(self, count: int = 1) -> LinkState:
        return self.until_state(Link.CONNECTED, count)

    def take(self) -> None:
        taken = self.inbox.take()
        self.messages += taken
        if self._acknowledges:
            self.session.acknowledge(taken)

    def bring(self, wanted: Callable[[list[RawMessage]], bool], what: str) -> list[RawMessage]:
        """Take from the inbox until what came is enough, and return all that came so far."""

        def enough() -> bool:
            self.take()
            return wanted(self.messages)

        until(enough, what)
        return self.messages

    def bring_count(self, count: int, topic: bytes | None = None) -> list[RawMessage]:
        """The messages on a topic (None: any but the broker's own), when `count` are there."""
        self.bring(lambda _: len(self.on(topic)) >= count, f"{count} messages on {topic!r}")
        return self.on(topic)

    def on(self, topic: bytes | None) -> list[RawMessage]:
        return [
            one for one in self.messages if one.topic == topic or (topic is None and not one.topic.startswith(b"$"))
        ]

    def payloads(self, origin: Origin | None = None) -> list[bytes]:
        return [one.payload for one in self.on(None) if origin is None or one.origin is origin]


class Publisher:
    """A plain client that waits for each answer of the broker. Use as a context manager."""

    def __init__(self, port: int) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._port = port

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        until(self._client.is_connected, "the publisher is connected")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def __call__(
        self, topic: str, payload: bytes | str, qos: int = 1, *, retain: bool = False, properties: object = None
    ) -> None:
        info = self._client.publish(topic, payload, qos, retain, properties)  # type: ignore[arg-type]
        info.wait_for_publish(20)
        assert info.is_published(), f"{topic} was not published"
