"""`python -m tests.helpers.mortal_recorder record …`: the recorder, made to die at the worst moment.

On SIGUSR1 it kills itself as soon as it is about to acknowledge messages that it has just committed.
"""

import os
import signal
import sys
from collections.abc import Sequence

from app.__main__ import main
from models.domain.messages import RawMessage
from mqtt.session import Session

_doomed = False
_acknowledge = Session.acknowledge


def _die(_number: int, _frame: object) -> None:
    global _doomed  # noqa: PLW0603 - a signal handler has nothing else to tell it to
    _doomed = True


def _acknowledge_or_die(session: Session, messages: Sequence[RawMessage]) -> None:
    if _doomed and messages:
        os.kill(os.getpid(), signal.SIGKILL)
    _acknowledge(session, messages)


if __name__ == "__main__":
    Session.acknowledge = _acknowledge_or_die  # type: ignore[method-assign]
    signal.signal(signal.SIGUSR1, _die)
    sys.exit(main())
