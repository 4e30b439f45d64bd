"""The embedded broker alone, in the foreground, without a recorder."""

import os
import sys

from app.ending import Ending
from app.recorder.embedded_broker import EmbeddedBroker
from models.domain.clock import SystemClock
from models.storage.workspace import Workspace

KEEP_S = 1.0


def run_broker(workspace: Workspace, port: int) -> int:
    """Print the address, then run until SIGINT or SIGTERM. It does not share its files with the recorder's own broker."""
    os.umask(0o077)
    ending = Ending()
    broker = EmbeddedBroker(workspace.root / "broker-alone", SystemClock(), port)
    try:
        access = broker.start()
        sys.stdout.write(f"{access.connection.url}\npassword in {access.password_file}\n")
        sys.stdout.flush()
        while not ending.asked.wait(KEEP_S):
            broker.keep()
    finally:
        broker.stop()
    return ending.exit_code
