"""Layouts as files of a workspace: kept whole, never written over unasked, each failure with its sentence."""

from pathlib import Path

import pytest

from app.layout_folder import LayoutFolder, load_layout
from models.domain.layouts.layout import Layout, Panel, Plotted
from models.domain.problems import EnvironmentProblem

LAYOUT = Layout(Panel(1, (Plotted(role="cpu"),), "Load"), ("crawler-1",))


@pytest.fixture
def folder(tmp_path: Path) -> LayoutFolder:
    return LayoutFolder(tmp_path / "layouts")


def code(work, *args: object, **more: object) -> str:
    with pytest.raises(EnvironmentProblem) as caught:
        work(*args, **more)
    return caught.value.problem.code


def test_a_layout_is_kept_under_its_name(folder: LayoutFolder, tmp_path: Path) -> None:
    assert folder.names() == []
    folder.save("Żółw & co. 100 %", LAYOUT)
    folder.save("alpha", Layout(Panel(2)))
    assert folder.names() == ["alpha", "Żółw & co. 100 %"]
    assert folder.load("Żółw & co. 100 %") == LAYOUT
    assert load_layout(tmp_path / "layouts" / "alpha.toml", "x") == Layout(Panel(2))
    folder.save("alpha", LAYOUT)
    assert folder.load("alpha") == LAYOUT


def test_nothing_is_written_over_unasked(folder: LayoutFolder) -> None:
    folder.save("a", LAYOUT)
    folder.save("b", Layout(Panel(2)))
    assert code(folder.save, "a", Layout(Panel(3)), only_new=True) == "file.exists"
    assert code(folder.rename, "a", "b") == "file.exists"
    assert folder.load("a") == LAYOUT
    folder.rename("a", "c")
    assert folder.names() == ["b", "c"]
    folder.delete("b")
    folder.delete("b")
    assert folder.names() == ["c"]


def test_what_is_gone_or_damaged_says_so_and_stays(folder: LayoutFolder, tmp_path: Path) -> None:
    assert code(folder.load, "a") == "layout.gone"
    assert code(folder.rename, "a", "b") == "layout.gone"
    folder.save("a", LAYOUT)
    file = tmp_path / "layouts" / "a.toml"
    file.write_bytes(b"version = 1\n\xff")
    assert code(folder.load, "a") == "layout.unreadable"
    file.write_text("version = 7")
    assert code(folder.load, "a") == "layout.newer"
    assert file.read_text() == "version = 7"


@pytest.mark.parametrize("name", ["", "  ", ".hidden", "a/b", "..", "a\\b", "a\nb", "x" * 300, "\u202ea"])
def test_a_name_that_is_no_file_name_is_refused(folder: LayoutFolder, name: str) -> None:
    assert code(folder.save, name, LAYOUT) == "layout.name"


def test_a_workspace_that_may_not_be_written_says_so(folder: LayoutFolder, tmp_path: Path) -> None:
    (tmp_path / "layouts").write_text("no folder")
    assert code(folder.save, "a", LAYOUT) == "workspace.read-only"
