"""Starts the packaged program as a user would and fails unless it records and paints.

    python packaging/smoke.py dist/murmurscope/murmurscope

A window on a virtual screen, on an empty workspace: it must start its recorder and broker, store samples, and show them.
Then each command of the terminal that needs data is tried once.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.helpers.poll import until
from tests.helpers.x11 import x_environment, x_server

_LIMIT_S = 60.0
_GRAB = """
import sys
from PySide6.QtWidgets import QApplication
app = QApplication([])
image = app.primaryScreen().grabWindow(0).toImage()
image.save(sys.argv[1])
print(len({image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}))
"""


def main(program: str) -> int:
    """Exit code 0 when all went well; AssertionError names what did not."""
    with tempfile.TemporaryDirectory(prefix="smoke-") as folder, x_server(1280, 800) as display:
        workspace = Path(folder) / "workspace"
        environment = {**x_environment(display), "XDG_RUNTIME_DIR": folder, "HOME": folder}
        environment.pop("PYTHONPATH", None)
        began_s = time.monotonic()
        window = subprocess.Popen([program, "--workspace", str(workspace)], env=environment)
        try:
            until(lambda: _samples(program, workspace, environment) > 100, "samples in the store", _LIMIT_S, 0.5)
            print(f"recording after {time.monotonic() - began_s:.1f} s")
            picture = Path(folder) / "screen.png"
            until(lambda: _colours(picture, display) > 12, "a painted window", _LIMIT_S, 0.5)
            print(f"painted after {time.monotonic() - began_s:.1f} s")
            agents = _run(program, environment, "export", "agents", "--workspace", str(workspace)).stdout.decode()
            agent = agents.splitlines()[1].split(",")[0]
            for screen, chosen in (("fleet", []), ("agent", ["--agent", agent])):
                shot = Path(folder) / f"{screen}.png"
                _run(program, environment, "shot", screen, *chosen, "--workspace", str(workspace), "-o", str(shot))
                assert shot.stat().st_size > 5_000, f"shot {screen} painted nothing"
            csv = Path(folder) / "samples.csv"
            _run(program, environment, "export", "samples", "--workspace", str(workspace), "-o", str(csv))
            assert len(csv.read_text().splitlines()) > 100, "export wrote nothing"
            assert "class Agent" in _run(program, environment, "example", "python").stdout.decode()
        finally:
            window.terminate()
            window.wait(20)
    print("smoke passed")
    return 0


def _samples(program: str, workspace: Path, environment: dict[str, str]) -> int:
    command = [program, "info", "--json", "--workspace", str(workspace)]
    answer = subprocess.run(command, env=environment, capture_output=True, check=False)
    return int(json.loads(answer.stdout)["kinds"]["samples"]["rows"]) if answer.returncode == 0 else 0


def _colours(picture: Path, display: str) -> int:
    environment = {**os.environ, **x_environment(display)}
    answer = subprocess.run(
        [sys.executable, "-c", _GRAB, str(picture)], env=environment, capture_output=True, check=True
    )
    return int(answer.stdout)


def _run(program: str, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    answer = subprocess.run([program, *arguments], env=environment, capture_output=True, check=False)
    assert answer.returncode == 0, f"{arguments}: code {answer.returncode}\n{answer.stderr.decode()}"
    return answer


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
