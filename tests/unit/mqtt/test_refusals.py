import errno
import socket
import ssl

import pytest
from paho.mqtt.client import WebsocketConnectionError

from models.domain.connection import Connection
from models.domain.problems import PROBLEMS, EnvironmentProblem, Problem, trouble
from mqtt import refusals
from mqtt.subscriptions import Subscriptions

PLAIN = Connection(host="example.test", port=1883)
SECURE = Connection(scheme="mqtts", host="example.test", port=8883)


def certificate_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "why"
    return error


def ssl_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "nobody"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), True),
        (OSError(errno.ENETUNREACH, "unreachable"), True),
        (TimeoutError("timed out"), True),
        (socket.gaierror(socket.EAI_AGAIN, "no name server"), True),
        (socket.gaierror(socket.EAI_NONAME, "no such name"), False),
        (TimeoutError("_ssl.c:989: The handshake operation timed out"), False),
        (ConnectionResetError(errno.ECONNRESET, "reset"), False),
        (ssl_error("WRONG_VERSION_NUMBER"), False),
        (WebsocketConnectionError("no"), False),
        (ValueError("a mistake of ours"), False),
    ],
)
def test_only_where_nobody_answered_is_it_tried_every_few_seconds(error: Exception, nobody: bool) -> None:
    assert refusals.reached_nobody(error) is nobody


@pytest.mark.parametrize(
    ("error", "connection", "code"),
    [
        (socket.gaierror(-2, "Name or service not known"), PLAIN, "broker.name"),
        (UnicodeError("label too long"), PLAIN, "broker.name"),
        (ConnectionRefusedError(111, "Connection refused"), PLAIN, "broker.refused-port"),
        (TimeoutError("timed out"), PLAIN, "broker.unreachable"),
        (OSError(113, "No route to host"), PLAIN, "broker.unreachable"),
        (TimeoutError("_ssl.c:989: The handshake operation timed out"), SECURE, "broker.no-answer"),
        (ConnectionResetError(104, "Connection reset by peer"), SECURE, "broker.tls"),
        (ConnectionResetError(104, "Connection reset by peer"), PLAIN, "broker.unreachable"),
        (WebsocketConnectionError("no"), PLAIN, "broker.websocket"),
        (certificate_error(62), SECURE, "broker.tls-host"),
        (certificate_error(64), SECURE, "broker.tls-host"),
        (certificate_error(10), SECURE, "broker.tls-expired"),
        (certificate_error(20), SECURE, "broker.tls-untrusted"),
        (certificate_error(9), SECURE, "broker.tls-untrusted"),
        (ssl_error("TLSV13_ALERT_CERTIFICATE_REQUIRED"), SECURE, "broker.tls-client"),
        (ssl_error("SSLV3_ALERT_BAD_CERTIFICATE"), SECURE, "broker.tls-client"),
        (ssl_error("TLSV1_ALERT_UNKNOWN_CA"), SECURE, "broker.tls-client"),
        (ssl_error("WRONG_VERSION_NUMBER"), SECURE, "broker.tls"),
        (trouble("broker.tls-file", file="x", detail="y"), SECURE, "broker.tls-file"),
    ],
)
def test_every_exception_has_its_problem(error: Exception, connection: Connection, code: str) -> None:
    problem = refusals.problem_of(error, connection)
    assert problem is not None
    assert problem.code == code
    assert "?" not in problem.sentence().replace("{", "?"), "a place of the sentence is not filled"


def test_a_mistake_of_ours_is_no_problem_of_the_environment() -> None:
    assert refusals.problem_of(ValueError("no"), PLAIN) is None
    assert refusals.problem_of(AttributeError("no"), PLAIN) is None


def test_every_problem_that_refusals_make_is_known_and_filled() -> None:
    made = [
        *(refusals.connack_problem(code, "text", PLAIN) for code in range(0x80, 0xA2)),
        *(refusals.disconnect_problem(code, "text", PLAIN) for code in range(0x80, 0xA3)),
        refusals.no_answer(PLAIN),
        refusals.hung_up(PLAIN),
        refusals.lost(PLAIN, "text"),
    ]
    for problem in made:
        assert problem.code in PROBLEMS
        assert "{" not in problem.sentence()


def test_refusals_that_trying_again_only_repeats() -> None:
    for code, final in ((0x84, True), (0x86, True), (0x87, True), (0x8A, True), (0x88, False), (0x97, False)):
        assert refusals.waits_for_somebody(refusals.connack_problem(code, "text", PLAIN)) is final
    assert refusals.waits_for_somebody(refusals.disconnect_problem(0x8E, "text", PLAIN))
    assert not refusals.waits_for_somebody(refusals.disconnect_problem(0x8B, "text", PLAIN))
    assert not refusals.waits_for_somebody(Problem("broker.refused-port"))


def test_a_refused_hash_is_narrowed_step_by_step_without_overlap() -> None:
    subscriptions = Subscriptions(Connection(filters=("#", "$SYS/#"), prefix="fleet"), "own")
    assert subscriptions.first() == ["#", "$SYS/#", "own"]
    assert subscriptions.answered([(0x87, "no"), (0x80, "never"), (1, "")]) == ["+/+/#"]
    assert subscriptions.answered([(0x87, "no")]) == ["fleet/#", "homeassistant/#", "spBv1.0/#"]
    assert subscriptions.nothing_granted() is not None
    assert subscriptions.answered([(1, ""), (0x87, "no"), (0x87, "no")]) == []
    assert subscriptions.nothing_granted() is None
    assert [(one.params["filters"], one.params["detail"]) for one in subscriptions.warnings()] == [
        ("#", "no"),
        ("$SYS/#", "never"),
    ]


def test_a_grant_of_the_own_topic_alone_is_no_grant() -> None:
    subscriptions = Subscriptions(Connection(filters=("a/#",)), "own")
    subscriptions.first()
    assert subscriptions.answered([(0x87, "no"), (1, "")]) == []
    problem = subscriptions.nothing_granted()
    assert problem is not None
    assert problem.params["detail"] == "no"


def test_a_refusal_of_the_own_topic_alone_is_no_warning() -> None:
    subscriptions = Subscriptions(Connection(filters=("a/#",)), "own")
    subscriptions.first()
    assert subscriptions.answered([(1, ""), (0x87, "no")]) == []
    assert subscriptions.warnings() == ()
    assert subscriptions.nothing_granted() is None


def test_secrets_never_show(capsys: pytest.CaptureFixture[str]) -> None:
    problem = refusals.connack_problem(0x86, "Bad user name or password", Connection(user="ada"))
    assert "ada" in str(EnvironmentProblem(problem))
