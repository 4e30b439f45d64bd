"""Takes out of a text what is nobody else's business: secrets always, names of agents and topics unless they are wanted.

Rather too much is taken out than too little.
"""

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "***"
_USER = re.compile(r"(://)[^\n]{0,4000}@")
"""Name and password in an address; a password may hold anything, so up to the last @ of the line."""
_WORDS = r"(?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|credential|authorization)[\w-]{0,40}"
_SETTING = re.compile(rf"""(?im)^(\s*["']?[\w.-]{{0,40}}{_WORDS}["']?\s*=\s*)\S.*$""")
_ASSIGNED = re.compile(
    rf"""(?ix) ({_WORDS}["']?\s*[:=]\s*) (?: "(?:[^"\\\n]|\\.)*" | '[^'\n]*' | [^\s,;&"'}}\])][^\s,;&}}\])]* )"""
)
_PARAMETER = re.compile(r"(?i)([?&](?:key|sig|signature|auth|code|session)=)[^&\s\"']+")
_BEARER = re.compile(r"""(?i)\b((?:bearer|basic)\s+)[^\s"',;]{6,}""")
_TOKEN = re.compile(r"[\w$#+./-]+")
_SHORTEST_SECRET = 3


class Mask:
    """`secrets` are known ones, whatever stands around them; `people` are names of the user, his folder and his computer."""

    def __init__(self, secrets: Iterable[str] = (), people: Iterable[tuple[str, str]] = ()) -> None:
        """`people` are (what, instead): longer ones are replaced first."""
        forms = {form for secret in secrets if len(secret) >= _SHORTEST_SECRET for form in _forms(secret)}
        self._secrets = sorted(forms, key=len, reverse=True)
        self._people = sorted(((one, new) for one, new in people if len(one) > 1), key=lambda pair: -len(pair[0]))
        self._names: dict[str, str] = {}
        self._spaced: list[tuple[str, str]] = []

    def hide_names(self, kind: str, names: Iterable[str]) -> None:
        """Show these as `<kind>-<number>`, the same name always the same number."""
        for number, name in enumerate(names, 1):
            shown = f"{kind}-{number}"
            if _TOKEN.fullmatch(name):
                self._names.setdefault(name, shown)
            else:
                self._spaced.append((name, shown))
        self._spaced.sort(key=lambda pair: -len(pair[0]))

    def masked(self, text: str) -> str:
        """The text without them."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        text = _USER.sub(rf"\1{HIDDEN}@", text)
        text = _BEARER.sub(rf"\1{HIDDEN}", text)
        text = _SETTING.sub(rf"\1{HIDDEN}", text)
        text = _ASSIGNED.sub(rf"\1{HIDDEN}", text)
        text = _PARAMETER.sub(rf"\1{HIDDEN}", text)
        for name, instead in self._people:
            text = re.sub(rf"(?<![\w]){re.escape(name)}(?![\w])", instead, text)
        for name, instead in self._spaced:
            text = text.replace(name, instead)
        return _TOKEN.sub(self._shown, text) if self._names else text

    def _shown(self, found: re.Match[str]) -> str:
        token = found[0]
        whole = self._names.get(token)
        if whole is not None:
            return whole
        end = token.rstrip(".")  # of a sentence
        if end in self._names:
            return self._names[end] + token[len(end) :]
        if "/" not in token:
            return token
        return "/".join(self._names.get(part, part) for part in token.split("/"))


def _forms(secret: str) -> set[str]:
    """What it may look like in a file."""
    as_json = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    return {
        secret, quote(secret), quote(secret, safe=""), repr(secret)[1:-1], *as_json,
        base64.b64encode(secret.encode()).decode(),
    }  # fmt: skip
