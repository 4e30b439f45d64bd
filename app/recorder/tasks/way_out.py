"""From the orchestrator to the broker."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import NamedTuple

from app.recorder.publisher import Way
from models.domain.clock import Clock
from models.domain.connection import Connection
from models.domain.connection import Protocol as Version
from models.domain.control import Link
from models.domain.problems import EnvironmentProblem
from models.domain.publishing import OutgoingMessage
from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.orders import TaskOrder
from models.domain.tasks.roster import Worker
from models.domain.tasks.work import Dispatch, Work
from mqtt.delegating import a2a, contract
from mqtt.delegating.contract import Refusal
from mqtt.outgoing import Receipt

A2A = "a2a"
_REFUSED = 0x80


class SendingOutcome(NamedTuple):
    """What came of a message. `refused`: what the broker said; `lost`: nobody knows whether it has it; `unsent`: it has not, for
    certain. None of them: it has it."""

    refused: str = ""
    lost: bool = False
    unsent: bool = False


class WayOut:
    """Task thread. `us`: our id among the agents."""

    def __init__(self, way: Way, us: str, clock: Clock) -> None:
        self._way, self.us, self._clock = way, us, clock

    @property
    def prefix(self) -> str:
        """Of the topics of our own contract at this broker."""
        return (self._way.connection or Connection()).prefix

    @property
    def connected_since_us(self) -> int:
        """Wall time since which there is a connection; 0: there is none."""
        view = self._way.view
        return view.since_us if view.link is Link.CONNECTED else 0

    @property
    def was_forgotten(self) -> bool:
        """Had the broker, when we came, lost what it kept for us, and with it perhaps what it kept for others?"""
        return self._way.view.session_lost

    def send(self, dispatch: Dispatch, worker: Worker, told: Callable[[SendingOutcome], None]) -> None:
        """To `worker`, in the convention that it speaks. `told` is called from the network thread, or at once."""
        now_us = self._clock.wall_us()
        if worker.convention != A2A:
            self._publish(contract.message_for(dispatch, self.prefix, self.us, now_us), told)
        elif dispatch.kind == "inquiry":
            pass  # what it calls capable of may be a word like ours; it knows no such question
        elif self._way.view.mqtt_version == Version.MQTT_311:
            told(SendingOutcome(refused="A2A needs MQTT 5, and this connection has 3.1.1"))
        else:
            whole = "/" in worker.name or not worker.group  # where another group has an agent of the same name
            address = worker.name if whole else f"{worker.group}/{worker.name}"
            self._publish(a2a.message_for(dispatch, address, self.us, now_us), told)

    def command(self, command: AgentCommand, told: Callable[[SendingOutcome], None]) -> None:
        """As `send`, a command to an agent."""
        self._publish(contract.command_for(command, self.prefix, self.us), told)

    def _publish(self, message: OutgoingMessage, told: Callable[[SendingOutcome], None]) -> None:
        try:
            answer = self._way.publish(message)
        except EnvironmentProblem:
            told(SendingOutcome(unsent=True))
            return
        answer.add_done_callback(lambda done: told(_outcome(done)))

    def tell_end(self, work: Work) -> None:
        """To the agent that asked for it; where there is no connection it asks again."""
        self._tell(contract.end_for(work, self.prefix, self.us))

    def refuse(self, order: TaskOrder, detail: str) -> None:
        """Tell the agent whose order makes no sense."""
        self.tell_refusal(Refusal(order.requester, order.reply_to, order.id, detail))

    def tell_refusal(self, refusal: Refusal) -> None:
        self._tell(contract.refusal_for(refusal, self.prefix, self.us))

    def _tell(self, message: OutgoingMessage) -> None:
        try:
            self._way.publish(message)
        except EnvironmentProblem:
            pass  # it is told when it asks again: its order is known by its id


def _outcome(done: "Future[Receipt]") -> SendingOutcome:
    if done.cancelled():
        return SendingOutcome(unsent=True)
    error = done.exception()
    if isinstance(error, EnvironmentProblem | CancelledError):
        return SendingOutcome(lost=True)
    if error is not None:  # the message itself is at fault
        return SendingOutcome(refused=str(error))
    receipt = done.result()
    return SendingOutcome(refused=receipt.reason if receipt.code >= _REFUSED else "")
