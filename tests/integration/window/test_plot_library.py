import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from app.window.plot_library import PlotLibrary

app = QApplication([])
library = PlotLibrary()
assert "pyqtgraph" not in sys.modules
library.start()
turns = []

def look():
    turns.append(time.monotonic())
    if not library.loading:
        app.quit()

timer = QTimer(interval=1)
timer.timeout.connect(look)
timer.start()
app.exec()
print("pyqtgraph" in sys.modules, "widgets.explore.explore_screen" in sys.modules, len(turns) > 20)
"""


def test_the_library_is_loaded_in_steps_between_which_the_event_loop_turns() -> None:
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=root, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "True True True"), done.stderr
