"""`python -m tests.helpers.mortal_recorder record …`: the recorder, made to die at the worst moment.

On SIGUSR1 it kills itself as soon as it is about to acknowledge messages that it has just committed, or kept in its journal.
"""

import os
import signal
import sys
from collections.abc import Sequence

from app.__main__ import main
from models.domain.arrivals import Arrival, Source
from models.domain.messages import RawMessage
from models.storage.journal import ArrivalJournal
from mqtt.session import Session

_doomed = False
_acknowledge = Session.acknowledge
_keep = ArrivalJournal.keep


def _die(_number: int, _frame: object) -> None:
    global _doomed  # noqa: PLW0603 - a signal handler has nothing else to tell it to
    _doomed = True


def _acknowledge_or_die(session: Session, messages: Sequence[RawMessage]) -> None:
    if _doomed and messages:
        os.kill(os.getpid(), signal.SIGKILL)
    _acknowledge(session, messages)


def _keep_and_die(journal: ArrivalJournal, source: Source, arrivals: Sequence[Arrival]) -> bool:
    kept = _keep(journal, source, arrivals)
    if _doomed and kept:
        os.kill(os.getpid(), signal.SIGKILL)
    return kept


if __name__ == "__main__":
    ArrivalJournal.keep = _keep_and_die  # type: ignore[method-assign]
    Session.acknowledge = _acknowledge_or_die  # type: ignore[method-assign]
    signal.signal(signal.SIGUSR1, _die)
    sys.exit(main())
