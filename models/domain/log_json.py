"""A log record as JSON, with the keys of the dataset `logs` that is exported."""

import json

from models.domain.queries import LogLine
from models.domain.timestamps import utc_text


def log_json(line: LogLine, agent: str, indent: int | None = 2) -> str:
    """One object; `indent` None: on one line. `agent` is the id that exports use."""
    record = {
        "time": utc_text(line.time_us),
        "received": utc_text(line.key.received_us),
        "agent": agent,
        "level": line.level.name.lower(),
        "logger": line.logger or None,
        "text": line.text,
        "error": line.error or None,
        "stack": line.stack or None,
        "attributes": attributes_of(line) or None,
    }
    return json.dumps(record, indent=indent, ensure_ascii=False)


def attributes_of(line: LogLine) -> dict[str, object]:
    """The attributes as an object; what is none stands there as text under an empty name."""
    if not line.attributes:
        return {}
    try:
        found = json.loads(line.attributes)
    except (ValueError, RecursionError):
        return {"": line.attributes}
    return found if isinstance(found, dict) else {"": found}


def flat(value: object, path: str = "") -> list[tuple[str, str]]:
    """Name and text of every single value in it, such as ("user.ids[0]", "5"), in their order."""
    found, left = list[tuple[str, str]](), [(path, value)]
    while left:  # it may be nested deeper than calls can be
        path, value = left.pop()
        if isinstance(value, dict) and value:
            left += reversed([(f"{path}.{name}" if path else str(name), inner) for name, inner in value.items()])
        elif isinstance(value, list) and value:
            left += reversed([(f"{path}[{place}]", inner) for place, inner in enumerate(value)])
        else:
            found.append((path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))
    return found
