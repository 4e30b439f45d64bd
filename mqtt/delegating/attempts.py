"""How one attempt at a task is named in messages: the id of the task, a full stop, the number of the attempt."""

_SIGN = "."


def attempt_name(task: str, attempt: int) -> str:
    """As `attempt_of` takes apart."""
    return f"{task}{_SIGN}{attempt}"


def attempt_of(name: str) -> tuple[str, int]:
    """The task, and the attempt; 0: it does not say which."""
    task, sign, attempt = name.rpartition(_SIGN)
    return (task, int(attempt)) if sign and attempt.isdecimal() and len(attempt) < 9 else (name, 0)
