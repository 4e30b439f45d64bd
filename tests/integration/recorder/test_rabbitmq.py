"""Agents on a real RabbitMQ: those that talk by queues alone are seen, and one with a line changed is given tasks."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.domain.records import TaskState
from tests.helpers.node import Node, install
from tests.helpers.office import Office
from tests.helpers.poll import until
from tests.helpers.rabbit import Rabbit
from tests.helpers.recorder_process import REPOSITORY, command

pytestmark = [pytest.mark.services, pytest.mark.rabbitmq]

GUIDE = REPOSITORY / "resources/guide/connect-your-agent.md"
SCRIPTS = Path(__file__).parents[1] / "node/rabbitmq"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("amqp"), SCRIPTS)


@pytest.fixture(scope="module")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbit]:
    """Traced by the command that the guide shows."""
    with Rabbit(tmp_path_factory.mktemp("rabbit")) as one:
        [told] = [line for line in GUIDE.read_text().splitlines() if line.startswith("    rabbitmqctl eval")]
        assert one.control(told) == "ok\n"
        yield one


@pytest.fixture
def office(rabbit: Rabbit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    with Office(tmp_path, rabbit.url, monkeypatch) as one:
        yield one


def rows(office: Office, dataset: str) -> list[dict[str, Any]]:
    done = command(office.workspace.root, "export", dataset, "--format", "jsonl")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_agents_that_talk_by_queues_are_seen_and_each_message_counts_once(
    packages: Path, rabbit: Rabbit, office: Office, tmp_path: Path
) -> None:
    with Node(packages, tmp_path, SCRIPTS / "queues.js", rabbit.amqp_url, "3") as node:
        assert not node.wait()
    until(lambda: len(rows(office, "messages")) >= 12, "all that was published and delivered is stored")
    told = [one for one in rows(office, "messages") if not one["duplicate"]]
    assert Counter(one["topic"] for one in told) == {"publish/": 6}
    assert Counter(one["agent"] for one in told) == {None: 3, "crawler-2": 3}
    assert Counter((one["from"], one["to"], one["outcome"]) for one in rows(office, "interactions")) == {
        (None, "crawler-2", "ok"): 3, ("crawler-2", "planner", "ok"): 3,
    }  # fmt: skip
    assert not rows(office, "unreadable")


@pytest.mark.parametrize("how", ["report", "reply"])
def test_with_a_line_changed_one_is_given_a_task_and_its_answer_ends_it(
    how: str, packages: Path, rabbit: Rabbit, office: Office, tmp_path: Path
) -> None:
    with Node(packages, tmp_path, SCRIPTS / "takes_part.js", rabbit.amqp_url, how) as node:
        assert node.process.stdout is not None
        assert node.process.stdout.readline() == "ready\n"
        done = office.ends(office.give(to=("adder-3",), input="[1, 2, 3.5]"))
    assert (done.state, done.result, done.agent) == (TaskState.COMPLETED, "6.5", "adder-3")
    until(lambda: rows(office, "interactions"), "it is stored")
    expected = [(office.us, "adder-3", "task")]
    assert [(one["from"], one["to"], one["kind"]) for one in rows(office, "interactions")] == expected
    told = [one["topic"] for one in rows(office, "messages") if not one["duplicate"]]
    answered = "agents/adder-3/task" if how == "report" else f"agents/{office.us}/inbox/adder-3"
    assert sorted(told) == sorted([f"agents/adder-3/inbox/{office.us}", answered])


def test_the_example_of_the_guide(packages: Path, rabbit: Rabbit, office: Office, tmp_path: Path) -> None:
    text = GUIDE.read_text().partition("\n## RabbitMQ\n")[2].partition("```js\n")[2].partition("```")[0]
    used = "takePart(({ pages }) => ({ links: 7 * pages })).then(() => console.log('ready'));\n"
    script = tmp_path / "mine.js"
    script.write_text(text.replace("amqp://localhost", rabbit.amqp_url) + used)
    with Node(packages, tmp_path, script) as node:
        assert node.process.stdout is not None
        assert node.process.stdout.readline() == "ready\n"
        done = office.ends(office.give("crawl", to=("crawler-7",), input='{"pages":2}'))
    assert (done.state, done.result) == (TaskState.COMPLETED, '{"links":14}')
