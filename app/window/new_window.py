"""Starting another window: a process of its own, that outlives this one."""

from PySide6.QtCore import QProcess, QProcessEnvironment

from app.own_process import child_environment, own_command
from models.domain.problems import Problem


def start_window(*arguments: str) -> Problem | None:
    """Start the program with these arguments. A window of the same workspace that is open comes to the front instead, unless
    `--new-window` is among them. None: it was started."""
    program, *rest = own_command(*arguments)
    environment = QProcessEnvironment()
    for name, value in child_environment().items():
        environment.insert(name, value)
    process = QProcess()
    process.setProgram(program)
    process.setArguments(rest)
    process.setProcessEnvironment(environment)
    started: object = process.startDetached()  # a truth, whatever its annotation says; a pair in other versions
    if started is True or (isinstance(started, tuple) and started[0]):
        return None
    return Problem("file.unusable", {"path": program, "detail": process.errorString()})
