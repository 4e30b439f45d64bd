"""Trouble with the broker, met by the real recorder: a sentence with cause and way out, no hammering, no gap untold."""

import json
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.properties import PacketTypes, Properties

from models.domain.control import Link
from models.storage.identity import client_id, read_workspace_id
from tests.helpers.certificates import make_certificates
from tests.helpers.forwarder import Forwarder
from tests.helpers.mosquitto import free_port
from tests.helpers.needs import missing
from tests.helpers.poll import until

pytestmark = pytest.mark.services

AGENT = "agents/walker/status"


def settings(recording, url, **fields):
    recording.workspace.root.mkdir(exist_ok=True)
    lines = [f"{name} = {json.dumps(value)}" for name, value in {"url": url, **fields}.items()]
    recording.workspace.settings.write_text("\n".join(["[connection]", *lines, "[embedded]", "enabled = false", ""]))


def connects(broker):
    """CONNECT packets of the recorder that reached the broker."""
    return sum("as murmurscope-" in line and "New client connected" in line for line in broker.log.splitlines())


def refusal(recording, code):
    """The state once the recorder waits for somebody, which it then does for ever."""
    state = recording.when(lambda one: one.link is Link.REFUSED, "the recorder waits for somebody")
    assert state.problem["code"] == code
    assert state.problem.get("retry_at_us") is None
    return state


