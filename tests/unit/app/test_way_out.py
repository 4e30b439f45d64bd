"""How a task goes to the broker: in the convention that its agent speaks."""

import pytest

from app.recorder.tasks.way_out import SendingOutcome, WayOut
from models.domain.connection import Protocol
from models.domain.tasks.orders import TaskOrder
from models.domain.tasks.roster import Worker
from models.domain.tasks.work import Dispatch, Work
from tests.helpers.task_desk import Way


@pytest.mark.parametrize(
    ("worker", "version", "topic"),
    [
        (Worker("adder"), Protocol.MQTT_311, "agents/adder/inbox/us"),
        (Worker("summariser", convention="a2a", group="o/u"), Protocol.MQTT_5, "$a2a/v1/request/o/u/summariser"),
        (Worker("o/u/summariser", convention="a2a", group="o/u"), Protocol.MQTT_5, "$a2a/v1/request/o/u/summariser"),
        (Worker("summariser", convention="a2a", group="o/u"), Protocol.MQTT_311, None),
    ],
)
def test_whoever_is_sent_a_task_gets_it_as_it_can_be_told(clock, worker, version, topic):
    way = Way(clock)
    way.view = way.view.__class__(way.view.link, mqtt_version=version)
    told = []
    order = TaskOrder("t", "sum", "1", (worker.name,))
    WayOut(way, "us", clock).send(Dispatch("task", Work(order, 1), worker.name, 1, ""), worker, told.append)
    if topic is None:
        assert told == [SendingOutcome(refused="A2A needs MQTT 5, and this connection has 3.1.1")]
        assert not way.sent
    else:
        way.acknowledge()
        assert way.topics() == [topic]
        assert (b"Murmurscope" in way.sent[0][0].payload) == topic.startswith("agents/"), "it says who it is"
        assert told == [SendingOutcome()]
