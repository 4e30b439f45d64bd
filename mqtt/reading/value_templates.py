"""Where in a payload a value stands, as templates of Home Assistant say it. Templates are recognised by their shape and never
run: a reference (`value`, `value_json.a['b'].get('c')[0]`), filters that only convert (`float`, `round` …: the figure is kept as
it was sent), multiplying or dividing by a number, and `… if value_json.x is defined else …`, also as `{% if … %}`. All others mean
nothing here.
"""

import math
import re
from typing import Any, NamedTuple

from mqtt.reading.generic_numbers import number_of, read_number

LONGEST_TEMPLATE, MOST_TOKENS, DEEPEST = 1_000, 200, 16
_BRACES = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
_IF = re.compile(
    r"\{%-?\s*if\s(?P<is_there>[^%{}]*?)-?%\}\s*\{\{-?(?P<value>[^%{}]*?)-?\}\}\s*"
    r"(?:\{%-?\s*else\s*-?%\}(?:[\w.\s]*|\s*\{\{-?(?P<other>[^%{}]*?)-?\}\}\s*))?\{%-?\s*endif\s*-?%\}"
)
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|'(?P<single>[^'\\]*)'|"(?P<double>[^"\\]*)"|"""
    r"""(?P<sign>[.\[\]()|*/,{}]))"""
)
_CONVERTING = frozenset(("float", "int", "round", "default", "d", "is_defined", "string"))
_ABSENT, _PRESENT = frozenset(("none", "None", "undefined")), frozenset(("defined", "number"))
_EMPTY = {"{": "}", "[": "]"}
MISSING = object()


class Extract(NamedTuple):
    """`path` leads into the decoded payload; empty: the payload itself, as text unless `json`."""

    path: tuple[str | int, ...] = ()
    json: bool = False
    times: float = 1.0
    by: float = 1.0


class _OtherShapeError(Exception):
    pass


def read_template(text: str) -> Extract | None:
    """None for a template of another shape."""
    if len(text) > LONGEST_TEMPLATE:
        return None
    text = text.strip()
    found, choice = _BRACES.fullmatch(text), _IF.fullmatch(text)
    if choice is not None:
        inner = f"{choice['value']} if {choice['is_there']} else {choice['other'] or 'none'}"
    elif found is not None and "{{" not in found[1]:
        inner = found[1]
    else:
        return None
    try:
        return _Parser(_tokens(inner)).whole()
    except (_OtherShapeError, OverflowError):
        return None


def find(body: Any, path: tuple[str | int, ...]) -> Any:
    """What stands there, or `MISSING`."""
    for step in path:
        if isinstance(step, str):
            body = body.get(step, MISSING) if isinstance(body, dict) else MISSING
        else:
            body = body[step] if isinstance(body, list) and -len(body) <= step < len(body) else MISSING
        if body is MISSING:
            break
    return body


def as_number(value: Any) -> float | None:
    """A figure of decoded JSON, or the text of one. Never infinite, never NaN."""
    if type(value) is str:
        told = read_number(value.strip())
        return None if told is None else told[0]
    return number_of(value)


def _tokens(text: str) -> list[tuple[str, str]]:
    """Kind and text: number, name, text, or a sign that is its own kind."""
    found: list[tuple[str, str]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None or len(found) >= MOST_TOKENS:
            raise _OtherShapeError
        kind, word = str(token.lastgroup), token[str(token.lastgroup)]
        found.append((word if kind == "sign" else "text" if kind in ("single", "double") else kind, word))
        at = token.end()
    return found


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = self._depth = 0

    def whole(self) -> Extract:
        found = self._product()
        if self._takes("name", "if"):
            self._is_there()
            while self._takes("name", "and"):
                self._is_there()
            if self._takes("name", "else"):
                self._literal()
        if self._at < len(self._tokens):
            raise _OtherShapeError
        return found

    def _product(self) -> Extract:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _OtherShapeError
        found = self._filtered()
        while self._kind() in ("*", "/"):
            sign = self._next()[0]
            number = float(self._expect("number"))
            self._filters()
            if not number:
                raise _OtherShapeError
            found = found._replace(times=found.times * number) if sign == "*" else found._replace(by=found.by * number)
        self._depth -= 1
        if not math.isfinite(found.times / found.by):
            raise _OtherShapeError
        return found

    def _filtered(self) -> Extract:
        if self._takes("("):
            found = self._product()
            self._expect(")")
        elif self._name() in _CONVERTING:
            self._next()
            self._expect("(")
            found = self._product()
            self._rest_of_arguments()
        else:
            found = self._reference()
        self._filters()
        return found

    def _filters(self) -> None:
        while self._takes("|"):
            if self._expect("name") not in _CONVERTING:
                raise _OtherShapeError
            if self._takes("(") and not self._takes(")"):
                self._literal()
                self._rest_of_arguments()

    def _rest_of_arguments(self) -> None:
        while self._takes(","):
            self._literal()
        self._expect(")")

    def _reference(self) -> Extract:
        name = self._expect("name")
        if name == "value":
            return Extract()
        if name != "value_json":
            raise _OtherShapeError
        path: list[str | int] = []
        while self._kind() in (".", "["):
            if self._next()[0] == ".":
                word = self._expect("name")
                if word == "get" and self._takes("("):
                    path.append(self._expect("text"))
                    self._rest_of_arguments()
                else:
                    path.append(word)
            else:
                kind, word = self._next()
                if kind not in ("text", "number") or (kind == "number" and "." in word):
                    raise _OtherShapeError
                path.append(word if kind == "text" else int(word))
                self._expect("]")
        if len(path) > DEEPEST:
            raise _OtherShapeError
        return Extract(tuple(path), json=True)

    def _is_there(self) -> None:
        """A condition that holds wherever there is something to read."""
        self._reference()
        self._expect("name", "is")
        negated = self._takes("name", "not")
        if self._expect("name") not in (_ABSENT if negated else _PRESENT):
            raise _OtherShapeError

    def _literal(self) -> None:
        kind, word = self._next()
        if kind in _EMPTY:
            self._expect(_EMPTY[kind])
        elif kind not in ("text", "number") and word not in ("none", "None", "true", "True", "false", "False"):
            raise _OtherShapeError

    def _kind(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _name(self) -> str:
        return self._tokens[self._at][1] if self._kind() == "name" else ""

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise _OtherShapeError
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, kind: str, word: str | None = None) -> bool:
        if self._kind() != kind or (word is not None and self._tokens[self._at][1] != word):
            return False
        self._at += 1
        return True

    def _expect(self, kind: str, word: str | None = None) -> str:
        if not self._takes(kind, word):
            raise _OtherShapeError
        return self._tokens[self._at - 1][1]
