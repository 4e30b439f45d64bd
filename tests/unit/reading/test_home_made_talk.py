"""Requests and replies of programs that follow no convention: response times of all that answer anything."""

from typing import Any

import pytest

from models.domain.messages import Kind, Origin, Properties
from models.domain.records import Outcome
from tests.helpers.reading import Reading

S = 1_000_000


class Talk(Reading):
    """Messages a quarter of a second apart, and the interactions that came of them."""

    def __init__(self) -> None:
        super().__init__()
        self.talks: list[tuple[str, str, str, int | None, Outcome]] = []

    def tell(self, topic: str, payload: object, origin: Origin = Origin.LIVE, **mqtt: Any) -> Any:
        batch = self.send(topic, payload, origin, Properties(**mqtt) if mqtt else None)
        name = self.names.agents
        self.talks += [(name[one.sender], name[one.receiver], one.kind, *one[6:]) for one in batch.interactions]
        self.now_us += S // 4
        return batch


@pytest.mark.parametrize(
    ("asked", "reply", "receiver"),
    [
        ("agents/planner/request", "agents/ui/replies", "planner"),
        ("robots/r-1/cmd", "clients/ui/replies/3ba5b6fdc5e34f22", "r-1"),
        ("services/calc/request", "services/calc/response", "calc"),
        ("rpc/calc", "rpc/reply/ui", "calc"),
        ("lab/sensor-2/set", "lab/sensor-2/answer", "sensor-2"),
    ],
)
def test_by_response_topic_and_correlation(asked: str, reply: str, receiver: str) -> None:
    talk = Talk()
    batch = talk.tell(asked, {"a": 1, "b": 2, "method": "add"}, response_topic=reply, correlation=b"1")
    assert batch.kind == [Kind.MESSAGE]
    assert not talk.agents()  # nobody is there for being asked
    batch = talk.tell(reply, {"sum": 3}, correlation=b"1")
    assert talk.talks == [("", receiver, "add", S // 4, Outcome.OK)]
    assert talk.agents() == {receiver}
    assert batch.kind == [Kind.MESSAGE]
    assert talk.names.agents[batch.agent[0]] == receiver
    assert not talk.points  # a question and its answer are no figures


def test_who_asks_is_who_says_so_or_whose_the_response_topic_is() -> None:
    talk = Talk()
    talk.tell("calc/request", {"from": "ui-1"}, response_topic="x/y", correlation=b"1")
    talk.tell("x/y", "42", correlation=b"1")
    talk.tell("calc/request", {}, response_topic="x/y", correlation=b"1", user=(("caller_id", "ui-3"),))
    talk.tell("x/y", "42", correlation=b"1")
    talk.tell("ui-2/cpu", "5")
    talk.tell("calc/request", "raw", response_topic="ui-2/replies", correlation=b"2")
    talk.tell("ui-2/replies", b"\xff\xfe", correlation=b"2")
    assert [one[:2] for one in talk.talks] == [("ui-1", "calc"), ("ui-3", "calc"), ("ui-2", "calc")]
    assert talk.agents() == {"ui-1", "ui-2", "ui-3", "calc"}


def test_azure_names_both_in_properties() -> None:
    talk = Talk()
    talk.tell("rpc/command/add", b"\x01", response_topic="clients/x/rpc", correlation=b"1", user=(("__srcId", "ui-1"),))
    talk.tell("clients/x/rpc", b"\x02", correlation=b"1", user=(("__srcId", "adder"), ("__stat", "204")))
    assert talk.talks == [("ui-1", "adder", "request", S // 4, Outcome.OK)]
    assert talk.agents() == {"ui-1", "adder"}


def test_who_never_answers_is_nobody_and_times_out() -> None:
    talk = Talk()
    talk.tell("calc/request", {}, response_topic="x/y", correlation=b"1")
    talk.now_us += 60 * S
    talk.tell("ui-2/cpu", "5")
    assert talk.talks == [("", "", "request", None, Outcome.TIMEOUT)]
    assert talk.agents() == {"ui-2"}


@pytest.mark.parametrize(
    ("reply", "user"),
    [
        ({"error": "no"}, ()), ({"type": "error"}, ()), ({"success": False}, ()), ({"status": "error"}, ()),
        ({"x": 1}, (("__stat", "500"),)),
    ],
)  # fmt: skip
def test_replies_may_tell_of_a_failure(reply: object, user: tuple[tuple[str, str], ...]) -> None:
    talk = Talk()
    talk.tell("calc/request", {}, response_topic="x/y", correlation=b"1")
    talk.tell("x/y", reply, correlation=b"1", user=user)
    assert talk.talks[0][-1] is Outcome.ERROR


@pytest.mark.parametrize(
    ("asked", "request_", "replied", "reply"),
    [
        ("calc/request", {"correlationId": "7", "a": 1}, "calc/response", {"correlationId": "7", "sum": 3}),
        ("calc/in", {"correlation_id": "7", "replyTo": "ui/box", "a": 1}, "ui/box", {"correlation_id": "7", "sum": 3}),
        ("calc/req", {"id": 7, "op": "sum"}, "calc/res", {"id": 7, "sum": 3}),
        ("calc/cmd", {"transaction": "ab-12345678"}, "ui/replies", {"transaction": "ab-12345678", "sum": 3}),
        (
            "calc/rpc",
            {"jsonrpc": "2.0", "id": 1, "method": "add"},
            "calc/rpc/reply",
            {"jsonrpc": "2.0", "id": 1, "result": 3},
        ),
        (
            "calc/rpc",
            {"jsonrpc": "2.0", "id": 1, "method": "add"},
            "calc/rpc",
            {"jsonrpc": "2.0", "id": 1, "result": 3},
        ),
    ],
)
def test_by_an_id_in_the_payload(asked: str, request_: object, replied: str, reply: object) -> None:
    talk = Talk()
    talk.tell(asked, request_)
    talk.tell(replied, reply)
    assert [(one[1], *one[3:]) for one in talk.talks] == [("calc", S // 4, Outcome.OK)]
    assert talk.agents() == {"calc"}
    assert not talk.points


def test_what_comes_after_a_request_is_none() -> None:
    talk = Talk()
    talk.tell("calc/req", {"id": "x", "type": "sum"})
    talk.tell("calc/res", {"id": "x", "sum": 3})
    talk.tell("calc/req", {"id": "x", "type": "ack", "n": 1})
    talk.now_us += 61 * S
    talk.tell("calc/req", {"id": "x", "type": "cancel"})
    assert [one[-1] for one in talk.talks] == [Outcome.OK]
    assert not talk.points


def test_a_level_that_names_the_method_names_nobody() -> None:
    talk = Talk()
    talk.tell("calc/add/request", {"jsonrpc": "2.0", "id": 1, "method": "calc/add", "params": [1, 2]})
    talk.tell("calc/add/response/3428a7c0-eb1b-11f1-85dc-9fbc6a98d558", {"jsonrpc": "2.0", "id": 1, "result": 3})
    assert [one[1:3] for one in talk.talks] == [("calc", "calc/add")]
    assert talk.agents() == {"calc"}


def test_json_rpc_errors_and_notifications() -> None:
    talk = Talk()
    talk.tell("calc/rpc", {"jsonrpc": "2.0", "id": 1, "method": "add"})
    talk.tell("calc/rpc", {"jsonrpc": "2.0", "id": 1, "error": {"code": -1}})
    talk.tell("calc/rpc", {"jsonrpc": "2.0", "method": "tick", "params": {"n": 1}})
    assert [one[-1] for one in talk.talks] == [Outcome.ERROR]
    assert not talk.points


def test_records_that_carry_the_id_of_an_open_request_are_not_its_reply() -> None:
    talk = Talk()
    talk.tell("calc/request", {"correlationId": "12345678"})
    batch = talk.tell("calc/log", {"level": "info", "message": "begins", "correlationId": "12345678"})
    assert len(batch.logs) == 1
    talk.tell("calc/metrics", {"correlationId": "12345678", "load": 5})
    assert [one.metric for one in talk.points] == ["load"]
    assert not talk.talks
    talk.tell("calc/response", {"correlationId": "12345678"})
    assert len(talk.talks) == 1


def test_two_of_the_same_small_id_are_told_apart_by_whose_topic_it_is() -> None:
    talk = Talk()
    for agent in ("a-1", "b-2"):
        talk.tell(f"{agent}/request", {"correlationId": 1})
    talk.tell("b-2/response", {"correlationId": 1})
    assert [one[1] for one in talk.talks] == ["b-2"]


def test_figures_that_carry_an_id_stay_figures() -> None:
    talk = Talk()
    for i in range(10):
        talk.tell("lab/c-1/data", {"request_id": str(i), "temp": i})
    assert [one.value for one in talk.points] == list(range(10))
    assert not talk.talks


def test_an_id_alone_makes_no_request_where_the_topic_does_not_say_so() -> None:
    talk = Talk()
    for topic in ("plant-1/in", "plant-1/data/set", "plant-1/out"):
        talk.tell(topic, {"id": 7, "temp": 5})
    assert len(talk.points) == 2  # a command's figures are nobody's
    assert not talk.talks


def test_conventions_ask_for_themselves() -> None:
    talk = Talk()
    talk.tell("agents/b/inbox/a", {"type": "ask"}, response_topic="agents/a/inbox/b", correlation=b"1")
    talk.tell("agents/a/inbox/b", {"x": 1}, correlation=b"1")
    assert talk.talks == [("a", "b", "ask", S // 4, Outcome.OK)]
    talk.tell("agents/b/metrics", {"x": 1}, response_topic="agents/a/inbox/b", correlation=b"2")
    assert [one.metric for one in talk.points] == ["x"]


def test_replays_ask_and_answer_nothing() -> None:
    talk = Talk()
    talk.tell("calc/request", {"correlationId": "1"}, Origin.REPLAY, response_topic="x/y", correlation=b"1")
    talk.tell("x/y", {"correlationId": "1"}, correlation=b"1")
    assert not talk.talks


LONG_ID = "uqUz1pB_lSOoVh0Ck1xq7w"


def test_what_is_told_on_the_way_to_a_reply_is_nobodys_figures() -> None:
    talk = Talk()
    talk.tell("home/backup/req", {"v": 1, "t": "req", "id": LONG_ID, "p": {"target": "a"}})
    for i in range(20):  # so many that a decoder would be made for them
        talk.tell("home/backup/prg", {"v": 1, "t": "prg", "id": LONG_ID, "p": {"percent": i}})
    talk.tell("home/backup/hb", {"v": 1, "t": "hb", "id": LONG_ID})
    talk.tell("home/backup/res", {"v": 1, "t": "res", "id": LONG_ID, "ok": False})
    talk.tell("home/backup/prg", {"v": 1, "t": "prg", "id": LONG_ID, "p": {"percent": 99}})  # overtaken
    assert talk.talks == [("", "backup", "request", 22 * S // 4, Outcome.ERROR)]
    assert talk.agents() == {"backup"}
    assert not talk.points


def test_figures_under_the_long_name_of_a_device_stay_its_own() -> None:
    talk = Talk()
    talk.tell("plant/pump-a-building-7/data", {"id": "pump-a-building-7", "flow": 1})
    talk.tell("plant/pump-a-building-7/request", {"id": "pump-a-building-7", "method": "read"})
    talk.tell("plant/pump-a-building-7/data", {"id": "pump-a-building-7", "flow": 2})
    assert [one.value for one in talk.points] == [1, 2]


def test_a_request_sent_again_is_one_and_its_time_runs_from_the_first() -> None:
    talk = Talk()
    for _ in range(3):
        talk.tell("calc/req", {"id": LONG_ID, "p": 1})
    talk.tell("calc/res", {"id": LONG_ID, "ok": True})
    assert talk.talks == [("", "calc", "request", 3 * S // 4, Outcome.OK)]


def test_replies_that_come_twice_too_late_or_in_parts_are_no_figures() -> None:
    talk = Talk()
    talk.tell("ui-4/status", "online")
    talk.tell("pricer-2/request", {}, response_topic="ui-4/reply", correlation=b"1")
    for part in range(3):
        talk.tell("ui-4/reply", {"part": part}, correlation=b"1")
    batch = talk.tell("ui-4/reply", "42", correlation=b"0")  # to something that was asked before we listened
    assert batch.agent == [0]
    assert [one[:2] for one in talk.talks] == [("ui-4", "pricer-2")]
    assert not talk.points
    talk.tell("ui-4/reply", "42")
    assert [one.value for one in talk.points] == [42]


@pytest.mark.parametrize(("key", "code", "outcome"), [
    ("status", "500", Outcome.ERROR), ("statusCode", "404", Outcome.ERROR), ("status", "200", Outcome.OK),
    ("status", "5000", Outcome.OK), ("status", "done", Outcome.OK), ("code", "400", Outcome.ERROR),
])  # fmt: skip
def test_codes_in_properties_tell_of_failures(key: str, code: str, outcome: Outcome) -> None:
    talk = Talk()
    talk.tell("calc/request", "", response_topic="x/y", correlation=b"1")
    talk.tell("x/y", "", correlation=b"1", user=((key, code),))
    assert [one[-1] for one in talk.talks] == [outcome]


def test_json_rpc_whose_answers_carry_the_id_in_their_topic() -> None:
    talk = Talk()
    root, caller = "microservice/scale-1/json", "847c93f6-595d-415d-8c57-1c6b1d59b800"
    talk.tell(f"{root}/notification/heartbeat", {"jsonrpc": "2.0", "method": "heartbeat", "params": {"n": 1}})
    assert talk.agents() == {"scale-1"}
    for id_, result in (("e98257b3-9684-4071-bae9-9ec4bfa2c5b8", {"kg": 12.5}),
                        ("df8183f8-8e75-4b2b-88fe-583b396a708e", {"error": {"code": 5}})):  # fmt: skip
        talk.tell(f"{root}/call/weigh/{caller}", {"jsonrpc": "2.0", "method": "weigh", "params": {"n": 1}, "id": id_})
        talk.tell(f"{root}/result/{id_}/{caller}", {"jsonrpc": "2.0", "method": "weigh", "result": result})
    assert [one[1:] for one in talk.talks] == [
        ("scale-1", "weigh", S // 4, Outcome.OK), ("scale-1", "weigh", S // 4, Outcome.ERROR),
    ]  # fmt: skip
    assert talk.agents() == {"scale-1"}
    assert not talk.points


@pytest.mark.parametrize("root", ["rpc/pricing-2", "request/pricing-2", "cmd/pricing-2"])
def test_the_last_word_of_a_topic_says_which_way_it_goes(root: str) -> None:
    talk = Talk()
    talk.tell(f"{root}/request", {"correlationId": "order-1-abcdef", "from": "billing-3", "item": 1})
    talk.tell(f"{root}/reply", {"correlationId": "order-1-abcdef", "price": 9.5})
    assert talk.talks == [("billing-3", "pricing-2", "request", S // 4, Outcome.OK)]
    assert not talk.points


def test_a_reply_that_says_how_it_went_is_no_reading() -> None:
    talk = Talk()
    batch = talk.tell("a2a/_pairing/reply/HRTECE", {"ok": True, "room": "team", "broker": {"host": "h", "port": 1883}})
    assert [batch.kind, batch.agent, batch.unreadable] == [[Kind.MESSAGE], [0], []]
    talk.tell("plant/pump-1/response", {"success": False, "code": 5})
    assert not talk.agents()
    talk.tell("plant/pump-1/response", {"flow": 5})
    talk.tell("plant/pump-1/state", {"ok": True, "flow": 6})
    assert [one.value for one in talk.points] == [5, 6]


def test_requests_and_answers_of_rpc_share_a_level_and_are_told_apart_by_what_they_hold() -> None:
    talk, shelly = Talk(), "shellyplus1-a8032abe54dc"
    talk.tell(f"{shelly}/online", "true")
    for id_, answer in ((123, {"result": {"was_on": False}}), (124, {"error": {"code": 404}})):
        talk.tell(f"{shelly}/rpc", {"id": id_, "src": "user_1", "method": "Switch.Set", "params": {"on": True}})
        talk.tell("user_1/rpc", {"id": id_, "src": shelly, "dst": "user_1", **answer})
    assert talk.talks == [
        ("", shelly, "Switch.Set", S // 4, Outcome.OK), ("", shelly, "Switch.Set", S // 4, Outcome.ERROR),
    ]  # fmt: skip
    assert talk.agents() == {shelly}
    talk.now_us += 70 * S
    talk.tell(f"{shelly}/online", "true")
    assert len(talk.talks) == 2  # an answer is no request that nobody answers


def test_drivers_of_wiren_board() -> None:
    talk, topic = Talk(), "/rpc/v1/wb-mqtt-db/history/get_values/cli-1"
    for error in (None, {"message": "bad"}):
        talk.tell(topic, {"id": 1, "params": {"limit": 5}})
        talk.tell(f"{topic}/reply", {"id": 1, "result": None, "error": error})
    assert [(one[1], one[-1]) for one in talk.talks] == [("wb-mqtt-db", Outcome.OK), ("wb-mqtt-db", Outcome.ERROR)]
    assert talk.agents() == {"wb-mqtt-db"}


@pytest.mark.parametrize(
    ("topic", "receiver"),
    [("devices/pump-7/rpc/{}/22", "pump-7"), ("v1/devices/me/rpc/{}/1", ""), ("fan-2/{}/7", "fan-2")],
)
def test_ids_that_stand_in_both_topics_alone(topic: str, receiver: str) -> None:
    talk = Talk()
    talk.tell(topic.format("request"), {"command": "start", "speed": 5})
    talk.tell(topic.format("response"), {"temp": 21})
    assert talk.talks == [("", receiver, "start", S // 4, Outcome.OK)]
    assert talk.agents() == ({receiver} if receiver else set())
    assert not talk.points
    talk.tell("plant/pump-9/response/3", {"temp": 21})  # to nothing that was asked
    assert [one.agent for one in talk.points] == ["pump-9"]


def test_replies_to_requests_without_a_correlation_come_in_their_order() -> None:
    talk = Talk()
    for kind in ("a", "b"):
        talk.tell("geo-1/request", {"method": kind}, response_topic="van-1/resp")
    for lat in range(3):
        talk.send("van-1/resp", {"lat": lat})
        talk.now_us += S // 4
    reading = talk.read(talk.message("van-1/resp", {"lat": 9}))
    assert not reading.interactions
    assert [one.value for one in talk.points] == [2, 9]  # nobody waits any more
    talk.tell("geo-1/request", {"method": "c"}, response_topic="van-1/resp")
    talk.tell("van-1/resp", "gone")
    assert [one[1:3] for one in talk.talks] == [("geo-1", "c")]


@pytest.mark.parametrize(("asks", "answers"), [
    ("svc/calc-1/request", "svc/calc-1/response"), ("request/calc-1", "reply/calc-1"), ("calc-1/req/add", "calc-1/resp/add"),
])  # fmt: skip
def test_pairs_without_any_id(asks: str, answers: str) -> None:
    talk = Talk()
    for total in (3, 4):
        talk.tell(asks, {"a": 1, "b": 2})
        talk.tell(answers, {"sum": total})
    assert talk.talks == [("", "calc-1", "request", S // 4, Outcome.OK)] * 2
    assert talk.agents() == {"calc-1"}
    assert not talk.points
    talk.tell(answers, {"sum": 5})  # what comes unasked is a reading
    assert [one.value for one in talk.points] == [5]


def test_that_nobody_answers_what_may_be_no_request_says_nothing() -> None:
    talk = Talk()
    talk.tell("plant/line-1/request", {"parts": 5})
    talk.now_us += 70 * S
    talk.tell("x/y-1/cpu", "5")
    assert not talk.talks
