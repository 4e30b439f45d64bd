"""Rules through the real recorder and commands: applied while it records, in force for what comes next, told by `why`."""

import json
import subprocess

import pytest

from tests.helpers.needs import program
from tests.helpers.poll import until

pytestmark = pytest.mark.services

RULES = """
[[rule]]
topic = "plant/{agent}/out"
means = "number"
path = "v"
metric = "temperature"
unit = "°C"

[same]
"mixer-2" = "mixer"
"""


def publish(broker, topic, body):
    where = ["-h", "127.0.0.1", "-p", str(broker.port), "-q", "1"]
    subprocess.run([program("mosquitto_pub"), *where, "-t", topic, "-m", json.dumps(body)], check=True)


def test_rules_are_applied_while_it_records(recording, broker, tmp_path):
    recording.start("--broker", broker.url)
    publish(broker, "plant/mixer/out", {"v": 20})
    recording.stored(1)
    file = tmp_path / "mine.toml"
    file.write_text(RULES)
    applied = recording.command("rules", "apply", str(file))
    assert applied.stdout == b"1 rules and 1 names are in force\n", applied.stderr
    until(lambda: "1 mapping rules are in force" in recording.log(), "the recorder has read them")
    publish(broker, "plant/mixer-2/out", {"v": 21})
    recording.stored(2)
    assert recording.stop() == 0
    rows = [(row["agent"], row["metric"], row["value"], row["unit"]) for row in recording.export("samples")]
    assert rows[-1] == ("mixer", "temperature", "21", "Cel")
    why = json.loads(recording.command("why", "mixer", "temperature", "--json").stdout)
    assert [(one["metric"], one["source"]) for one in why["series"]] == [("temperature", "rule")]
    assert "plant/mixer-2/out" in [one["topic"] for one in why["topics"]]
    made = why["series"][0]
    assert (made["rules"], made["topics"]) == ([1], ["plant/mixer/out", "plant/mixer-2/out"])
    assert None not in (why["first"], why["last"])
    told = recording.command("why", "mixer").stdout
    assert b"temperature [Cel, gauge] by your rule 1, from plant/mixer/out, plant/mixer-2/out" in told
    listed = json.loads(recording.command("rules", "list", "--json").stdout)
    assert listed["same"] == {"mixer-2": "mixer"}


def test_a_file_that_makes_no_sense_is_refused_and_told(recording, tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text('[[rule]]\ntopic = "a/#/b"\nmeans = "ignore"\n')
    for what in ("check", "apply"):
        done = recording.command("rules", what, str(file))
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"rule 1 (line 1) makes no sense: # may only be the last level" in done.stderr
    told = json.loads(recording.command("rules", "check", str(file), "--json").stdout)
    assert [one["where"] for one in told["problems"]] == ["rule 1 (line 1)"]
    assert not recording.workspace.rules.exists()


def test_what_is_not_there(recording):
    assert recording.command("rules", "check", "nowhere.toml").returncode == 1
    assert recording.command("rules", "apply").returncode == 2
    assert recording.command("why", "nobody").returncode in (1, 2, 6)
