"""A real RabbitMQ with its MQTT plugin as a process of the test's own, on free ports of the loopback interface."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Self

from tests.helpers.mosquitto import accepts, free_port
from tests.helpers.needs import bound_to_parent, program
from tests.helpers.poll import until

_OWN = Path("/usr/lib/rabbitmq/bin")
"""Where its scripts are; Debian's wrappers around them change to another user, who cannot read the test's folder."""
START_LIMIT_S = 90


class Rabbit:
    """One broker, a node of its own with an epmd of its own. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        program("rabbitmq-server")
        self.folder = folder
        self.amqp_port, self.mqtt_port, self._node_port, self._epmd_port = (free_port() for _ in range(4))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "plugins").write_text("[rabbitmq_mqtt].\n")
        (folder / "rabbit.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.amqp_port}\nmqtt.listeners.tcp.1 = 127.0.0.1:{self.mqtt_port}\n"
        )
        self._environment = {
            **os.environ, "HOME": str(folder), "ERL_EPMD_PORT": str(self._epmd_port), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"n{self.amqp_port}@localhost", "RABBITMQ_DIST_PORT": str(self._node_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"), "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"), "RABBITMQ_CONFIG_FILE": str(folder / "rabbit.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"), "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none",
        }  # fmt: skip
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.mqtt_port}"

    @property
    def amqp_url(self) -> str:
        return f"amqp://127.0.0.1:{self.amqp_port}"

    def control(self, command: str) -> str:
        """A command line that begins with `rabbitmqctl`, by a shell; returns what it says. Raises CalledProcessError."""
        path = f"{_OWN}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-c", command], env={**self._environment, "PATH": path}, check=True, capture_output=True, text=True
        )
        return done.stdout

    def _begin(self, *argv: str) -> None:
        with (self.folder / "said").open("ab") as said:
            self._processes.append(
                subprocess.Popen(
                    bound_to_parent(list(argv)), stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=self._environment
                )
            )  # fmt: skip

    def _is_up(self) -> bool:
        server = self._processes[-1]
        assert server.poll() is None, f"it ended with {server.poll()}:\n{(self.folder / 'said').read_text()}"
        return accepts(self.mqtt_port) and accepts(self.amqp_port)

    def __enter__(self) -> Self:
        try:
            self._begin(program("epmd"), "-port", str(self._epmd_port), "-address", "127.0.0.1")
            self._begin(str(_OWN / "rabbitmq-server"))
            until(self._is_up, "RabbitMQ accepts", START_LIMIT_S)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
