"""Programs that log objects: winston puts them under `message`, pino leaves them at the top without a text.

The lines are what winston 3.19 and pino 10.4 wrote of the calls named beside them.
"""

import json

import pytest

from models.domain.messages import Kind
from models.domain.records import Level, LogRow
from tests.helpers.reading import Reading

ALL, FAILED = "agents/box/tail/all.log", "agents/box/tail/failed.log"
AT = "2026-11-23T07:47:30.005Z"
AT_US = 1_795_420_050_005_000


def line(level: str = "info", **inner: object) -> str:
    """What winston's `format.json()` writes of `logger.info({agentId, timestamp, …})` with `defaultMeta: {service}`."""
    told = {"agentId": "picker-3", "timestamp": AT} | inner
    return json.dumps({"level": level, "message": told, "service": "harvest"}, sort_keys=True, separators=(",", ":"))


SAMPLE = line(data={"row": 12, "fruit": {"kind": "pear", "ripe": True}})
DATA = '{"fruit":{"kind":"pear","ripe":true},"row":12}'


def only(topic: str, payload: str) -> tuple[str, LogRow]:
    """Whose and what the one log record in a message is."""
    reading = Reading()
    batch = reading.send(topic, payload)
    [one] = batch.logs
    assert (batch.kind, batch.agent, batch.unreadable, batch.duplicate) == ([Kind.LOG], [one.agent], [], [False])
    assert reading.points == []
    return reading.names.agents[one.agent], one


@pytest.mark.parametrize(
    "topic",
    [ALL, "agents/box/log", "logs/agent-service", "acme/harvest/events", "x", "box-7/log", "agents/box/any/thing"],
)
def test_an_object_under_message_is_a_record_of_the_agent_it_names_wherever_it_comes(topic: str) -> None:
    agent, one = only(topic, SAMPLE)
    assert agent == "picker-3"
    assert one[1:2] + one[3:] == (AT_US, Level.INFO, "harvest", DATA, None, None, DATA)


@pytest.mark.parametrize(
    ("inner", "text", "attributes"),
    [
        ({"data": "basket full"}, "basket full", None),
        ({"data": ""}, '""', None),
        ({"data": 41.5}, "41.5", None),
        ({"data": [1, "two", None]}, '[1,"two",null]', None),
        ({"data": None}, "null", None),
        ({"data": {}}, "{}", None),
        ({}, '{"agentId":"picker-3","timestamp":"2026-11-23T07:47:30.005Z"}', None),
        ({"data": {"row": 2}, "shift": "early", "tries": 0}, '{"row":2}', '{"row":2,"shift":"early","tries":0}'),
        # a key that stands in both: neither hides the other
        ({"data": {"row": 3, "shift": "late"}, "shift": "early"}, '{"row":3,"shift":"late"}',
         '{"data":{"row":3,"shift":"late"},"shift":"early"}'),
        ({"shift": "early", "rows": [1, 2]}, '{"rows":[1,2],"shift":"early"}', '{"rows":[1,2],"shift":"early"}'),
        ({"text": "ladder missing", "data": [4]}, "ladder missing", '{"data":[4]}'),
        ({"msg": "m", "data": {"row": 4}}, "m", '{"row":4}'),
        ({"data": {"level": "deep", "message": "deep", "agentId": "deep"}}, '{"agentId":"deep","level":"deep","message":"deep"}',
         '{"agentId":"deep","level":"deep","message":"deep"}'),
        ({"data": {"n": 2**70}}, f'{{"n":{2**70}}}', f'{{"n":{2**70}}}'),
    ],
)  # fmt: skip
def test_what_stands_beside_the_data_is_kept(inner: dict[str, object], text: str, attributes: str | None) -> None:
    for topic in (ALL, "agents/box/log", "any/topic"):
        agent, one = only(topic, line(**inner))
        assert (agent, one.time_us, one.level, one.text, one.attributes) == (
            "picker-3",
            AT_US,
            Level.INFO,
            text,
            attributes,
        )


def test_level_error_stack_and_logger_of_the_inner_object_count() -> None:
    told = line("error", data={"row": 9}, error="E_LADDER", stack="Error: x\n at y", logger="ladders")
    _, one = only(ALL, told)
    assert (one.level, one.logger, one.error, one.stack, one.attributes) == (
        Level.ERROR, "ladders", "E_LADDER", "Error: x\n at y", '{"row":9,"service":"harvest"}',
    )  # fmt: skip


