"""What a recorder that runs does for a command, so that the command need not do it itself."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from models.domain.problems import EnvironmentProblem

if TYPE_CHECKING:
    from app.control_client import ControlClient
    from models.storage.workspace import Workspace

_T = TypeVar("_T")


def by_recorder(workspace: "Workspace", ask: "Callable[[ControlClient], _T]") -> _T | None:
    """What it answers to `ask`; None where none runs. Raises `EnvironmentProblem` recorder.*, and what `ask` raises."""
    from app.control_client import ControlClient

    with ControlClient(workspace) as client:
        try:
            client.hello("cli")
        except EnvironmentProblem as error:
            if error.problem.code == "recorder.absent":
                return None
            raise
        return ask(client)
