"""What must not be published, and waiting for what the broker says."""

from concurrent.futures import Future

import pytest

from app.recorder.broker_link import LinkView
from app.recorder.publisher import Publisher
from models.domain.connection import Connection
from models.domain.messages import Properties
from models.domain.problems import EnvironmentProblem, Problem, trouble
from models.domain.publishing import PAYLOAD_LIMIT_BYTES, OutgoingMessage, Published, publish_problem
from mqtt.outgoing import Receipt
from tests.helpers.clock import FakeClock


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (OutgoingMessage(""), "publish.no-topic"),
        (OutgoingMessage("a/+/b"), "publish.wildcard"),
        (OutgoingMessage("a/#"), "publish.wildcard"),
        (OutgoingMessage("c#"), "publish.wildcard"),
        (OutgoingMessage("a\0b"), "publish.text"),
        (OutgoingMessage("a\ud800"), "publish.text"),
        (OutgoingMessage("a" * 65_536), "publish.text-long"),
        (OutgoingMessage("ż" * 32_768), "publish.text-long"),
        (OutgoingMessage("a", b"x" * (PAYLOAD_LIMIT_BYTES + 1)), "publish.payload-long"),
        (OutgoingMessage("a", properties=Properties(response_topic="b/#")), "publish.wildcard"),
        (OutgoingMessage("a", properties=Properties(content_type="a\0")), "publish.text"),
        (OutgoingMessage("a", properties=Properties(user=(("k", "v\0"),))), "publish.text"),
        (OutgoingMessage("a", properties=Properties(user=(("k" * 65_536, ""),))), "publish.text-long"),
        (OutgoingMessage("a", properties=Properties(correlation=b"x" * 65_536)), "publish.text-long"),
        (OutgoingMessage("a", properties=Properties(expiry_s=-1)), "recorder.request"),
        (OutgoingMessage("a", properties=Properties(expiry_s=1 << 32)), "recorder.request"),
        (OutgoingMessage("a", qos=2), "recorder.request"),
    ],
)
def test_what_must_not_be_sent_is_told(message: OutgoingMessage, code: str) -> None:
    problem = publish_problem(message)
    assert problem is not None
    assert problem.code == code
    assert "?" not in problem.sentence()  # every place has its value


@pytest.mark.parametrize("topic", ["a", "/", "//", "$SYS/x", " ", "a/ż/日本", "a" * 65_535, "-t"])
def test_any_other_topic_may_be_published_to(topic: str) -> None:
    assert publish_problem(OutgoingMessage(topic, b"x" * PAYLOAD_LIMIT_BYTES)) is None


class Link:
    """Stands for the way to the broker; `receipt` is what it answers with."""

    def __init__(self, clock: FakeClock, receipt: Receipt | None = None) -> None:
        self.connection = Connection(host="h")
        self.view = LinkView(mqtt_version="5")
        self.sent: list[OutgoingMessage] = []
        self.answer: Future[Receipt] = Future()
        self._clock, self._receipt = clock, receipt

    def publish(self, message: OutgoingMessage) -> Future[Receipt]:
        self.sent.append(message)
        self._clock.advance(12_000)
        if self._receipt is not None:
            self.answer.set_result(self._receipt)
        return self.answer


def code_of(publisher: Publisher, message: OutgoingMessage) -> str:
    with pytest.raises(EnvironmentProblem) as raised:
        publisher.publish(message)
    return raised.value.problem.code


def test_the_answer_and_how_long_it_took(clock: FakeClock) -> None:
    link = Link(clock, Receipt(0, "Success"))
    message = OutgoingMessage("a", b"x")
    assert Publisher(link, clock).publish(message) == Published(0, "Success", 12_000)
    assert link.sent == [message]


def test_what_must_not_be_sent_never_reaches_the_broker(clock: FakeClock) -> None:
    link = Link(clock, Receipt(0, "Success"))
    assert code_of(Publisher(link, clock), OutgoingMessage("#")) == "publish.wildcard"
    link.view = LinkView(mqtt_version="3.1.1")
    with_properties = OutgoingMessage("a", properties=Properties(content_type="x"))
    assert code_of(Publisher(link, clock), with_properties) == "publish.no-properties"
    assert link.sent == []


def test_a_refusal_and_a_silence_are_told(clock: FakeClock) -> None:
    refused = Link(clock, Receipt(0x87, "Not authorized"))
    assert code_of(Publisher(refused, clock), OutgoingMessage("a")) == "publish.refused"
    silent = Link(clock)
    assert code_of(Publisher(silent, clock, limit_s=0), OutgoingMessage("a")) == "publish.unanswered"
    assert silent.answer.cancelled()  # it must not go out later
    lost = Link(clock)
    lost.answer.set_exception(trouble("broker.lost", host="h", detail="it broke"))
    assert code_of(Publisher(lost, clock), OutgoingMessage("a")) == "broker.lost"
    assert Problem("publish.unanswered", {"host": "h", "seconds": 10}).sentence().startswith("h did not acknowledge")
