"""Values that came before whoever announced what they are: a moment later all is as if the announcement had come first."""

import json

import pytest

from tests.helpers.mosquitto import Mosquitto
from tests.helpers.poll import until
from tests.helpers.recording import Recording
from tests.integration.recorder.test_recalled import CONFIG, send

pytestmark = pytest.mark.services
VALUES = [("odd/7/b", "hello"), *(("odd/7/a", json.dumps({"x": n, "y": 7})) for n in range(5))]
ANNOUNCED = ("homeassistant/sensor/x/config", json.dumps(CONFIG))


def series(recording: Recording) -> dict[tuple[str, str, str], int]:
    found: dict[tuple[str, str, str], int] = {}
    for row in recording.export("samples"):
        key = row["agent"], row["metric"], row["unit"]
        found[key] = found.get(key, 0) + 1
    return {key: count for key, count in found.items() if key[0]}  # the broker tells of itself


def agents(recording: Recording) -> set[str]:
    return {row["agent"] for row in recording.export("agents")}


def presence(recording: Recording) -> list[tuple[str, str]]:
    return [(one["presence"], one["cause"]) for one in recording.export("presence") if one["agent"] == "box-7"]


def tell(recording: Recording, broker: Mosquitto, *told: tuple[str, str]) -> None:
    before = sum(one["topic"].startswith(("odd", "home")) for one in recording.export("messages"))
    send(broker.url, *told)
    until(
        lambda: (
            sum(one["topic"].startswith(("odd", "home")) for one in recording.export("messages")) == before + len(told)
        ),
        "they are stored",
    )


def guessed(recording: Recording, broker: Mosquitto) -> None:
    tell(recording, broker, *VALUES)
    assert sorted((metric, count) for (_, metric, _), count in series(recording).items()) == [("x", 5), ("y", 5)]
    assert "box-7" not in agents(recording)


def test_the_guess_goes_by_itself(recording: Recording, broker: Mosquitto) -> None:
    recording.start("--broker", broker.url)
    guessed(recording, broker)
    tell(recording, broker, ANNOUNCED)
    told = recording.when(lambda state: state.warnings, "it tells what it does").warnings
    assert [one["code"] for one in told] == ["reread.late"]
    until(lambda: series(recording) == {("box-7", "Load", "1"): 5}, "the values have their name")
    assert agents(recording) == {"box-7"}
    assert presence(recording) == [("online", "status")]
    recording.when(lambda state: not state.warnings, "it is done")
    (agent,) = [one for one in recording.export("agents") if one["agent"] == "box-7"]
    assert (agent["presence"], agent["cause"]) == ("online", "status"), "it is watched, though it said nothing since"
    tell(recording, broker, *VALUES)
    assert recording.stop() == 0
    assert presence(recording) == [("online", "status"), ("unknown", "not-recording")]
    assert series(recording) == {("box-7", "Load", "1"): 10}
    assert agents(recording) == {"box-7"}
    assert recording.export("unreadable") == []
    (agent,) = [one for one in recording.export("agents") if one["agent"] == "box-7"]
    assert (agent["name"], agent["convention"]) == ("Box", "home-assistant")
    assert recording.command("verify").returncode == 0
    assert recording.command("reread").returncode == 0
    assert series(recording) == {("box-7", "Load", "1"): 10}


def test_killed_before_it_could_do_so_the_next_start_does_it(recording: Recording, broker: Mosquitto) -> None:
    recording.start("--broker", broker.url)
    guessed(recording, broker)
    before = series(recording)
    tell(recording, broker, ANNOUNCED)
    recording.kill()
    assert series(recording) == before
    recording.start("--broker", broker.url)
    until(lambda: series(recording) == {("box-7", "Load", "1"): 5}, "the values have their name")
    assert agents(recording) == {"box-7"}
    recording.when(lambda state: not state.warnings, "it is done")
    assert recording.stop() == 0
    assert series(recording) == {("box-7", "Load", "1"): 5}
    assert agents(recording) == {"box-7"}


def test_killed_before_the_announcement_what_was_recorded_then_gets_its_name_too(
    recording: Recording, broker: Mosquitto
) -> None:
    recording.start("--broker", broker.url)
    guessed(recording, broker)
    recording.kill()
    recording.start("--broker", broker.url)
    tell(recording, broker, VALUES[1])
    tell(recording, broker, ANNOUNCED)
    until(lambda: series(recording) == {("box-7", "Load", "1"): 6}, "the values have their name")
    assert agents(recording) == {"box-7"}
    recording.when(lambda state: not state.warnings, "it is done")
    recording.kill()
    recording.start("--broker", broker.url)
    tell(recording, broker, ANNOUNCED, VALUES[1])
    assert recording.stop() == 0
    assert series(recording) == {("box-7", "Load", "1"): 7}
    assert agents(recording) == {"box-7"}
    assert recording.command("verify").returncode == 0
