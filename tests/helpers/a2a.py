"""Conversations between agents that speak A2A, message by message."""

from typing import Any

from models.domain.messages import Origin, Properties
from models.domain.records import Outcome, TaskState
from tests.helpers.reading import Reading

S = 1_000_000
REQUEST, REPLY = "$a2a/v1/request/o/u/planner", "$a2a/v1/reply/o/u/client/3ba5b6fd"


class Talk(Reading):
    """Messages a quarter of a second apart, and all that came of them."""

    def __init__(self) -> None:
        super().__init__()
        self.states: list[tuple[str, str, TaskState]] = []
        self.talks: list[tuple[str, str, str, int | None, Outcome]] = []
        self.senders: list[str] = []
        self.unread: list[str] = []

    def tell(
        self, topic: str, payload: object, user: dict[str, str] | None = None, origin: Origin = Origin.LIVE, **mqtt: Any
    ) -> Any:
        properties = Properties(user=tuple((user or {}).items()), **mqtt)
        batch = self.send(topic, payload, origin, properties)
        name = self.names.agents
        self.states += [(name[one.agent], one.task, one.state) for one in batch.tasks]
        self.talks += [(name[one.sender], name[one.receiver], *one[4:5], *one[6:]) for one in batch.interactions]
        self.senders += [name[one] for one in batch.agent]
        self.unread += [one.reason for one in batch.unreadable]
        self.now_us += S // 4
        return batch

    def ask(self, task: str = "t", correlation: bytes = b"c", topic: str = REQUEST, method: str = "SendMessage") -> Any:
        message = {"messageId": "m", "parts": [{"text": "x"}], "taskId": task}
        body = {"jsonrpc": "2.0", "id": "r", "method": method, "params": {"message": message}}
        return self.tell(topic, body, response_topic=REPLY, correlation=correlation)

    def reply(self, result: object, user: dict[str, str] | None = None, correlation: bytes = b"c") -> Any:
        return self.tell(REPLY, {"jsonrpc": "2.0", "id": "r", "result": result}, user, correlation=correlation)

    def state(self, word: str, user: dict[str, str] | None = None, task: str = "t", **more: object) -> Any:
        return self.reply({"statusUpdate": {"taskId": task, "status": {"state": word, **more}}}, user)
