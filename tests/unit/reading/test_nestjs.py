"""NestJS microservices: requests by their pattern, answers, events."""

import pytest

from models.domain.messages import Origin
from models.domain.records import Outcome
from tests.unit.reading.test_home_made_talk import S, Talk

ID = "5e080348d45ffc4740cfc"


@pytest.mark.parametrize(
    ("topic", "pattern", "service", "kind"),
    [
        ("orders/sum", "orders/sum", "orders", "orders/sum"),
        ("eu/orders/sum", "eu/orders/sum", "eu/orders", "eu/orders/sum"),
        ("orders.sum", "orders.sum", "orders", "orders.sum"),
        ("sum", "sum", "", "sum"),
        ('{"cmd":"sum"}', {"cmd": "sum"}, "", '{"cmd":"sum"}'),
    ],
)
def test_a_request_and_its_answer(topic: str, pattern: object, service: str, kind: str) -> None:
    talk = Talk()
    for answer in ({"response": 3}, {"err": {"status": "error", "message": "no stock"}}):
        talk.tell(topic, {"pattern": pattern, "data": [1, 2], "id": ID})
        talk.tell(f"{topic}/reply", {**answer, "isDisposed": True, "id": ID})
    assert talk.talks == [("", service, kind, S // 4, Outcome.OK), ("", service, kind, S // 4, Outcome.ERROR)]
    assert talk.agents() == ({service} if service else set())
    assert not talk.points


def test_several_answers_are_one() -> None:
    talk = Talk()
    talk.tell("orders/count", {"pattern": "orders/count", "data": {}, "id": ID})
    for i in range(3):
        talk.tell("orders/count/reply", {"response": i, "id": ID, **({"isDisposed": True} if i == 2 else {})})
    assert talk.talks == [("", "orders", "orders/count", S // 4, Outcome.OK)]
    assert not talk.points


def test_what_nobody_answers_times_out_and_is_nobody() -> None:
    talk = Talk()
    talk.tell("orders/none", {"pattern": "orders/none", "data": {}, "id": ID})
    talk.now_us += 60 * S
    talk.tell("x/y-1/cpu", "5")
    assert [one[-1] for one in talk.talks] == [Outcome.TIMEOUT]
    assert talk.agents() == {"y-1"}


def test_events_are_no_figures_but_what_devices_send_is() -> None:
    talk = Talk()
    batch = talk.tell("sensors/s-1/temp", {"pattern": "sensors/s-1/temp", "data": {"id": 7, "total": 12.5}})
    assert not batch.unreadable
    assert not talk.agents()
    talk.tell("sensors/s-1/temp", {"celsius": 21})
    talk.tell("sensors/s-1/temp", "22")
    assert [(one.agent, one.value) for one in talk.points] == [("s-1", 21), ("s-1", 22)]


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("lamps/lamp-2/state", {"pattern": "rainbow", "speed": 5}),
        ("lamps/lamp-2/state", {"pattern": "rainbow", "data": 5, "speed": 5}),
        ("lab/a-1/reply", {"response": 5, "id": "x", "speed": 5}),
    ],
)
def test_what_only_looks_like_a_packet_is_read_as_ever(topic: str, body: dict[str, object]) -> None:
    talk = Talk()
    talk.tell(topic, body)
    assert any(one.metric.endswith("speed") for one in talk.points)


def test_replays_ask_nothing() -> None:
    talk = Talk()
    talk.tell("orders/sum", {"pattern": "orders/sum", "data": [], "id": ID}, Origin.REPLAY)
    talk.tell("orders/sum/reply", {"response": 3, "isDisposed": True, "id": ID})
    assert not talk.talks
