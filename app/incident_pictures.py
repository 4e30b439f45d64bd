"""Pictures for an incident: the fleet and its agents as the window shows them, painted by `shot` in processes of its own, so that
whoever puts an incident together needs neither Qt nor a screen."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from app.own_process import child_environment, own_command
from models.domain.timestamps import utc_text
from models.storage.workspace import Workspace

MOST_AGENTS = 6
"""One takes some seconds."""
LIMIT_S = 60.0
_SIZE = "1440x1000"


class Picture(NamedTuple):
    """A PNG file, and what stands above it on the page (outside text)."""

    path: Path
    caption: str


class Taken(NamedTuple):
    """What was taken; `remarks` say what was not, in words for the page, `reasons` why, for whoever called the command."""

    pictures: list[Picture]
    remarks: list[str]
    reasons: list[str]


def take_pictures(workspace: Workspace, since_us: int, until_us: int, agents: Sequence[str], folder: Path) -> Taken:
    """Of the fleet at the end of this time, and of these agents in it, into files in `folder`. What cannot be painted is left out
    and told; it is no reason to have no incident."""
    taken = Taken([], [], [])
    wanted = [("fleet", "", "Fleet"), *(("agent", agent, f"Agent {agent}") for agent in agents[:MOST_AGENTS])]
    for number, (screen, agent, caption) in enumerate(wanted, 1):
        path = folder / f"{number}.png"
        told = _shot(workspace, screen, agent, since_us, until_us, path)
        if told is None:
            taken.pictures.append(Picture(path, caption))
            continue
        taken.remarks.append(f"{caption}: no picture could be taken.")
        taken.reasons.append(f"{caption}: {told}")
        if not taken.pictures:  # no window can be made here
            return taken
    if len(agents) > MOST_AGENTS:
        taken.remarks.append(f"Pictures are of the first {MOST_AGENTS} of {len(agents)} agents.")
    return taken


def _shot(workspace: Workspace, screen: str, agent: str, since_us: int, until_us: int, path: Path) -> str | None:
    """Why there is no picture; None: there is."""
    times = [f"--from={utc_text(since_us)}", f"--to={utc_text(until_us)}", "--theme=light", f"--size={_SIZE}"]
    whose = [f"--agent={agent}"] if agent else []
    command = own_command("shot", screen, f"--workspace={workspace.root}", *times, *whose, "--lang=en", "-o", str(path))
    environment = child_environment({"QT_QPA_PLATFORM": "offscreen"})  # nothing flashes up on somebody's screen
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            timeout=LIMIT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"it took longer than {LIMIT_S:g} s"
    except OSError as error:
        return error.strerror or str(error)
    if path.exists():
        return None
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it ended with code {done.returncode}"
