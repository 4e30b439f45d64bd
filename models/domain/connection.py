"""Where the broker is and how we meet it. The password is never part of this."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from models.domain.problems import trouble

DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
DEFAULT_FILTERS = ("#", "$SYS/#", "$a2a/#", "$mcp-server/#", "$mcp-client/#", "$mcp-rpc/#", "$aws/events/#")
"""`#` does not match topics that begin with `$`, so these roots are named."""


class Protocol(StrEnum):
    AUTO = "auto"  # 5, then 3.1.1 where the broker does not speak it
    MQTT_5 = "5"
    MQTT_311 = "3.1.1"


@dataclass(frozen=True, slots=True)
class Connection:
    """One broker. Paths are absolute or empty; `filters` is never empty."""

    scheme: str = "mqtt"
    host: str = "localhost"
    port: int = 1883
    path: str = ""  # websockets only
    user: str = ""
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    protocol: Protocol = Protocol.AUTO
    filters: tuple[str, ...] = DEFAULT_FILTERS
    keepalive_s: int = 15
    session_expiry_s: int = 3600
    prefix: str = "agents"  # first levels of our own contract's topics

    @property
    def tls(self) -> bool:
        return self.scheme in ("mqtts", "wss")

    @property
    def websocket(self) -> bool:
        return self.scheme in ("ws", "wss")

    @property
    def url(self) -> str:
        """The address as one would type it, without any secret."""
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{user}{host}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Secret:
    """A password on its way from a keyring, environment or file to the socket. Shows as `***` everywhere."""

    value: str = field(repr=False)

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


def parse_url(url: str) -> tuple[Connection, Secret | None]:
    """Read `mqtt://user:password@host:port/path`. A bare `host` or `host:port` counts as `mqtt://`.

    Raises `EnvironmentProblem` "broker.url" (the address is shown without its password).
    """
    text = url.strip()
    try:
        parts = urlsplit(text if "://" in text else f"mqtt://{text}")
        port = parts.port
    except ValueError as error:
        raise trouble("broker.url", url=_without_password(text), detail=str(error)) from error
    if parts.scheme not in DEFAULT_PORTS:
        raise trouble("broker.url", url=_without_password(text), detail=f"{parts.scheme} is not a scheme of MQTT")
    if not parts.hostname:
        raise trouble("broker.url", url=_without_password(text), detail="it names no host")
    connection = Connection(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port if port is not None else DEFAULT_PORTS[parts.scheme],
        path=parts.path if parts.scheme in ("ws", "wss") else "",
        user=unquote(parts.username or ""),
    )
    return connection, Secret(unquote(parts.password)) if parts.password else None


def _without_password(url: str) -> str:
    head, at, tail = url.rpartition("@")
    if not at:
        return url
    scheme, slashes, user = head.rpartition("://")
    return f"{scheme}{slashes}{user.split(':', 1)[0]}@{tail}"
