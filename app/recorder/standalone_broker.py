"""The embedded broker alone, in the foreground, without a recorder."""

import os
import signal
import sys
import threading

from app.recorder.embedded_broker import EmbeddedBroker
from models.domain.clock import SystemClock
from models.domain.problems import ExitCode
from models.storage.workspace import Workspace

KEEP_S = 1.0


def run_broker(workspace: Workspace, port: int) -> int:
    """Print the address, then run until SIGINT or SIGTERM. It does not share its files with the recorder's own broker."""
    os.umask(0o077)
    ended_by: list[int] = []
    stop = threading.Event()

    def end(number: int, _frame: object) -> None:
        ended_by.append(number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    broker = EmbeddedBroker(workspace.root / "broker-alone", SystemClock(), port)
    try:
        access = broker.start()
        sys.stdout.write(f"{access.connection.url}\npassword in {access.password_file}\n")
        sys.stdout.flush()
        while not stop.wait(KEEP_S):
            broker.keep()
    finally:
        broker.stop()
    return ExitCode.INTERRUPTED if signal.SIGINT in ended_by else ExitCode.OK
