"""Without `--workspace` the window opens where it was last."""

from app.window.layout_file import last_workspace
from models.storage.workspace import Workspace


def test_the_last_one_if_it_is_still_there(tmp_path):
    (tmp_path / "catalogue.db").touch()
    assert last_workspace({"workspace": str(tmp_path)}) == Workspace.at(tmp_path)


def test_else_the_default(tmp_path):
    for layout in ({}, {"workspace": str(tmp_path / "gone")}, {"workspace": 7}, {"workspace": ""}):
        assert last_workspace(layout) == Workspace.default()
