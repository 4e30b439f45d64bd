"""`layouts/` of a workspace: layouts of the Explore screen, each a file of its own that people read, edit and hand on."""

from pathlib import Path

from app.toml_file import replace_text
from models.domain.layouts.layout import Layout
from models.domain.layouts.layout_text import MOST_BYTES, read_layout, write_layout
from models.domain.problems import trouble

SUFFIX = ".toml"
_LONGEST_BYTES = 200
_BETWEEN_FOLDERS = "/\\"


class LayoutFolder:
    """One thread at a time; other processes see the old file or the new one, never a half.

    What reads raises `EnvironmentProblem` layout.gone, layout.newer, layout.unreadable, what writes layout.name, file.exists,
    workspace.read-only.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """Of all layouts, as people sort them; none where there is no folder."""
        try:
            found = [one.stem for one in self._path.iterdir() if one.suffix == SUFFIX and not one.name.startswith(".")]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise trouble("layout.unreadable", name=str(self._path), detail=error.strerror or "no reason") from error
        return sorted(found, key=lambda name: (name.casefold(), name))

    def load(self, name: str) -> Layout:
        """The layout of that name."""
        return load_layout(self._file(name), name)

    def save(self, name: str, layout: Layout, *, only_new: bool = False) -> None:
        """Keep it under that name; what had it before gives way, but where `only_new`."""
        if not replace_text(self._file(name), write_layout(layout), only_new=only_new):
            raise trouble("file.exists", path=name)

    def rename(self, name: str, new: str) -> None:
        """Call it something else; no other layout is written over."""
        source, target = self._file(name), self._file(new)
        if source == target:
            return
        try:
            target.hardlink_to(source)  # unlike a rename, refuses what is there
            source.unlink()
        except FileExistsError as error:
            raise trouble("file.exists", path=new) from error
        except FileNotFoundError as error:
            raise trouble("layout.gone", name=name) from error
        except OSError as error:
            raise trouble("workspace.read-only", path=str(target), detail=error.strerror or "no reason") from error

    def delete(self, name: str) -> None:
        """Remove its file."""
        try:
            self._file(name).unlink(missing_ok=True)
        except OSError as error:
            raise trouble("workspace.read-only", path=name, detail=error.strerror or "no reason") from error

    def _file(self, name: str) -> Path:
        if not name.strip() or name.startswith(".") or not name.isprintable():
            raise trouble(
                "layout.name", name=name, detail="it is empty, begins with a dot, or holds what cannot be seen"
            )
        if any(sign in name for sign in _BETWEEN_FOLDERS):
            raise trouble("layout.name", name=name, detail="it holds a slash")
        if len(name.encode("utf-8", "replace")) > _LONGEST_BYTES:
            raise trouble("layout.name", name=name[:40] + "…", detail="it is too long")
        return self._path / f"{name}{SUFFIX}"


def load_layout(path: Path, name: str) -> Layout:
    """A layout from any file. Raises as `LayoutFolder`."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1).decode()
    except FileNotFoundError as error:
        raise trouble("layout.gone", name=name) from error
    except OSError as error:
        raise trouble("layout.unreadable", name=name, detail=error.strerror or "no reason") from error
    except UnicodeDecodeError as error:
        raise trouble("layout.unreadable", name=name, detail="it is not UTF-8 text") from error
    return read_layout(text, name)
