"""Pictures for an incident: the fleet and its agents as the window shows them, painted by `shot` in a process of its own, so that
whoever puts an incident together needs neither Qt nor a screen."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from app.own_process import child_environment, own_command
from models.domain.timestamps import utc_text
from models.storage.workspace import Workspace

MOST_AGENTS = 6
"""More of them make a page that nobody reads to its end."""
LIMIT_S = 90.0
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
    fleet, *others = [folder / f"{number}.png" for number in range(1 + min(len(agents), MOST_AGENTS))]
    then = [f"--then={json.dumps(['agent', agent, str(path)])}" for agent, path in zip(agents, others, strict=False)]
    told = _shot([
        "shot", "fleet", f"--workspace={workspace.root}", f"--from={utc_text(since_us)}", f"--to={utc_text(until_us)}",
        "--theme=light", "--lang=en", f"--size={_SIZE}", "--no-frame", *then, "-o", str(fleet),
    ])  # fmt: skip
    captions = ["Fleet", *(f"Agent {agent}" for agent in agents)]
    for path, caption in zip((fleet, *others), captions, strict=False):
        if path.exists():
            taken.pictures.append(Picture(path, caption))
        else:
            taken.remarks.append(f"{caption}: no picture could be taken.")
            taken.reasons.append(f"{caption}: {told}")
    if len(agents) > MOST_AGENTS:
        taken.remarks.append(f"Pictures are of the first {MOST_AGENTS} of {len(agents)} agents.")
    return taken


def _shot(words: Sequence[str]) -> str:
    """What it said last, in case that a picture is missing."""
    environment = child_environment({"QT_QPA_PLATFORM": "offscreen"})  # nothing flashes up on somebody's screen
    try:
        done = subprocess.run(
            own_command(*words), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, timeout=LIMIT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"it took longer than {LIMIT_S:g} s"
    except OSError as error:
        return error.strerror or str(error)
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("murmurscope: ") if lines else f"it ended with code {done.returncode}"
