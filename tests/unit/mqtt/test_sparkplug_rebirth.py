import pytest

from models.domain.sparkplug_nodes import SparkplugNode, node_of_agent, node_of_topic
from mqtt.reading.conventions.sparkplug_payload import read_payload
from mqtt.sparkplug_rebirth import rebirth


def test_the_command_is_what_the_specification_asks_for() -> None:
    told = rebirth(SparkplugNode("plant-a", "edge-1"), 1_795_420_056_123_456)
    assert (told.topic, told.qos, told.retain, told.properties) == ("spBv1.0/plant-a/NCMD/edge-1", 0, False, None)
    payload = read_payload(told.payload)
    (metric,) = payload.metrics
    assert (payload.time_ms, payload.seq) == (1_795_420_056_123, None)
    assert (metric.name, metric.time_ms, metric.data_type) == ("Node Control/Rebirth", 1_795_420_056_123, 11)
    assert told.payload.endswith(b"\x20\x0b\x70\x01")  # datatype 11, boolean value true


@pytest.mark.parametrize(
    ("id_", "convention", "node"),
    [
        ("g/n", "sparkplug", ("g", "n")), ("g/n/d", "sparkplug", ("g", "n")), ("host", "sparkplug", None),
        ("g/n", "", None), ("g/n", "homie", None), ("g//d", "sparkplug", None), ("a/b/c/d", "sparkplug", None),
    ],
)  # fmt: skip
def test_whose_node_an_agent_is(id_: str, convention: str, node: tuple[str, str] | None) -> None:
    assert node_of_agent(id_, convention) == node


@pytest.mark.parametrize(
    ("topic", "node"),
    [
        (b"spBv1.0/g/NDATA/n", ("g", "n")), (b"spBv1.0/g/DDATA/n/d", ("g", "n")), (b"spBv1/0/g/DBIRTH/n/d", ("g", "n")),
        (b"spBv1.0/g/NDATA/n/d", None), (b"spBv1.0/STATE/host", None), (b"spBv1.0/g/NDATA/", None), (b"a/g/NDATA/n", None),
        (b"spBv1.0/g/NDATA/\xff", None), (b"", None),
    ],
)  # fmt: skip
def test_whose_node_a_topic_is(topic: bytes, node: tuple[str, str] | None) -> None:
    assert node_of_topic(topic) == node
