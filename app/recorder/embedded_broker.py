"""A broker of our own on this computer: Mosquitto as a child, on loopback, with a random password.

User, password and port stay the same over restarts, so that an agent configured once goes on working. They lie in a
folder (0700) of the workspace, the password in a file of its own (0600).
"""

import base64
import getpass
import hashlib
import os
import secrets
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from app.recorder.child import Child, find_program
from models.domain.clock import Clock
from models.domain.connection import Connection, Secret
from models.domain.problems import trouble
from models.storage.workspace import Workspace

USER = "murmurscope"
READY_LIMIT_S = 10.0
PORT_TRIES = 3
HASH_ROUNDS = 101  # as mosquitto_passwd does; the password has 192 random bits
QUEUED_MESSAGES = 500_000  # for a subscriber that is away or slow; 0 would lose QoS 0 in some versions of Mosquitto


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the broker."""

    connection: Connection
    secret: Secret
    password_file: Path


def broker_folder(workspace: Workspace) -> Path:
    """Where the broker of a workspace keeps its files."""
    return workspace.root / "broker"


class EmbeddedBroker:
    """One broker. Main thread only (see `Child`)."""

    def __init__(self, folder: Path, clock: Clock, port: int = 0) -> None:
        """`port` 0: the same as last time if it is free, else any free one."""
        self._folder = folder
        self._wanted_port = port
        self._port = 0
        self._password = ""
        self._child = Child("the embedded broker", clock, folder / "broker.log")

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def access(self) -> Access:
        """Valid once started; the same after every restart."""
        connection = Connection(host="127.0.0.1", port=self._port, user=USER)
        return Access(connection, Secret(self._password), self._password_file)

    def start(self) -> Access:
        """Returns when the broker accepts connections. Raises `EnvironmentProblem` "system.missing", "embedded.start" or
        "workspace.read-only"."""
        program = find_mosquitto()
        if program is None:
            raise trouble("system.missing", program="mosquitto", package="mosquitto")
        detail = ""
        try:
            self._prepare()
            for attempt in range(PORT_TRIES):
                self._port = self._choose_port(fresh=attempt > 0)
                config = self._write_config()
                self._child.start([program, "-c", str(config)])
                if self._is_ready():
                    self._write("port", f"{self._port}\n")
                    return self.access
                detail = self._child.output_tail()
                self._child.stop()
        except OSError as error:
            self._child.stop()
            raise trouble("workspace.read-only", path=str(self._folder), detail=error.strerror or str(error)) from error
        raise trouble("embedded.start", detail=detail or f"it did not answer within {READY_LIMIT_S:g} s")

    def keep(self) -> bool:
        """Call about every second: starts a broker that died again, on the same port. True if it did so now."""
        return self._child.keep(self._restart)

    def stop(self) -> None:
        """End it; it saves its retained messages."""
        self._child.stop()

    def _restart(self) -> None:
        program = find_mosquitto()
        if program is not None:
            self._child.start([program, "-c", str(self._folder / "mosquitto.conf")])

    @property
    def _password_file(self) -> Path:
        return self._folder / "password"

    def _prepare(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        try:
            self._password = self._password_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            self._password = ""
        if not self._password:
            self._password = secrets.token_urlsafe(24)
            self._write("password", self._password + "\n")
        self._write("users", f"{USER}:{password_hash(self._password)}\n")

    def _choose_port(self, *, fresh: bool) -> int:
        if self._wanted_port:
            return self._wanted_port
        before = 0
        try:
            before = int((self._folder / "port").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            pass  # the first start, or somebody wrote in the file: any port will do
        if not fresh and 1024 <= before <= 65_535 and _is_free(before):
            return before
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    def _write_config(self) -> Path:
        lines = (
            f"listener {self._port} 127.0.0.1",
            f"user {getpass.getuser()}",  # started as root it would become a user who cannot read this folder
            "allow_anonymous false",
            f"password_file {self._folder / 'users'}",
            "persistence true",  # retained messages outlive a restart
            f"persistence_location {self._folder}/",
            "autosave_interval 300",
            f"max_queued_messages {QUEUED_MESSAGES}",
            "max_inflight_messages 20000",  # the default of 20 holds MQTT 3.1.1 subscribers up
            "set_tcp_nodelay true",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
            "connection_messages false",
        )
        return self._write("mosquitto.conf", "\n".join(lines) + "\n")

    def _write(self, name: str, text: str) -> Path:
        path = self._folder / name
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(handle, 0o600)
            file.write(text)
        return path

    def _is_ready(self) -> bool:
        end_s = time.monotonic() + READY_LIMIT_S
        while time.monotonic() < end_s and self._child.pid:
            if self._listens():
                return True
            time.sleep(0.02)
        return False

    def _listens(self) -> bool:
        """Asked of our child, as somebody else may be who answers on the port."""
        try:
            sockets = psutil.Process(self._child.pid).net_connections("tcp4")
        except psutil.Error:
            return False  # it has just ended
        return any(one.status == psutil.CONN_LISTEN and one.laddr.port == self._port for one in sockets)


def find_mosquitto() -> str | None:
    """The broker that came with the package, else the system's."""
    bundled = Path(getattr(sys, "_MEIPASS", "/nonexistent")) / "mosquitto" / "mosquitto"
    return str(bundled) if os.access(bundled, os.X_OK) else find_program("mosquitto")


def password_hash(password: str) -> str:
    """As Mosquitto keeps it: `$7$rounds$salt$hash`, PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, HASH_ROUNDS)
    return f"$7${HASH_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
