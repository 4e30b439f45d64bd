import logging
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import logging, sys, threading
from PySide6.QtCore import QCoreApplication, QTimer, qWarning
from app.window.error_hooks import ErrorHooks

logging.basicConfig(filename=sys.argv[1], level=logging.INFO)
app = QCoreApplication([])
hooks = ErrorHooks()
hooks.install()
counts = []

def told(count):
    counts.append(count)
    if count == 3:
        QTimer.singleShot(0, app.quit)

hooks.faulted.connect(told)

def in_thread():
    raise ValueError("in a thread")

def in_slot():
    try:
        raise KeyError("caught by a thread that goes on")
    except KeyError:
        logging.getLogger("app.window.tail_source").exception("following the store failed")
    threading.Thread(target=in_thread).start()
    raise ValueError("in a slot")

QTimer.singleShot(0, in_slot)
qWarning("Qt is not amused")
app.exec()
hooks.uninstall()
print(counts)
"""


def test_what_nobody_caught_is_logged_counted_and_survived(tmp_path: Path) -> None:
    log = tmp_path / "log"
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(log)], capture_output=True, text=True, cwd=root, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[1, 2, 3]", "")
    text = log.read_text()
    assert "ValueError: in a slot" in text
    assert "ValueError: in a thread" in text
    assert "Qt is not amused" in text
    assert logging.getLevelName(logging.ERROR) in text
