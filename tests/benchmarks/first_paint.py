"""How long a start takes until the fleet of a workspace is on the screen, with how much history behind it.

    python -m tests.benchmarks.first_paint [--agents 300] [--history-gb 10] [--runs 5]

A real window process on a virtual screen, on a workspace without a recorder. `painted`: the first frame; `fleet`: all agents
are in the table and the table is painted; both from the start of the process. Cold: the files of the workspace, of the program
and of its libraries are dropped from the page cache before. History is one recorded day, its closed segment copied under
new numbers until there is enough of it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import apsw

from models.storage.workspace import Workspace
from tests.benchmarks.filled import fill
from tests.benchmarks.measure import Figures, machine, summarise, tell
from tests.helpers.recorder_process import REPOSITORY, environment
from tests.helpers.x11 import x_environment, x_server

MESSAGES = 400_000
LIMIT_S = 60.0


def main() -> int:
    """Exit code 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=300)
    parser.add_argument("--history-gb", type=float, default=0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return show(Path(options.child), options.agents)
    tell("first_paint", "machine", **machine())
    rows = []
    with tempfile.TemporaryDirectory(prefix="first-paint-") as folder, x_server(1920, 1080) as display:
        filled = fill(Path(folder), MESSAGES, options.agents, seed=1)
        segments = multiply(filled.workspace, options.history_gb * 1e9)
        size_gb = round(sum(path.stat().st_size for path in filled.workspace.segments.iterdir()) / 1e9, 2)
        variables = {**environment(filled.workspace.root), **x_environment(display)}
        variables.pop("QT_QPA_PLATFORM")
        for kind in ("warm", "cold"):
            for _ in range(options.runs + (kind == "warm")):
                if kind == "cold":
                    drop_from_cache([filled.workspace.root, REPOSITORY, Path(sys.prefix)])
                argv = [sys.executable, "-m", "tests.benchmarks.first_paint", "--agents", str(options.agents)]
                argv += ["--child", str(filled.workspace.root)]
                ran = subprocess.run(argv, env=variables, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
                painted_ms, fleet_ms = map(int, ran.stdout.split()[-2:])
                found: Figures = {"painted_ms": painted_ms, "fleet_ms": fleet_ms, "segments": segments, "gb": size_gb}
                rows.append(tell("first_paint", kind, agents=options.agents, **found))
        del rows[0]  # the first warm one warmed it
    summarise("first_paint", rows, ("painted_ms", "fleet_ms", "gb", "segments"))
    return 0


def multiply(workspace: Workspace, wanted_bytes: float) -> int:
    """Copies of the closed segments until they are that large; answers how many segments there are."""
    catalogue = apsw.Connection(str(workspace.catalogue))
    names = [name for _, name, *_ in catalogue.execute("PRAGMA table_info(segment)") if name != "id"]
    columns = ", ".join(map(str, names))
    held = [int(id_) for (id_,) in catalogue.execute("SELECT id FROM segment WHERE state = 'closed'")]
    size = sum(workspace.segment(id_).stat().st_size for id_ in held)
    newest, count = max(held), len(held)
    each = size / count
    while size < wanted_bytes:
        for id_ in held:
            newest, count, size = newest + 1, count + 1, size + int(each)
            shutil.copyfile(workspace.segment(id_), workspace.segment(newest))
            catalogue.execute(
                f"INSERT INTO segment(id, {columns}) SELECT ?, {columns} FROM segment WHERE id = ?", (newest, id_)
            )
    catalogue.execute("UPDATE segment SET first_us = first_us - 86400000000 * (?1 - id), last_us = last_us - 86400000000 * (?1 - id)", (newest,))  # fmt: skip
    catalogue.close()
    return count


def drop_from_cache(folders: list[Path]) -> None:
    """As after a start of the computer, as far as files of these folders go."""
    os.sync()
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                handle = os.open(path, os.O_RDONLY)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(handle)


def show(folder: Path, agents: int) -> int:
    """The child: the window as `app.window.main` shows it. Prints both times in milliseconds."""
    from app.window.application import make_application
    from app.window.composition import Composition, WindowOptions
    from app.window.first_paint import FirstPaint

    app = make_application()
    composition = Composition(app, Workspace.at(folder), WindowOptions(theme="light"))
    paint = FirstPaint(composition.window)
    painted_ms: list[int] = []
    paint.painted.connect(lambda: painted_ms.append(age_ms()))
    paint.painted.connect(composition.fill)
    composition.window.show()
    while not fleet_is_there(composition, agents):
        if age_ms() > 1000 * LIMIT_S:
            raise SystemExit("the fleet did not come")
        app.processEvents()
    composition.window.repaint()
    print(painted_ms[0], age_ms(), flush=True)
    os._exit(0)  # what comes after is not measured


def fleet_is_there(composition: object, agents: int) -> bool:
    screens = getattr(composition, "screens", None)
    return screens is not None and screens.fleet.fleet is not None and len(screens.fleet.fleet.agent) >= agents


def age_ms() -> int:
    """Of this process, to a hundredth of a second."""
    started_ticks = int(Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()[19])
    return round(1000 * (time.clock_gettime(time.CLOCK_BOOTTIME) - started_ticks / os.sysconf("SC_CLK_TCK")))


if __name__ == "__main__":
    sys.exit(main())
