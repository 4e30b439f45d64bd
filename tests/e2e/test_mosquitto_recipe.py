"""The configuration that the guide recommends keeps what the recorder missed, over a restart of the broker."""

import re
from pathlib import Path

import pytest

from app.simulation.fleet import SimulatedFleet
from models.domain.connection import parse_url
from mqtt.bulk_publisher import BulkPublisher, Outgoing
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY
from tests.helpers.recording import Recording

pytestmark = pytest.mark.services

MISSED = 5_000  # five times what a default Mosquitto keeps
LEFT_TO_THE_TEST = ("listener", "allow_anonymous", "password_file", "persistence")  # its own port, folder and user


def recommended() -> list[str]:
    page = (REPOSITORY / "resources/guide/mosquitto.md").read_text(encoding="utf-8")
    block = re.search(r"```conf\n(.*?)```", page, re.DOTALL)
    assert block is not None
    lines = [line for line in block[1].splitlines() if line and not line.startswith("#")]
    assert "persistence true" in lines
    return [line for line in lines if line.split()[0] not in (*LEFT_TO_THE_TEST, "persistence_location")]


def stored_of_missed(folder: Path, extra: list[str], qos: int) -> int:
    """How many of the messages are stored in the end that came while the recorder was away, before the broker restarted."""
    recording = Recording(folder / "workspace")
    keeps = ["persistence true", f"persistence_location {folder}/broker/", *extra]
    with Mosquitto(folder / "broker", extra=keeps) as broker:
        try:
            recording.start("--broker", broker.url)
            recording.stop()
            publish(broker, SimulatedFleet(10, seed=1).next(MISSED, 1_000.0), qos)
            broker.restart()
            recording.start("--broker", broker.url)
            publish(broker, [Outgoing(b"marker", b"1")], 1)  # the broker sends it behind all that waits
            until(
                lambda: any(row["topic"] == "marker" for row in recording.export("messages")), "the last one is stored"
            )
            return sum(row["topic"].startswith("agents/") for row in recording.export("messages"))
        finally:
            recording.close()


def publish(broker: Mosquitto, messages: list[Outgoing], qos: int) -> None:
    """Returns when the broker has taken all: what it acknowledges last came after all others."""
    publisher = BulkPublisher(parse_url(broker.url)[0], None, "fleet")
    publisher.send(messages, qos)
    publisher.send([Outgoing(b"end/of/these", b"")], 1)
    assert publisher.drain(20)
    publisher.close()


@pytest.mark.parametrize("qos", [0, 1])
def test_the_recommended_configuration_keeps_what_the_recorder_missed(tmp_path, qos):
    assert stored_of_missed(tmp_path, recommended(), qos) == MISSED


def test_a_default_configuration_does_not(tmp_path):
    assert stored_of_missed(tmp_path, [], 1) < MISSED, "the recipe would be needless"
