"""`python -m tests.helpers.mortal_orchestrator record …`: the recorder, killed at one point of a task's way.

The point stands in `MURMURSCOPE_DIES`: stored (and not sent), sent (and its acknowledgement not heard), told (its end was recorded, and not taken in).
"""

import os
import signal
import sys
from typing import Any

from app.__main__ import main
from app.recorder.tasks.clerk import Clerk
from app.recorder.tasks.way_out import WayOut
from models.domain.records import TaskState
from mqtt.outgoing import Outgoing

POINTS = {
    "stored": (WayOut, "send", lambda _: True),
    "sent": (Outgoing, "on_publish", lambda _: True),
    "told": (Clerk, "_told", lambda arguments: arguments[1].state is TaskState.COMPLETED),
}
"""Of which class which method, with which arguments."""


def doom(point: str) -> None:
    """Die there, the first time."""
    owner, name, meant = POINTS[point]
    original = getattr(owner, name)

    def dying(*arguments: Any) -> Any:
        if meant(arguments):
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments)

    setattr(owner, name, dying)


if __name__ == "__main__":
    doom(os.environ["MURMURSCOPE_DIES"])
    sys.exit(main())
