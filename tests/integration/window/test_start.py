"""What the time to the first paint is made of."""

import subprocess
import sys
import time
from pathlib import Path

from app.own_process import child_environment

ROOT = Path(__file__).resolve().parents[3]
HEAVY = ("numpy", "apsw", "peewee", "pyqtgraph", "paho", "msgspec", "psutil", "tomlkit", "keyring", "ssl")
PROGRAM = f"""
import os, sys
from app.cli.parser import parse
from app.window import main

def painted():
    print(*(name for name in {HEAVY} if name in sys.modules), flush=True)
    os._exit(0)

main._say_painted = painted
main.run(parse(["--workspace", sys.argv[1]]))
"""


def test_nothing_heavy_is_loaded_before_the_first_paint(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    extra = {"QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(tmp_path / "run"), "XDG_STATE_HOME": str(tmp_path)}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "w")]
    done = subprocess.run(command, env=child_environment(extra), capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "\n"), f"{done.stdout}{done.stderr}"


def test_the_age_of_the_process_is_told_to_a_hundredth() -> None:
    began_s = time.monotonic()
    command = [sys.executable, "-c", "from app.window.main import _age_s; print(_age_s())"]
    done = subprocess.run(command, env=child_environment(), capture_output=True, text=True, check=True, cwd=ROOT)
    assert 0 < float(done.stdout) <= time.monotonic() - began_s + 0.02
