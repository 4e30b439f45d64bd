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


PLACES = """
import logging, sys, threading
from PySide6.QtCore import QAbstractListModel, QEvent, QObject, QRunnable, Qt, QThread, QThreadPool, QTimer
from PySide6.QtWidgets import QApplication, QListView, QWidget
from app.window.error_hooks import ErrorHooks

logging.basicConfig(filename=sys.argv[1], level=logging.INFO)
app = QApplication([])
hooks = ErrorHooks()
hooks.install()
once = set()

def fail(where):
    if where not in once:
        once.add(where)
        raise ValueError("in " + where)

class Canvas(QWidget):
    def paintEvent(self, _event):
        fail("paint")

class Model(QAbstractListModel):
    def rowCount(self, _parent):
        return 1

    def data(self, _index, role=Qt.ItemDataRole.DisplayRole):
        if role == Qt.ItemDataRole.DisplayRole:
            fail("model")
        return None

class Filter(QObject):
    def eventFilter(self, _watched, event):
        if event.type() == QEvent.Type.Show:
            fail("filter")
        return False

class Worker(QThread):
    def run(self):
        fail("qthread")

class Task(QRunnable):
    def run(self):
        fail("runnable")

canvas, listed, model, watcher, worker = Canvas(), QListView(), Model(), Filter(), Worker()
listed.setModel(model)
canvas.installEventFilter(watcher)
timer = QTimer(singleShot=True)
timer.timeout.connect(lambda: fail("timer"))
timer.start(0)
app.applicationNameChanged.connect(lambda: fail("slot"))
for act in (canvas.show, listed.show, lambda: app.setApplicationName("anything")):
    QTimer.singleShot(0, act)
worker.start()
QThreadPool.globalInstance().start(Task())
threading.Thread(target=fail, args=("thread",)).start()
hooks.faulted.connect(lambda count: count == 8 and QTimer.singleShot(0, app.quit))
QTimer.singleShot(20_000, app.quit)
app.exec()
worker.wait()
QThreadPool.globalInstance().waitForDone()
print(hooks.count, sorted(once))
hooks.uninstall()
"""


def test_a_mistake_in_every_place_that_qt_calls_is_survived(tmp_path: Path) -> None:
    log = tmp_path / "log"
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", PLACES, str(log)], capture_output=True, text=True, cwd=root, timeout=60, check=False
    )
    places = ["filter", "model", "paint", "qthread", "runnable", "slot", "thread", "timer"]
    assert (done.returncode, done.stdout.strip()) == (0, f"8 {places}"), done.stderr
    text = log.read_text()
    assert [place for place in places if f"in {place}\n" not in text] == []