@pytest.mark.parametrize("told", ["", "x" * 200, "a\nb", " ", None, {"a": 1}, -1, True, 1.5])
def test_an_id_that_cannot_be_one_leaves_the_usual_agent_and_is_kept(told: object) -> None:
    for topic, usual in ((ALL, "box"), ("agents/box/log", "box"), ("lab/crawler-1/log", "crawler-1")):
        agent, one = only(topic, line(agentId=told, data={"row": 1}))
        assert agent == usual
        assert json.loads(one.attributes or "") == {"row": 1} | ({} if told is None else {"agentId": told})
    missing = json.dumps({"level": "info", "message": {"timestamp": AT, "data": {"row": 1}}})
    assert only(ALL, missing)[0] == "box"


@pytest.mark.parametrize(
    ("told", "agent"), [(17, "17"), ("0b9c6a1e-4f0f-4f5a-9a7c-3d1e2f4a5b6c",) * 2, ("cache", "cache"), ("ą ę", "ą ę")]
)
def test_an_id_is_believed_as_it_stands(told: object, agent: str) -> None:
    assert only(ALL, line(agentId=told, data=1))[0] == agent


def test_one_file_brings_many_agents_and_each_message_is_its_own() -> None:
    reading = Reading()
    names = ["a", "b", "a", "box", "c"]
    batch = reading.read(*(reading.message(ALL, line(agentId=name, data={"i": i})) for i, name in enumerate(names)))
    assert [reading.names.agents[one.agent] for one in batch.logs] == names
    assert [reading.names.agents[one] for one in batch.agent] == names
    assert batch.topic == [batch.topic[0]] * 5


@pytest.mark.parametrize(
    ("payload", "level", "text", "attributes"),
    [
        # logger.error(new Error('fell')): winston's plain JSON format leaves nothing of it
        ('{"level":"error","service":"harvest"}', Level.ERROR, '{"level":"error","service":"harvest"}', None),
        ('{"level":"info","message":null,"service":"harvest"}', Level.INFO, None, None),
        ('{"level":"info","message":[1,{"a":2}],"service":"harvest"}', Level.INFO, '[1,{"a":2}]', None),
        ('{"agentId":"picker-3","data":{"row":5},"level":"info","message":"plain","service":"harvest"}', Level.INFO, "plain",
         '{"agentId":"picker-3","data":{"row":5}}'),
        # pino's logger.warn({agentId, data})
        ('{"level":40,"time":1795420050005,"pid":9,"hostname":"h","agentId":"picker-3","data":{"row":5}}', Level.WARN, '{"row":5}',
         '{"agentId":"picker-3","hostname":"h","pid":9,"row":5}'),
    ],
)  # fmt: skip
def test_a_level_is_enough_where_the_topic_is_a_logs(
    payload: str, level: Level, text: str | None, attributes: str | None
) -> None:
    for topic in (ALL, "agents/box/log", "box-7/log"):
        _, one = only(topic, payload)
        assert (one.level, one.text, one.attributes) == (level, text or payload, attributes)
    reading = Reading()
    if '"message"' not in payload:  # elsewhere an object with a level may be anything
        assert not reading.send("lab/tank-1", payload).logs


def test_a_small_number_is_no_severity_where_there_is_no_text() -> None:
    reading = Reading()
    assert not reading.send("tank-1/log", {"level": 3, "temp": 21.5}).logs
    assert [(p.metric, p.value) for p in reading.points] == [("level", 3.0), ("temp", 21.5)]


def test_a_line_in_two_followed_files_is_one_record() -> None:
    reading = Reading()
    told = line("error", data={"row": 9})
    batch = reading.read(*(reading.message(topic, told) for topic in (ALL, ALL, FAILED, FAILED, FAILED, ALL, ALL)))
    assert batch.duplicate == [False, False, True, True, False, True, False]  # twice, twice; a third time, a fourth
    assert len(batch.logs) == 4
    assert {reading.names.agents[one] for one in batch.agent} == {"picker-3"}


def test_lines_without_a_time_and_of_other_computers_are_records_of_their_own() -> None:
    reading = Reading()
    untimed, timed = '{"level":"error","message":"no"}', line(data=1)
    batch = reading.read(
        reading.message(ALL, untimed), reading.message(FAILED, untimed),
        reading.message(ALL, timed), reading.message("agents/crate/tail/all.log", timed),
    )  # fmt: skip
    assert batch.duplicate == [False] * 4
    assert len(batch.logs) == 4


def test_depth_is_no_failure() -> None:
    deep: object = 1
    for _ in range(150):
        deep = {"d": deep}
    agent, one = only(ALL, line(data=deep))
    assert agent == "picker-3"
    assert one.attributes is not None
    assert one.attributes.count("{") == 150
    reading = Reading()
    bottomless = '{"level":"info","message":{"agentId":"picker-3","data":' + '{"d":' * 90_000 + "1" + "}" * 90_002
    [one] = reading.send(ALL, bottomless).logs
    assert one.text == bottomless  # a line that nobody can take apart is a line of text
