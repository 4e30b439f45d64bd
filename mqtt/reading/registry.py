"""The recognisers in the order they are asked; the first that claims a topic has it. A new convention is one line here, and one
in `_WORDS`."""

from mqtt.reading.contract import ContractRecogniser
from mqtt.reading.conventions.a2a import A2ARecogniser
from mqtt.reading.conventions.broker_status import BrokerStatusRecogniser
from mqtt.reading.conventions.celery import CeleryRecogniser
from mqtt.reading.conventions.cloudevents import CloudEventsRecogniser
from mqtt.reading.conventions.collectd import CollectdRecogniser
from mqtt.reading.conventions.dynsec import DynsecRecogniser
from mqtt.reading.conventions.esphome import EspHomeRecogniser
from mqtt.reading.conventions.glances import GlancesRecogniser
from mqtt.reading.conventions.home_assistant import HomeAssistantRecogniser
from mqtt.reading.conventions.homie import HomieRecogniser
from mqtt.reading.conventions.mcp import McpRecogniser
from mqtt.reading.conventions.moleculer import MoleculerRecogniser
from mqtt.reading.conventions.nestjs import NestRecogniser
from mqtt.reading.conventions.otlp import OtlpRecogniser
from mqtt.reading.conventions.rabbitmq import FirehoseRecogniser
from mqtt.reading.conventions.solace import SolaceRecogniser
from mqtt.reading.conventions.sparkplug import SparkplugRecogniser
from mqtt.reading.conventions.tasmota import TasmotaRecogniser
from mqtt.reading.conventions.telegraf import TelegrafRecogniser
from mqtt.reading.conventions.vrpc import VrpcRecogniser
from mqtt.reading.conventions.zigbee2mqtt import Zigbee2MqttRecogniser
from mqtt.reading.declared_plan import DeclaredRecogniser
from mqtt.reading.generic_recogniser import GenericRecogniser
from mqtt.reading.home_made_talk import HomeMadeTalk
from mqtt.reading.other_topics import OtherRecogniser
from mqtt.reading.plan import Recogniser


def recognisers(prefix: str, talk: HomeMadeTalk) -> list[Recogniser]:
    """All of them; `prefix` is where our own contract's topics begin, such as `agents`."""
    levels = [level for level in prefix.split("/") if level]
    otlp, generic = OtlpRecogniser(), GenericRecogniser(levels, talk)
    return [
        ContractRecogniser(levels),
        SparkplugRecogniser(),
        A2ARecogniser(),
        McpRecogniser(),
        SolaceRecogniser(),
        DynsecRecogniser(),
        BrokerStatusRecogniser(),
        HomieRecogniser(),
        FirehoseRecogniser(generic),
        CeleryRecogniser(),
        MoleculerRecogniser(),
        NestRecogniser(generic),
        VrpcRecogniser(),
        TasmotaRecogniser(),
        Zigbee2MqttRecogniser(),
        HomeAssistantRecogniser(),
        DeclaredRecogniser(),
        EspHomeRecogniser(),
        OtherRecogniser(talk),
        GlancesRecogniser(),
        TelegrafRecogniser(),
        CollectdRecogniser(),
        CloudEventsRecogniser(otlp, generic),
        otlp,
        generic,
    ]


_WORDS: dict[type, str] = {
    ContractRecogniser: "murmurscope", SparkplugRecogniser: "sparkplug", A2ARecogniser: "a2a", McpRecogniser: "mcp",
    SolaceRecogniser: "solace-agent-mesh", DynsecRecogniser: "mosquitto", BrokerStatusRecogniser: "broker",
    HomieRecogniser: "homie", FirehoseRecogniser: "rabbitmq",
    CeleryRecogniser: "celery", MoleculerRecogniser: "moleculer", NestRecogniser: "nestjs", VrpcRecogniser: "vrpc",
    TasmotaRecogniser: "tasmota",
    Zigbee2MqttRecogniser: "zigbee2mqtt", HomeAssistantRecogniser: "home-assistant", DeclaredRecogniser: "declared",
    EspHomeRecogniser: "esphome", GlancesRecogniser: "glances", TelegrafRecogniser: "telegraf",
    CollectdRecogniser: "collectd", CloudEventsRecogniser: "cloudevents", OtlpRecogniser: "opentelemetry",
    GenericRecogniser: "generic",
}  # fmt: skip


def word_of(recogniser: Recogniser) -> str:
    """The convention that it reads, as `SeriesKey.source` calls it; `broker`: what brokers tell, `declared`: what a declaration
    speaks of; "": nothing is read."""
    return _WORDS.get(type(recogniser), "")
