"""Publishes this computer, its busiest processes and followed files. One thread, besides those of the MQTT clients."""

import logging
import os
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from app.reporter.figures import ProcessTable, host_figures, missing
from app.reporter.follow import FollowedFile, distinct_names
from app.reporter.reporting_agent import ReportingAgent
from models.domain.connection import Connection, Secret
from models.domain.problems import EnvironmentProblem, trouble
from mqtt.agent import Refused
from mqtt.refusals import problem_of, reason_text
from mqtt.tls import tls_context

CHOOSE_AGAIN_S = 60.0
FILES_POLL_S, FILES_BUSY_S = 0.5, 0.02
FIRST_LOOK_S = 0.5
LINES_AT_ONCE = 1_000
ROOM_FOR_FIGURES = 100
_REFUSALS = {"Bad user name or password": "broker.credentials", "Not authorized": "broker.not-authorised"}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReporterOptions:
    """`id` empty: the host name. `named` are processes shown under a name of their own: {pid: name}."""

    id: str = ""
    interval_s: float = 2.0
    processes: int = 0
    files: tuple[Path, ...] = ()
    named: dict[int, str] = field(default_factory=dict)


class Reporter:
    """Every agent has its own connection, so that the broker tells of each when it is gone."""

    def __init__(self, connection: Connection, secret: Secret | None, options: ReporterOptions) -> None:
        self._connection, self._secret, self._options = connection, secret, options
        self._host = topic_level(options.id or socket.gethostname())
        self._agents: dict[str, ReportingAgent] = {}  # by process name; "" is the host's own
        self._table = ProcessTable(dict(options.named))
        paths = list(dict.fromkeys(Path(os.path.abspath(path)) for path in options.files))  # noqa: PTH100 - without ..
        self._files = dict(zip(distinct_names(paths), map(FollowedFile, paths), strict=True))
        self._unreadable: set[Path] = set()

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; then every agent says goodbye. Raises `EnvironmentProblem` where a file cannot be read, or the
        first connection fails."""
        figures = not self._files or bool(self._options.processes or self._options.named)
        self._begin_files()
        self._agents[""] = self._open("")
        try:
            if figures:
                host_figures()  # processor use is a difference: the first look is only its beginning
                self._table.look()
            due_s = chosen_s = time.monotonic() + FIRST_LOOK_S
            while not stop.is_set():
                now_s = time.monotonic()
                if figures and now_s >= due_s:
                    self._publish_figures(choose=now_s >= chosen_s)
                    chosen_s = now_s + CHOOSE_AGAIN_S if now_s >= chosen_s else chosen_s
                    due_s = max(due_s + self._options.interval_s, now_s)
                poll_s = FILES_BUSY_S if self._publish_lines() else FILES_POLL_S
                wait_s = due_s - time.monotonic() if figures else poll_s
                stop.wait(max(0.0, min(wait_s, poll_s) if self._files else wait_s))
        finally:
            for agent in self._agents.values():
                agent.close()
            for followed in self._files.values():
                followed.close()

    def _publish_figures(self, *, choose: bool) -> None:
        self._agents[""].metrics(host_figures())
        if not (self._options.processes or self._options.named):
            return
        for pid in missing(list(self._table.named)):
            del self._table.named[pid]
        self._table.look()
        if choose:
            self._choose()
        for name, agent in list(self._agents.items()):
            if not name:
                continue
            figures = self._table.figures(name)
            if figures is None:
                self._leave(name)
            else:
                agent.metrics(figures)

    def _choose(self) -> None:
        wanted = {*self._table.busiest(self._options.processes), *self._table.named.values()}
        for name in [name for name in self._agents if name and name not in wanted]:
            self._leave(name)
        for name in sorted(wanted - self._agents.keys()):
            try:
                self._agents[name] = self._open(name)
            except EnvironmentProblem as error:  # the broker is gone for a while: those who are here stay
                _log.warning("%s is not shown yet: %s", name, error)
                return

    def _leave(self, name: str) -> None:
        self._agents.pop(name).close()

    def _open(self, process: str) -> ReportingAgent:
        name = f"{self._host}-{topic_level(process)}" if process else self._host
        connection = self._connection
        agent = ReportingAgent(
            connection.url,
            name,
            name=process or self._host,
            group=self._host,
            interval_s=max(10.0, self._options.interval_s * 5),
            prefix=connection.prefix,
            password=self._secret.value if self._secret else None,
            tls=tls_context(connection) if connection.tls else None,
        )
        try:
            return agent.open()
        except Refused as refusal:
            where = {"host": connection.host, "user": connection.user, "detail": str(refusal)}
            raise trouble(_REFUSALS.get(str(refusal), "broker.refused"), **where) from refusal
        except OSError as error:
            problem = problem_of(error, connection)
            if problem is None:
                raise
            raise EnvironmentProblem(problem) from error

    def _begin_files(self) -> None:
        for followed in self._files.values():
            try:
                if not followed.start():
                    _log.warning("%s is not there yet; it is read from its beginning when it appears", followed.path)
            except OSError as error:
                raise trouble("file.unusable", path=str(followed.path), detail=reason_text(error)) from error

    def _publish_lines(self) -> bool:
        """True: there may be more at once."""
        more = False
        for name, followed in self._files.items():
            most = min(LINES_AT_ONCE, self._agents[""].room - ROOM_FOR_FIGURES)
            if most <= 0:
                return True  # they wait in their files until the broker takes more
            try:
                lines = followed.lines(most)
            except OSError as error:
                if followed.path not in self._unreadable:
                    self._unreadable.add(followed.path)
                    _log.warning("%s cannot be read: %s", followed.path, error)
                continue
            self._unreadable.discard(followed.path)
            for line in lines:
                self._agents[""].line(name, line)
            more = more or bool(lines)
        return more


def topic_level(text: str) -> str:
    """`text` as one level of a topic: nothing that separates levels, matches many, or cannot be sent."""
    kept = "".join("-" if c in "/+#" or c.isspace() or not c.isprintable() else c for c in text)
    return kept.strip("-")[:100] or "unnamed"
