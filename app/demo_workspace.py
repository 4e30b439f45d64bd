"""Workspaces of the demo: their settings say so, so that every window and recorder on one knows it."""

import tomllib
from dataclasses import replace

from models.domain.problems import trouble
from models.storage.workspace import Workspace


def is_demo(workspace: Workspace) -> bool:
    """Is a simulated fleet recorded here? Asks the disk; no for what cannot be read."""
    try:
        text = workspace.settings.read_text(encoding="utf-8")
        return "demo" in text and isinstance(tomllib.loads(text).get("demo"), dict)
    except (OSError, ValueError):
        return False


def refuse_other(workspace: Workspace) -> None:
    """The demo mixes with nothing else. Raises `EnvironmentProblem` demo.real, workspace.foreign, workspace.newer,
    workspace.network or file.unusable."""
    # with the database, which an ordinary start loads after its paint
    from models.storage.access import refuse_untouched

    refuse_untouched(workspace)
    if is_demo(workspace):
        return
    if workspace.catalogue.exists() or workspace.settings.exists():
        raise trouble("demo.real", path=str(workspace.root))
    try:
        if any(workspace.root.iterdir()):
            raise trouble("workspace.foreign", path=str(workspace.root))
    except FileNotFoundError:
        pass  # it is made
    except OSError as error:
        raise trouble("file.unusable", path=str(workspace.root), detail=error.strerror or str(error)) from error


def prepare_demo(workspace: Workspace, agents: int, rate: float, speed: float) -> None:
    """Make it a workspace of the demo, or set its fleet anew. Little history is kept, unless the user chose otherwise.

    Raises `EnvironmentProblem` settings.unreadable and workspace.read-only.
    """
    from app.settings import Demo, Retention, Settings, SettingsFile

    file = SettingsFile(workspace.settings)
    before = file.load() if is_demo(workspace) else Settings(retention=Retention(gib=0.5, days=1))
    file.save(replace(before, demo=Demo(agents, rate, speed)))
