import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, signal, sys
from PySide6.QtCore import QCoreApplication, QTimer
from app.window.unix_signals import UnixSignals

app = QCoreApplication([])
signals = UnixSignals()
signals.asked_to_end.connect(app.quit)
QTimer.singleShot(0, lambda: os.kill(os.getpid(), getattr(signal, sys.argv[1])))
app.exec()
signals.close()
print("ended in order")
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_program_in_order(name: str) -> None:
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name], capture_output=True, text=True, cwd=root, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended in order\n", "")