class Walker:
    """An agent that says it is there."""

    def __init__(self, port, name="walker"):
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=name)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def say(self, topic, payload, retain=False):
        until(self._client.is_connected, "the agent is connected")
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(20)

    def online(self):
        self.say(AGENT, json.dumps({"state": "online", "interval_s": 600}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._client.disconnect()
        self._client.loop_stop()


def presence(recording, agent="walker"):
    return [(row["presence"], row["cause"]) for row in recording.export("presence") if row["agent"] == agent]


def gap_causes(recording):
    return [row["cause"] for row in recording.export("gaps")]


@pytest.mark.parametrize(
    ("host", "code", "sentence"),
    [
        ("127.0.0.1", "broker.refused-port", "nothing listens on port"),
        ("a" * 64 + ".invalid", "broker.name", "There is no computer named"),  # too long to be asked of a name server
    ],
)
def test_nobody_there_is_told_once_and_tried_again_ever_later(recording, host, code, sentence):
    url = f"mqtt://{host}:{free_port()}"
    recording.spawn("--broker", url, "--duration", "2")
    state = recording.when(lambda one: one.link is Link.WAITING, "the recorder waits")
    assert state.problem["code"] == code
    assert state.problem["retry_at_us"] > state.since_us
    process, recording.process = recording.process, None
    assert process.wait(30) == 4
    assert recording.errors.read_text().count(sentence) == 1


@pytest.mark.parametrize("window", [False, True])
def test_a_wrong_password_is_tried_exactly_once(make_broker, recording, window):
    broker = make_broker(allow_anonymous=False, username="me", password="right")
    url, variables = f"mqtt://me@127.0.0.1:{broker.port}", {"MURMURSCOPE_PASSWORD": "wrong"}
    if window:
        recording.spawn("--broker", url, "--with-window", variables=variables)
        refusal(recording, "broker.not-authorised")
        assert recording.stop() == 0
    else:
        code, said = recording.run("--broker", url, variables=variables)
        assert code == 5
        assert "user “me”" in said
        assert "Check name and password. If they are right, ask whoever runs the broker" in said
    assert broker.log.count("not authorised") == 1


def test_certificates_that_prove_nothing_are_named(make_broker, recording):
    broker = make_broker(tcp=False, tls=True)
    other = str(broker.certificates.other_ca)
    recording.spawn("--broker", broker.tls_url, "--cafile", other)
    state = recording.when(lambda one: one.link is Link.WAITING, "the recorder waits")
    assert state.problem["code"] == "broker.tls-untrusted"
    assert recording.stop() == 0
    assert "Give the authority's file (CA file) that signed it." in recording.errors.read_text()
    assert not recording.export("messages")

    with Forwarder("127.0.0.2", broker.tls_port) as port:
        recording.spawn("--broker", f"mqtts://127.0.0.2:{port}", "--cafile", str(broker.certificates.ca))
        state = recording.when(lambda one: one.link is Link.WAITING, "the recorder waits")
        assert state.problem["code"] == "broker.tls-host"
        assert recording.stop() == 0
    recording.start("--broker", broker.tls_url, "--cafile", str(broker.certificates.ca))
    assert connects(broker) == 1


def test_a_missing_client_certificate_is_named(make_broker, recording, tmp_path):
    broker = make_broker(tcp=False, tls=True, require_client_certificate=True)
    files = broker.certificates
    recording.spawn("--broker", broker.tls_url, "--cafile", str(files.ca))
    state = recording.when(lambda one: one.link is Link.WAITING, "the recorder waits")
    assert state.problem["code"] == "broker.tls-client"
    assert recording.stop() == 0
    stranger = make_certificates(tmp_path / "stranger")
    pair = ("--cert", str(stranger.client_cert), "--key", str(stranger.client_key))
    recording.spawn("--broker", broker.tls_url, "--cafile", str(files.ca), *pair)
    state = recording.when(lambda one: one.link is Link.WAITING, "the recorder waits")
    assert state.problem["code"] == "broker.tls-client"
    assert recording.stop() == 0
    pair = ("--cert", str(files.client_cert), "--key", str(files.client_key))
    recording.start("--broker", broker.tls_url, "--cafile", str(files.ca), *pair)


def access_rules(folder, *filters):
    """Of the plugin that refuses subscriptions, which the access file of Mosquitto 2.0 cannot."""
    rule = {"acltype": "subscribePattern", "priority": 0, "allow": True}
    roles = [{"rolename": "some", "acls": [{**rule, "topic": one} for one in filters]}]
    groups = [{"groupname": "all", "roles": [{"rolename": "some", "priority": 0}], "clients": []}]
    access = {"publishClientSend": True, "publishClientReceive": True, "subscribe": False, "unsubscribe": True}
    rules = {"defaultACLAccess": access, "clients": [], "groups": groups, "roles": roles, "anonymousGroup": "all"}
    file = folder / "rules.json"
    file.write_text(json.dumps(rules))
    plugin = next((one for one in PLUGINS if one.exists()), None)
    if plugin is None:
        missing("Mosquitto's dynamic security plugin")
    return [f"plugin {plugin}", f"plugin_opt_config_file {file}"]


PLUGINS = [
    Path("/usr/lib", one, "mosquitto_dynamic_security.so") for one in ("x86_64-linux-gnu", "aarch64-linux-gnu", "")
]


def test_a_broker_that_refuses_everything_wide_is_read_by_its_roots(make_broker, recording, tmp_path):
    broker = make_broker(extra=access_rules(tmp_path, "agents/#"))
    recording.start("--broker", broker.url)
    warnings = recording.state.warnings
    assert [one["code"] for one in warnings] == ["broker.subscription"]
    assert warnings[0]["params"]["filters"].startswith("#, $SYS/#")
    with Walker(broker.port) as walker:
        walker.say("agents/a/metrics", '{"cpu": 1}')
        walker.say("elsewhere/x", "1")
        walker.say("agents/b/metrics", '{"cpu": 1}')
    recording.stored(2)
    assert recording.stop() == 0
    assert [row["topic"] for row in recording.export("messages")] == ["agents/a/metrics", "agents/b/metrics"]
    assert connects(broker) == 1


def test_a_broker_that_refuses_every_subscription_is_asked_once(make_broker, recording, tmp_path):
    broker = make_broker(extra=access_rules(tmp_path))
    code, said = recording.run("--broker", broker.url)
    assert code == 5
    assert "refused every subscription" in said
    assert "name the topics you may read" in said
    assert connects(broker) == 1


def test_a_broker_that_goes_and_comes_leaves_a_gap_and_agents_that_come_back(make_broker, recording):
    broker = make_broker(persistence=True)
    recording.start("--broker", broker.url)
    with Walker(broker.port) as walker:
        walker.online()
        until(lambda: [word for word, _ in presence(recording)] == ["online"], "the agent is online")
        before = connects(broker)
        broker.kill()
        recording.when(lambda one: one.link is Link.WAITING, "the recorder noticed")
        until(lambda: presence(recording)[-1] == ("unknown", "link-lost"), "nobody knows")
        broker.start()
        recording.connected()
        walker.online()
        until(lambda: presence(recording)[-1][0] == "online", "the agent is back")
    until(lambda: "not-connected" in gap_causes(recording), "the gap is told")
    assert connects(broker) == before + 1
    told = presence(recording)
    assert [told[0][0], *told[1:3], told[-1][0]] == [
        "online",
        ("unknown", "link-lost"),
        ("unknown", "not-heard"),
        "online",
    ]
    (gap,) = [row for row in recording.export("gaps") if row["cause"] == "not-connected"]
    assert gap["since"] < gap["until"]
    assert recording.stop() == 0


def test_a_frozen_broker_is_noticed_by_its_silence(make_broker, recording):
    broker = make_broker()
    settings(recording, broker.url, keepalive_s=2)
    recording.start()
    with Walker(broker.port) as walker:
        walker.online()
        recording.stored(1)
        broker.freeze()
        try:
            state = recording.when(lambda one: one.link is not Link.CONNECTED, "the recorder noticed")
            assert state.problem["code"] == "broker.lost"
            assert state.problem["params"]["detail"] == "no answer for 4 s"
            until(lambda: presence(recording)[-1] == ("unknown", "link-lost"), "nobody knows")
        finally:
            broker.thaw()
        recording.connected(60)
        walker.online()
        until(lambda: presence(recording)[-1][0] == "online", "the agent is back")
    assert recording.stop() == 0


@pytest.mark.long
@pytest.mark.parametrize("keeps", [True, False])
def test_a_second_program_with_our_client_id_is_given_way_after_three_cuts(make_broker, recording, keeps):
    """Or four, where it keeps no session, and the broker forgets ours each time."""
    broker = make_broker()
    recording.start("--broker", broker.url)
    name = client_id(recording.workspace, read_workspace_id(recording.workspace))
    twin = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv5)
    twin.reconnect_delay_set(1, 1)
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 3_600
    twin.connect("127.0.0.1", broker.port, clean_start=not keeps, properties=properties if keeps else None)
    twin.loop_start()
    try:
        state = recording.when(lambda one: one.link is Link.REFUSED, "the recorder gives way", 60)
        assert state.problem["code"] == "broker.cut-off"
        ours = connects(broker)
        until(twin.is_connected, "the other has peace")
    finally:
        twin.disconnect()
        twin.loop_stop()
    assert ours <= 12
    assert "Stop the other recorder of this workspace" in recording.errors.read_text()
    recording.client.wake()
    recording.connected()
    assert recording.stop() == 0


def test_a_broker_that_forgot_the_session_leaves_a_gap_that_says_so(make_broker, recording):
    broker = make_broker(persistence=False)
    recording.start("--broker", broker.url)
    broker.restart()
    state = recording.when(
        lambda one: "broker.session-lost" in [warning["code"] for warning in one.warnings], "the recorder is back"
    )
    assert state.link is Link.CONNECTED
    until(lambda: "session-lost" in gap_causes(recording), "the gap is told")
    assert recording.stop() == 0
    assert connects(broker) == 2


def test_a_message_over_the_limit_is_not_lost_in_silence(make_broker, recording):
    """We take 16 MiB; a larger message the broker drops for us, and counts."""
    broker = make_broker(extra=["sys_interval 1"])
    recording.start("--broker", broker.url)
    with Walker(broker.port) as walker:
        walker.say("free/small", b"1")
        walker.say("free/17mib", b"x" * (17 * 1024 * 1024))
        walker.say("free/after", b"1")
    topics = until(
        lambda: (found := [row["topic"] for row in recording.export("messages") if row["topic"].startswith("free/")])
        and "free/after" in found and found,
        "the last one is stored",
    )  # fmt: skip
    assert topics == ["free/small", "free/17mib", "free/after"] or "broker-dropped" in gap_causes(recording)
    assert recording.stop() == 0
