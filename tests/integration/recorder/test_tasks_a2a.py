"""Tasks given to an agent that speaks A2A over MQTT, through the real recorder and a real broker."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.domain.records import TaskState
from tests.helpers.a2a_agent import A2AAgent, Tell
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.office import Office

pytestmark = pytest.mark.services


def summarise(method: str, told: Any, tell: Tell) -> None:
    if method == "CancelTask":
        tell("canceled")
    elif told == "the answer is yes":
        tell("completed", artifact="done so")
    elif told == "ask":
        tell("input_required", said="may I?")
    elif told == "wait":
        tell("working")
    elif told == "fail":
        tell("failed", said="no such page")
    else:
        tell("submitted")
        tell("working", said="reading")
        tell("completed", artifact=told)


@pytest.fixture
def office(broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    with Office(tmp_path, broker.url, monkeypatch) as one:
        yield one


def test_from_its_card_to_each_end(broker: Mosquitto, office: Office) -> None:
    with A2AAgent(broker.url, "orchard/lab/summariser", ["summary"], summarise) as agent:
        done = office.ends(office.give("summary", input='{"pages":[1,2]}', capability="summary"))
        assert (done.state, done.result, done.attempt) == (TaskState.COMPLETED, '{"pages":[1,2]}', 1)
        assert done.agent.rpartition("/")[2] == "summariser"
        assert done.sent_us <= done.started_us <= done.ended_us

        failed = office.ends(office.give("summary", input='"fail"', capability="summary", attempts=2, backoff_us=1_000))
        assert (failed.state, failed.reason, failed.attempt) == (TaskState.FAILED, "failed", 2)
        assert failed.error == "no such page"

        asking = office.give("summary", input='"ask"', to=(done.agent,))
        office.is_in(asking, TaskState.INPUT_REQUIRED)
        office.ask("answer_task", asking, '"the answer is yes"')
        assert office.ends(asking).result == "done so"

        waiting = office.give("summary", input='"wait"', to=(done.agent,))
        office.is_in(waiting, TaskState.WORKING)
        office.ask("cancel_task", waiting)
        canceled = office.ends(waiting)
        assert (canceled.state, canceled.reason) == (TaskState.CANCELED, "asked")
        methods = [one["method"] for one in agent.requests]
        assert methods == ["SendMessage"] * 6 + ["CancelTask"]
        assert agent.requests[0]["params"]["message"]["parts"] == [{"data": {"pages": [1, 2]}}]
        assert json.dumps(agent.requests[2]).count(f"{failed.order.id}.2") >= 2, (
            "the second attempt is a task of its own"
        )
