"""The real broker as a process of the test's own, on free ports of the loopback interface."""

import getpass
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.helpers.certificates import Certificates, make_certificates
from tests.helpers.needs import bound_to_parent, program
from tests.helpers.poll import until


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    """Does somebody listen on this loopback port?"""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


class Mosquitto:
    """One broker. Listeners: plain TCP (unless tcp=False), TLS when tls=True, WebSockets when websockets=True.

    The ports stay the same through stop(), kill(), start() and restart(), so a client's reconnection can be tested;
    what the broker remembers over a restart needs persistence=True.
    """

    def __init__(
        self,
        folder: Path,
        *,
        allow_anonymous: bool = True,
        username: str | None = None,
        password: str | None = None,
        acl: Sequence[str] = (),
        tcp: bool = True,
        tls: bool = False,
        require_client_certificate: bool = False,
        websockets: bool = False,
        persistence: bool = False,
        max_inflight: int | None = None,
        max_queued_messages: int | None = None,
        extra: Sequence[str] = (),
    ) -> None:
        self._program = program("mosquitto")
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.log_file = folder / "mosquitto.log"
        self.username, self.password = username, password
        self.tcp_port = free_port() if tcp else None
        self.tls_port = free_port() if tls else None
        self.ws_port = free_port() if websockets else None
        self.certificates: Certificates | None = make_certificates(folder / "certificates") if tls else None
        lines = [
            f"user {getpass.getuser()}",  # started as root it would change to a user who cannot read the test's folder
            "per_listener_settings false",
            "log_dest stderr",
            "log_type all",
            "connection_messages true",
            "set_tcp_nodelay true",
            f"allow_anonymous {'true' if allow_anonymous else 'false'}",
            f"persistence {'true' if persistence else 'false'}",
        ]
        if persistence:
            lines += [f"persistence_location {folder}/", "autosave_interval 1", "autosave_on_changes true"]
        if max_inflight is not None:
            lines.append(f"max_inflight_messages {max_inflight}")
        if max_queued_messages is not None:
            lines.append(f"max_queued_messages {max_queued_messages}")
        if username is not None:
            lines.append(f"password_file {self._write_passwords(username, password or '')}")
        if acl:
            lines.append(f"acl_file {self._write('acl', acl)}")
        lines += extra
        self._config = self._write("mosquitto.conf", [*lines, *self._listeners(require_client_certificate)])

    def _write(self, name: str, lines: Sequence[str]) -> Path:
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        path.chmod(0o600)
        return path

    def _write_passwords(self, username: str, password: str) -> Path:
        path = self._write("passwords", [f"{username}:{password}"])
        subprocess.run([program("mosquitto_passwd"), "-U", path], check=True, capture_output=True)
        return path

    def _listeners(self, require_client_certificate: bool) -> list[str]:
        lines = []
        if self.tcp_port is not None:
            lines.append(f"listener {self.tcp_port} 127.0.0.1")
        if self.ws_port is not None:
            lines += [f"listener {self.ws_port} 127.0.0.1", "protocol websockets"]
        if self.tls_port is not None and self.certificates is not None:
            lines += [
                f"listener {self.tls_port} 127.0.0.1",
                f"cafile {self.certificates.ca}",
                f"certfile {self.certificates.server_cert}",
                f"keyfile {self.certificates.server_key}",
                f"require_certificate {'true' if require_client_certificate else 'false'}",
            ]
        return lines

    @property
    def port(self) -> int:
        """The plain TCP port, or the first other one where there is none."""
        return next(port for port in (self.tcp_port, self.tls_port, self.ws_port) if port is not None)

    @property
    def url(self) -> str:
        """The address without user and password, mqtt:// where there is plain TCP."""
        scheme = {self.tcp_port: "mqtt", self.tls_port: "mqtts"}.get(self.port, "ws")
        return f"{scheme}://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"mqtts://127.0.0.1:{self.tls_port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.ws_port}"

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def log(self) -> str:
        """What the broker said so far."""
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the broker is not running"
        return self._process

    def start(self) -> "Mosquitto":
        """Start the broker and return when every listener accepts."""
        assert self._process is None, "the broker runs already"
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                bound_to_parent([self._program, "-c", str(self._config)]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            for port in (self.tcp_port, self.tls_port, self.ws_port):
                if port is not None:
                    until(lambda port=port: self._accepts_or_dead(port), f"Mosquitto accepts on port {port}")
        except BaseException:
            self.kill()
            raise
        return self

    def _accepts_or_dead(self, port: int) -> bool:
        code = self._running().poll()
        if code is not None:
            raise AssertionError(f"Mosquitto ended with {code}:\n{self.log}")
        return accepts(port)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.send_signal(signal.SIGCONT)  # a frozen one would not hear
        try:
            self._process.wait(timeout=20)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Let it end by itself: it says goodbye to its clients and saves what it has to keep."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without warning."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Stop it in its tracks: connections stay open and nothing answers."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self if self._process is not None else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
