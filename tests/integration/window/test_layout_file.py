from pathlib import Path

import pytest

from app.window.layout_file import LayoutFile


def test_gives_back_what_was_saved(tmp_path: Path) -> None:
    file = LayoutFile(tmp_path / "state" / "window.json")
    assert file.load() == {}
    file.save({"theme": "dark"})
    assert LayoutFile(tmp_path / "state" / "window.json").load() == {"theme": "dark"}
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["window.json"]


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff"])
def test_nonsense_counts_as_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "window.json").write_bytes(content)
    assert LayoutFile(tmp_path / "window.json").load() == {}


def test_a_place_that_cannot_be_written_is_no_trouble(tmp_path: Path, caplog) -> None:
    (tmp_path / "file").write_text("")
    LayoutFile(tmp_path / "file" / "window.json").save({})
    assert "cannot be written" in caplog.text


def test_what_another_window_wrote_meanwhile_stays(tmp_path: Path) -> None:
    one, other = LayoutFile(tmp_path / "window.json"), LayoutFile(tmp_path / "window.json")
    one.save({"theme": "dark", "range": "live 1h"})
    other.change(lambda saved: {**saved, "recent": [*saved.get("recent", []), "a"]})
    one.save({"theme": "light"})
    assert one.load() == {"theme": "light", "range": "live 1h", "recent": ["a"]}
