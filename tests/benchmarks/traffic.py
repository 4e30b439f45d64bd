"""The broker, the load and the recorder as processes, with what each of them says about the same messages."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from app.control_client import ControlClient
from app.settings import Retention, Settings, SettingsFile
from models.domain.connection import Protocol, parse_url
from models.domain.control import Link
from models.storage.engine import open_reader
from models.storage.workspace import Workspace
from tests.benchmarks.measure import Cost, Figures
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.needs import bound_to_parent
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY, RecorderProcess, environment
from tests.helpers.stored_rows import message_rows

QUIET = ("log_type none", "log_type error", "log_type subscribe", "sys_interval 1")
LOAD_TOPICS = b"agents/"


def start_broker(folder: Path, max_queued: int | None) -> Mosquitto:
    """Mosquitto as it comes (None), or with a longer queue; it logs no line a message."""
    return Mosquitto(folder, max_queued_messages=max_queued, extra=QUIET)


class SysCounts:
    """`$SYS/broker/publish/messages/…` of a broker, as it tells them once a second. Use as a context manager."""

    def __init__(self, port: int) -> None:
        self._now: dict[str, int] = {}
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="sys-counts")
        self._client.on_connect = lambda client, *_: client.subscribe("$SYS/broker/publish/messages/+")
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._told = 0

    def __enter__(self) -> Self:
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def counts(self) -> dict[str, int]:
        """received, sent, dropped, as of the next time it tells them (it tells only what changed, and its own telling
        changes `sent`)."""
        before = self._told
        until(lambda: self._told >= before + 2, "the broker tells its counts", 10)
        return {name: self._now.get(name, 0) for name in ("received", "sent", "dropped")}

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        name = message.topic.rpartition("/")[2]
        self._now[name] = int(message.payload)
        self._told += name == "sent"


class Load:
    """`python -m app simulate` as a process."""

    def __init__(self, url: str, agents: int, rate: float, duration_s: float, qos: int) -> None:
        numbers = {"agents": agents, "rate": rate, "duration": duration_s, "qos": qos}
        arguments = [word for name, value in numbers.items() for word in (f"--{name}", str(value))]
        self._process = subprocess.Popen(
            bound_to_parent([sys.executable, "-m", "app", "simulate", "--broker", url, *arguments]),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=REPOSITORY,
        )  # fmt: skip
        self.cost = Cost(self._process.pid)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def report(self) -> dict[str, object]:
        """What it says it sent; waits for its end."""
        return self._said()

    def stop(self) -> dict[str, object]:
        """End it before its time; what it says it sent."""
        self._process.terminate()
        return self._said()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _said(self) -> dict[str, object]:
        out, _ = self._process.communicate()
        assert self._process.returncode == 0, f"simulate ended with {self._process.returncode}"
        said: dict[str, object] = json.loads(out.splitlines()[-1])
        return said


def settle(workspace: Path, broker: Mosquitto, protocol: str, retention: Retention | None = None) -> Workspace:
    """A workspace whose settings name the broker."""
    where = Workspace.at(workspace)
    plain, _ = parse_url(broker.url)
    chosen = replace(plain, protocol=Protocol(protocol))
    where.root.mkdir(parents=True, exist_ok=True)
    SettingsFile(where.settings).save(Settings(connection=chosen, embedded=False, retention=retention or Retention()))
    return where


@contextmanager
def recording(
    workspace: Path, broker: Mosquitto, protocol: str, retention: Retention | None = None
) -> Iterator[tuple[RecorderProcess, ControlClient]]:
    """A recorder that is connected; ended well afterwards."""
    os.environ["XDG_RUNTIME_DIR"] = environment(workspace)["XDG_RUNTIME_DIR"]  # where its control socket is
    where = settle(workspace, broker, protocol, retention)
    with RecorderProcess(workspace, "") as recorder:
        recorder.start()
        with ControlClient(where) as client:
            until(lambda: client.hello("cli").link is Link.CONNECTED, "the recorder is connected")
            yield recorder, client
        code = recorder.stop()
        assert code == 0, f"the recorder ended with {code}"


class Watch:
    """Looks at the recorder's state twice a second in a thread of its own. Use as a context manager."""

    def __init__(self, client: ControlClient) -> None:
        self._client, self._over = client, threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")
        self.worst_lag_ms = self.commit_p50_ms = self.commit_p99_ms = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def figures(self) -> Figures:
        """Commit times are of the last minute before the last look."""
        return {
            "commit_p50_ms": self.commit_p50_ms, "commit_p99_ms": self.commit_p99_ms,
            "store_lag_worst_ms": round(self.worst_lag_ms, 1),
        }  # fmt: skip

    def _run(self) -> None:
        while not self._over.wait(0.5):
            counters = self._client.hello("cli").counters
            self.worst_lag_ms = max(self.worst_lag_ms, counters.lag_us / 1000)
            self.commit_p50_ms, self.commit_p99_ms = counters.commit_p50_us / 1000, counters.commit_p99_us / 1000


def settled(count: Callable[[], int], wanted: int, quiet_s: float = 3.0) -> tuple[int, float]:
    """Wait until `count` reaches `wanted` or stands still; what it is then, and the seconds until it last changed."""
    began_s = changed_s = time.monotonic()
    found = count()
    while found < wanted and time.monotonic() - changed_s < quiet_s:
        time.sleep(0.1)
        now = count()
        if now != found:
            found, changed_s = now, time.monotonic()
    return found, round(changed_s - began_s, 2)


def stored_rows(workspace: Path) -> int:
    return message_rows(workspace, LOAD_TOPICS)


def taken_in(where: Workspace) -> int:
    """Messages of the load that were ever stored, by the totals per topic: retention leaves them alone, and millions
    are counted as quickly as few."""
    catalogue = open_reader(where.catalogue)
    query = "SELECT sum(messages) FROM topic_total JOIN topic ON topic.id = topic_id WHERE name >= ? AND name < ?"
    rows = catalogue.execute(query, (LOAD_TOPICS, LOAD_TOPICS[:-1] + b"0")).fetchall()
    catalogue.close()
    return int(rows[0][0] or 0)  # type: ignore[arg-type]
