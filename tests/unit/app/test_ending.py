"""Ending a program by a signal, whatever it is doing at that moment."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import os, signal
from app.ending import Ending
ending = Ending()
with ending.asked._cond:  # as within its wait
    os.kill(os.getpid(), signal.{how})
print(ending.asked.wait(20), ending.asked.is_set(), ending.asked.wait(0), ending.exit_code)
"""


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 130)])
def test_a_signal_that_comes_within_a_wait_ends_it(how: signal.Signals, code: int) -> None:
    command = [sys.executable, "-c", PROGRAM.format(how=how.name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"True True True {code}\n"


def test_without_a_signal_a_wait_ends_by_its_limit() -> None:
    program = "from app.ending import Ending; asked = Ending().asked; print(asked.wait(0.01), asked.is_set())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
