"""An agent that speaks A2A over MQTT and nothing of ours: a card, and what its `work` says for each request."""

import json
import threading
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

Tell = Callable[..., None]
"""Says a state of the task: its word, with an artifact or a message as text."""
Work = Callable[[str, Any, Tell], None]
"""Called with the method, the first part of the message, and how to answer."""


class A2AAgent:
    """Use as a context manager: it is connected, listens, and its card is out."""

    def __init__(self, url: str, address: str, skills: list[str], work: Work) -> None:
        """`address`: organisation, unit and agent."""
        self._address, self._skills, self._work = address, skills, work
        self.requests: list[dict[str, Any]] = []
        self._listens = threading.Event()
        self._client = Client(
            CallbackAPIVersion.VERSION2, address.replace("/", "-"), protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.on_connect = lambda client, *_: client.subscribe(f"$a2a/v1/request/{address}", 1)
        self._client.on_subscribe = lambda *_: self._listens.set()
        self._client.on_message = lambda _client, _userdata, message: self._take(message)
        parts = urlsplit(url)
        self._client.connect(str(parts.hostname), parts.port or 1883)

    def __enter__(self) -> Self:
        self._client.loop_start()
        assert self._listens.wait(20)
        about = Properties(PacketTypes.PUBLISH)
        about.UserProperty = [("a2a-status", "online"), ("a2a-status-source", "agent")]
        card = {
            "name": self._address.rpartition("/")[2], "version": "1.0", "capabilities": {"streaming": True},
            "skills": [{"id": one, "name": one} for one in self._skills],
        }  # fmt: skip
        self._client.publish(f"$a2a/v1/discovery/{self._address}", json.dumps(card), 1, retain=True, properties=about)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._client.on_connect = self._client.on_subscribe = self._client.on_message = None

    def _take(self, message: MQTTMessage) -> None:
        request = json.loads(message.payload)
        self.requests.append(request)
        params = request["params"]
        told = params.get("message", {})
        task = told.get("taskId") or params["id"]
        part = (told.get("parts") or [{}])[0]
        about = Properties(PacketTypes.PUBLISH)
        about.CorrelationData = message.properties.CorrelationData  # type: ignore[union-attr]
        topic = message.properties.ResponseTopic  # type: ignore[union-attr]

        def say(result: dict[str, Any]) -> None:
            body = {"jsonrpc": "2.0", "id": request["id"], "result": result}
            self._client.publish(topic, json.dumps(body), 1, properties=about)

        def tell(state: str, *, artifact: object = None, said: str = "") -> None:
            if artifact is not None:
                of_task = {
                    "artifactId": "a",
                    "parts": [{"text": artifact} if isinstance(artifact, str) else {"data": artifact}],
                }
                say({"artifactUpdate": {"taskId": task, "artifact": of_task, "lastChunk": True}})
            status: dict[str, Any] = {"state": f"TASK_STATE_{state.upper()}"}
            if said:
                status["message"] = {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": said}]}
            say({"statusUpdate": {"taskId": task, "contextId": told.get("contextId", ""), "status": status}})

        self._work(request["method"], part.get("data", part.get("text")), tell)
