"""The copied line, run in a real shell against a real Mosquitto, publishes the same message again."""

import shutil
import subprocess

import pytest

from models.domain.connection import Connection, Protocol
from models.domain.messages import Kind, Origin, Properties, RawMessage
from models.domain.queries import MessageLine, RowKey
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.sessions import Listening
from widgets.messages.mosquitto_pub import shell_line

pytestmark = pytest.mark.services

SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]
HOSTILE = '\'; touch /tmp/x; echo "$HOME" `id` \\ ! % $(id)'


def line(topic: str | bytes, payload: bytes, properties: Properties | None = None, *, retain: bool = False) -> MessageLine:  # fmt: skip
    topic = topic.encode() if isinstance(topic, str) else topic
    return MessageLine(
        RowKey(1, 1, 1), topic, 0, Kind.OTHER, Origin.LIVE, 1, retain, False, len(payload), payload, properties
    )


def run(shell: str, text: str, **variables: str) -> None:
    done = subprocess.run([shell], input=text, text=True, capture_output=True, check=False, env={"PATH": "/usr/bin:/bin", **variables})  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def published(broker: Mosquitto, text: str, topic: bytes, shell: str) -> RawMessage:
    with Listening(broker.url, client_id="pub-listener", protocol=Protocol.MQTT_5) as listening:
        listening.connected()
        run(shell, text)
        (found,) = listening.bring_count(1, topic)
        return found


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("topic", "payload", "properties"),
    [
        ("a/b", b'{"a": 1}', None),
        (HOSTILE, HOSTILE.encode(), None),
        ("-t", b"-n", None),
        ("ż/日本", b"two\nlines\r\nand \t tab ' quote", None),
        ("empty", b"", None),
        ("bytes", bytes(range(256)) * 2, None),
        ("nul", b"a\0b", None),
        ("long", b"x'%\\" * 40_000, None),
        ("five", b"{}", Properties("text/x", "re/ply", b"corr", 60, (("k", "v w"), (HOSTILE, HOSTILE)))),
    ],
)
def test_the_line_publishes_the_same_bytes(
    broker: Mosquitto, shell: str, topic: str, payload: bytes, properties: Properties | None
) -> None:
    text = shell_line(line(topic, payload, properties), Connection(host="127.0.0.1", port=broker.port))
    found = published(broker, text, topic.encode(), shell)
    assert found.payload == payload
    assert found.qos == 1
    sent = properties._replace(expiry_s=None) if properties else None
    assert (found.properties._replace(expiry_s=None) if found.properties else None) == sent


def test_a_retained_message_is_published_retained(broker: Mosquitto) -> None:
    run(SHELLS[0], shell_line(line("kept", b"1", retain=True), Connection(host="127.0.0.1", port=broker.port)))
    with Listening(broker.url, client_id="late") as listening:
        (found,) = listening.bring_count(1, b"kept")
        assert found.origin is Origin.REPLAY


def test_user_and_certificates_are_named_and_the_password_is_not(make_broker) -> None:
    broker = make_broker(tls=True, allow_anonymous=False, username="ada", password="p'w d")
    ca = str(broker.certificates.ca)
    connection = Connection("mqtts", "127.0.0.1", broker.tls_port, user="ada", ca_file=ca)
    text = shell_line(line("a", b"1"), connection)
    assert "p'w" not in text
    run(SHELLS[0], text, MQTT_PASSWORD="p'w d")
    done = subprocess.run([SHELLS[0]], input=text, text=True, capture_output=True, check=False, env={"PATH": "/usr/bin:/bin"})  # fmt: skip
    assert done.returncode != 0  # without the password


@pytest.mark.parametrize(
    ("topic", "connection"),
    [(b"\xff", Connection()), (b"a/#", Connection()), (b"", Connection()), (b"a", Connection("ws")), (b"a", Connection("wss"))],
)  # fmt: skip
def test_what_it_cannot_do_it_does_not_pretend(topic: bytes, connection: Connection) -> None:
    assert shell_line(line(topic, b"x"), connection) == ""


def test_correlation_that_is_no_text_is_left_out_and_said(broker: Mosquitto) -> None:
    text = shell_line(line("a", b"1", Properties(correlation=b"\x00\xff")), Connection(host="127.0.0.1", port=broker.port))  # fmt: skip
    assert text.endswith("# without its correlation data, which is no text")
    assert published(broker, text, b"a", SHELLS[0]).payload == b"1"
