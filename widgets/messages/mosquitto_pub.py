"""A message as the line that publishes it again from a shell, byte by byte. Pure."""

import shlex

from models.domain.connection import Connection
from models.domain.messages import Properties
from models.domain.queries import MessageLine

PASSWORD_VARIABLE = "MQTT_PASSWORD"
_LONGEST_ARGUMENT = 64 * 1024  # the system takes 128 KiB
_OCTAL = {byte: f"\\{byte:03o}" for byte in range(256)}
_PRINTF = _OCTAL | {byte: chr(byte) for byte in range(32, 127) if chr(byte) not in "\\%'"}


def shell_line(line: MessageLine, connection: Connection) -> str:
    """For a POSIX shell; the payload must be whole. Empty where `mosquitto_pub` cannot do it: over WebSockets, or to a topic
    that is no text. A password is not in it: the line reads it from a variable."""
    try:
        topic = line.topic.decode()
    except UnicodeDecodeError:
        return ""
    if connection.websocket or not topic or not set("+#\0").isdisjoint(topic):
        return ""
    words = ["mosquitto_pub", *_where(connection)]
    if line.properties is not None:
        words += ["-V", "mqttv5"]
    words += ["-q", str(line.qos), *(["-r"] if line.retain else []), "-t", topic]
    before, payload = _payload(line.payload)
    words += [*payload, *_properties(line.properties)]
    secret = f' -P "${PASSWORD_VARIABLE}"' if connection.user else ""
    return before + shlex.join(words) + secret + _left_out(line.properties)


def _where(connection: Connection) -> list[str]:
    words = ["-h", connection.host, "-p", str(connection.port)]
    if connection.user:
        words += ["-u", connection.user]
    if connection.tls:
        words += ["--cafile", connection.ca_file] if connection.ca_file else ["--tls-use-os-certs"]
        if connection.certificate_file:
            words += ["--cert", connection.certificate_file, "--key", connection.key_file]
    return words


def _payload(payload: bytes) -> tuple[str, list[str]]:
    """What stands before the command, and its words."""
    if not payload:
        return "", ["-n"]
    if len(payload) <= _LONGEST_ARGUMENT and b"\0" not in payload:
        try:
            return "", ["-m", payload.decode()]
        except UnicodeDecodeError:
            pass
    # printf is a built-in of the shell, so that its argument may be as long as it likes
    return f"printf '{''.join(_PRINTF[byte] for byte in payload)}' | ", ["-s"]


def _properties(properties: Properties | None) -> list[str]:
    if properties is None:
        return []
    words: list[str] = []
    if properties.content_type is not None:
        words += ["-D", "publish", "content-type", properties.content_type]
    if properties.response_topic is not None:
        words += ["-D", "publish", "response-topic", properties.response_topic]
    if (text := _correlation(properties)) is not None:
        words += ["-D", "publish", "correlation-data", text]
    if properties.expiry_s is not None:
        words += ["-D", "publish", "message-expiry-interval", str(properties.expiry_s)]
    for name, value in properties.user:
        words += ["-D", "publish", "user-property", name, value]
    return words


def _correlation(properties: Properties) -> str | None:
    try:
        text = (properties.correlation or b"").decode()
    except UnicodeDecodeError:
        return None
    return text if text and "\0" not in text else None


def _left_out(properties: Properties | None) -> str:
    """A remark where something has no way into an argument."""
    if properties is None or not properties.correlation or _correlation(properties) is not None:
        return ""
    return "  # without its correlation data, which is no text"
