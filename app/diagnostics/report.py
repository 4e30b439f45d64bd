"""Gathers what a report about a problem needs, as texts to be read before anybody gets them."""

import getpass
import json
import os
import platform
import shutil
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from app.diagnostics.mask import Mask
from app.own_process import PASSWORD_VARIABLE
from app.parts import versions
from models.domain.control import RecorderState
from models.domain.problems import EnvironmentProblem, trouble
from models.domain.queries import CancelToken
from models.storage.history.contents import names_held, segments_held
from models.storage.history.info import store_info
from models.storage.lock import read_lock
from models.storage.workspace import Workspace

TAIL_BYTES = 300_000
CRASHES = 5
NOTE = """\
Diagnostics of Murmurscope, made {time}.

Nothing of this was sent anywhere: it goes where you take it. What is in here:
  versions and system      of the program and this computer
  settings.toml            without user names and secrets
  recorder-*, window-*     state, counters and the last part of the logs
  store.json, segments     what the workspace holds, in figures
Not in here: messages, payloads, log records of agents, samples. Passwords and other secrets show as ***.
{names}
"""
_HIDDEN_NAMES = "Names of agents, their computers, groups and topics show as agent-1, host-1, topic-1 and so on."
_OPEN_NAMES = "Names of agents and topics are shown as they are, because that was wanted."


@dataclass(frozen=True, slots=True)
class Asked:
    """`state`: the recorder's last answer. `window`: facts of the window, (what, value). `secrets`: those known in memory."""

    workspace: Workspace
    state: RecorderState | None
    window: Sequence[tuple[str, str]] = ()
    window_log: Path | None = None
    secrets: Sequence[str] = ()


class Report:
    """The gathered texts; `files` shows them with or without the names of agents and topics."""

    def __init__(self, raw: Mapping[str, str], hidden: Mask, shown: Mask, made_us: int) -> None:
        self._raw, self._hidden, self._shown, self._made_us = raw, hidden, shown, made_us

    def files(self, *, with_names: bool) -> dict[str, str]:
        """By name, in the order to be read."""
        mask = self._shown if with_names else self._hidden
        made = datetime.fromtimestamp(self._made_us / 1e6, UTC).isoformat(timespec="seconds")
        note = NOTE.format(time=made, names=_OPEN_NAMES if with_names else _HIDDEN_NAMES)
        return {"README.txt": note, **{name: mask.masked(text) for name, text in self._raw.items()}}


def gather(asked: Asked, token: CancelToken) -> Report:
    """Reads logs and counts what is held, which may take seconds. What cannot be read says so in its place. Raises
    `Cancelled`."""
    workspace = asked.workspace
    raw = {
        "versions.txt": _lines(versions()),
        "system.txt": _lines([*_system(workspace), *asked.window]),
        "settings.toml": _text(workspace.settings),
        "recorder-state.json": _json(lambda: asdict(asked.state) if asked.state is not None else None),
        "recorder-lock.json": _json(lambda: read_lock(workspace)._asdict()),
        "recorder.log": _tail(workspace.log),
        "recorder.crash": _tail(workspace.root / "recorder.crash"),
        "recorder-before.crash": _tail(workspace.root / "recorder-before.crash"),
        "window.log": _tail(asked.window_log),
        "window.crash": _crashes(asked.window_log),
        "store.json": _json(lambda: store_info(workspace, token)),
        "segments.json": _json(lambda: segments_held(workspace)),
    }
    token.check()
    secrets = [*asked.secrets, os.environ.get(PASSWORD_VARIABLE, ""), _own_password(workspace)]
    shown = Mask(secrets, _people())
    hidden = Mask(secrets, [*_people(), (platform.node(), "this-computer")])
    try:
        names = names_held(workspace)
    except EnvironmentProblem:
        pass  # then there is nothing that could name one
    else:
        for kind, those in (("agent", names.agents), ("host", names.hosts), ("topic", names.topics)):
            hidden.hide_names(kind, those)
    return Report(raw, hidden, shown, time.time_ns() // 1_000)


def save_report(path: Path, files: Mapping[str, str]) -> None:
    """Write the zip file; a file of that name is replaced, and nothing half-written stays. Raises `EnvironmentProblem`
    file.unusable."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("xb") as handle:
            temporary.chmod(0o600)
            with zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED) as packed:
                for name, text in files.items():
                    packed.writestr(f"murmurscope-diagnostics/{name}", text)
        temporary.replace(path)
    except OSError as error:
        raise trouble("file.unusable", path=str(path), detail=error.strerror or str(error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def _system(workspace: Workspace) -> list[tuple[str, str]]:
    memory = psutil.virtual_memory()
    nearest = next(folder for folder in (workspace.root, *workspace.root.parents) if folder.exists())
    disk = shutil.disk_usage(nearest)
    try:
        distribution = platform.freedesktop_os_release().get("PRETTY_NAME", "?")
    except OSError:
        distribution = "?"
    variables = ("XDG_SESSION_TYPE", "XDG_CURRENT_DESKTOP", "LANG", "QT_QPA_PLATFORM", "QT_SCALE_FACTOR", "TZ")
    return [
        ("system", f"{distribution}, {platform.system()} {platform.release()} {platform.machine()}"),
        ("processors", str(os.cpu_count())),
        ("memory", f"{memory.total} bytes, {memory.available} available"),
        ("disk", f"{disk.total} bytes, {disk.free} free"),
        ("workspace", str(workspace.root)),
        ("time zone", time.strftime("%Z %z")),
        *((name, os.environ[name]) for name in variables if name in os.environ),
    ]


def _people() -> list[tuple[str, str]]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = ""
    people = [(str(Path.home()), "~")] if len(Path.home().parts) > 1 else []
    if user not in ("", "root"):
        people.append((user, "user"))
    return people


def _own_password(workspace: Workspace) -> str:
    try:
        return (workspace.root / "broker" / "password").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _lines(pairs: Sequence[tuple[str, str]]) -> str:
    width = max((len(name) for name, _ in pairs), default=0)
    return "".join(f"{name:{width}}  {value}\n" for name, value in pairs)


def _json(read: Callable[[], Any]) -> str:
    try:
        return json.dumps(read(), indent=1, ensure_ascii=False, default=str) + "\n"
    except EnvironmentProblem as error:
        return f"{error.problem.code}: {error}\n"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"not readable: {error.strerror}\n"


def _crashes(window_log: Path | None) -> str:
    """Of windows that crashed, the last of them first; the file of one that runs is empty."""
    found = window_log.parent.glob("window-*.crash") if window_log is not None else ()
    dated = sorted(((path.stat().st_mtime, path) for path in found if path.is_file()), reverse=True)
    told = [
        f"{datetime.fromtimestamp(at, UTC).isoformat()}\n{text}"
        for at, path in dated[:CRASHES]
        if (text := _tail(path))
    ]
    return "\n".join(told) or "there is none\n"


def _tail(path: Path | None) -> str:
    """The last part of a log."""
    if path is None:
        return "there is none\n"
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return "there is none\n"
    except OSError as error:
        return f"not readable: {error.strerror}\n"
    return text if size <= TAIL_BYTES else "…" + text.partition("\n")[2]
