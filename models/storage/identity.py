"""Which workspace is this? Asked once, after the catalogue was opened for writing."""

from models.storage.engine import open_reader
from models.storage.store_errors import environment_problem
from models.storage.workspace import Workspace


def read_workspace_id(workspace: Workspace) -> str:
    """The id that the workspace got when it was made; a copy has the same. Raises `EnvironmentProblem` store.io."""
    try:
        reader = open_reader(workspace.catalogue)
        try:
            return str(reader.execute("SELECT value FROM workspace WHERE key = 'id'").fetchall()[0][0])
        finally:
            reader.close()
    except Exception as error:
        raise (environment_problem(error, workspace.catalogue) or error) from error
