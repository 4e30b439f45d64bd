"""Secrets that agents publish: hidden before anything of a message reaches a disk. What is hidden cannot be had back.

Hidden are the values of keys that are on a list, wherever they stand: in JSON (and JSON inside its texts), in `key=value`, in
a header `authorization: bearer …`, in MQTT 5 user properties; and passwords in addresses. Numbers are never secrets here.
Whatever comes is looked through in a time that grows as its length does: the network thread waits for it.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from models.domain.messages import Properties, RawMessage

HIDDEN = "***"
PLAIN_KEYS = (
    "password", "passwd", "passphrase", "secret", "client_secret", "token", "access_token", "refresh_token", "id_token",
    "api_key", "private_key", "authorization", "a2a-authorization", "credentials", "cookie",
)  # fmt: skip
MOST_KEYS = 100
ROOT_LETTERS = 4
_HIDDEN = HIDDEN.encode()
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_ADDRESS = re.compile(rb"(://[^/\s:@\"\\]{0,200}:)[^@\s/\"\\]{1,200}(?=@)")
_MARK = re.compile(rb"(?<!\\)(\\*+)\"|[][{}]")
_OPENED = rb"\\{0,7}[\"'](?=[^\"'\\\s,:}\]][^\"'\\\r\n]{0,4095}+\\{0,7}[\"'])"
"""A quoted value begins; what a comma follows, and its like, ends a text of JSON instead."""
_NO_SECRET = r"(?!(?:\w{1,40}[-_.])?(?:progress|page|nextpage|continuation)[-_.]?token)"
"""Names of a place in a list, or of a request of MCP: replies are found by it."""
_WORDS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")


class Masked(NamedTuple):
    """In `hidden` of the messages something was hidden."""

    messages: list[RawMessage]
    hidden: int


class Masking:
    """Any thread; `use` takes effect with the next call of another."""

    def __init__(self, keys: Iterable[str] = PLAIN_KEYS) -> None:
        self._keys = _Keys(keys)

    def use(self, keys: Iterable[str]) -> None:
        """From now on these; none: nothing is hidden."""
        self._keys = _Keys(keys)

    def may_be_in(self, data: bytes) -> bool:
        """A quick look at any bytes, whole packets too: False is certain."""
        return self._keys.may_be_in(data)

    def applied(self, messages: Sequence[RawMessage]) -> Masked:
        """The messages with everything hidden; those without a secret are the same objects."""
        keys, count, found = self._keys, 0, []
        for message in messages:
            masked = keys.applied(message)
            count += masked is not message
            found.append(masked)
        return Masked(found, count)


class _Keys:
    """One list of keys, compiled."""

    def __init__(self, keys: Iterable[str]) -> None:
        words = [parts for key in list(keys)[:MOST_KEYS] if (parts := [one for one in _WORDS.split(key) if one])]
        self._on = bool(words)
        self._roots = _roots(words)
        any_key = "|".join("[-_. ]?".join(map(re.escape, parts)) for parts in words) or "(?!)"
        begins = rf"{_NO_SECRET}(?:[\w.-]{{1,60}}(?:[-_.]|(?<=[a-z0-9])(?=(?-i:[A-Z]))))?(?:{any_key})".encode()
        flags = re.IGNORECASE
        self._name = re.compile(begins, flags)
        self._in_json = re.compile(rb"(?<!\\)(?P<slashes>\\*+)\"" + begins + rb"(?P=slashes)\"\s*:\s*", flags)
        self._in_plain_json = re.compile(rb"\"(?P<slashes>)" + begins + rb"\"\s*:\s*", flags)  # no JSON inside: quicker
        self._in_text = re.compile(
            rb"(?<![A-Za-z0-9])(?:(?:"
            + any_key.encode()
            + rb")=|authorization:\s*)(?:(?:bearer|basic)\s+|"
            + _OPENED
            + rb")?"
            rb"(?P<value>(?<=[\"'])[^\"'\\]{1,4096}|[^\s,;&\"'\\]{1,4096})",
            flags,
        )

    def may_be_in(self, data: bytes) -> bool:
        if not self._on:
            return False
        folded = data.lower()
        return any(one in folded for one in self._roots) or b"://" in data

    def applied(self, message: RawMessage) -> RawMessage:
        payload, properties = message.payload, message.properties
        hidden = self._in(payload) if self.may_be_in(payload) else payload
        kept = properties
        if self._on and properties is not None and properties.user:
            user = tuple((key, self._of_property(key, value)) for key, value in properties.user)
            if user != properties.user:
                kept = properties._replace(user=user)
        if hidden is payload and kept is properties:
            return message
        return message._replace(payload=hidden, properties=(kept or Properties())._replace(masked=True))

    def _of_property(self, key: str, value: str) -> str:
        if self._name.fullmatch(key.encode()):
            return HIDDEN
        return self._in(value.encode()).decode("utf-8", "replace")

    def _in(self, payload: bytes) -> bytes:
        """The same object where nothing was found. Binary payloads are left alone: a change could make them unreadable."""
        if _NO_TEXT.search(payload):
            return payload
        hidden = self._json_hidden(payload)
        if b"=" in hidden or b"authorization:" in hidden.lower():  # prose has neither, and is long
            hidden = self._in_text.sub(_without_value, hidden)
        if b"://" in hidden:
            hidden = _ADDRESS.sub(lambda found: found[1] + _HIDDEN, hidden)
        return payload if hidden == payload else hidden

    def _json_hidden(self, payload: bytes) -> bytes:
        parts, done = [], 0
        name = self._in_json if b'\\"' in payload else self._in_plain_json
        for found in name.finditer(payload):
            if found.start() < done:
                continue  # inside of what is hidden already
            quote = found["slashes"] + b'"'
            end = _end_of_value(payload, found.end(), quote)
            if end > found.end():
                parts += [payload[done : found.end()], quote, _HIDDEN, quote]
                done = end
        return b"".join((*parts, payload[done:])) if parts else payload


def _roots(keys: Iterable[Sequence[str]]) -> list[bytes]:
    """The first letters of one word of each key, as few different ones as may be: what is looked for in all that comes."""
    found: list[bytes] = []
    for words in sorted(keys, key=len):
        if not any(_root(word) in found for word in words):
            found.append(_root(max(words, key=len)))
    return found


def _root(word: str) -> bytes:
    return word[:ROOT_LETTERS].lower().encode()


def _end_of_value(payload: bytes, at: int, quote: bytes) -> int:
    """Where a text, an object or a list ends that begins at `at`, or is cut off; `at` itself for everything else. `quote`
    is how texts are quoted there: with a backslash or more inside of another text, whose own end is the end, too."""
    in_text, depth = payload.startswith(quote, at), 0
    if not in_text and payload[at : at + 1] not in (b"{", b"["):
        return at
    own, again = len(quote) - 1, 2 * len(quote)
    for found in _MARK.finditer(payload, at + len(quote) if in_text else at):
        if found[1] is None:
            if not in_text:
                depth += 1 if found[0] in b"{[" else -1
        elif (slashes := len(found[1]) % again) == own:
            in_text = not in_text
        elif slashes == again - 1:
            continue  # a quote inside of the text
        else:
            return found.start()
        if not (in_text or depth):
            return found.end()
    return len(payload)


def _without_value(found: re.Match[bytes]) -> bytes:
    return found[0][: found.start("value") - found.start()] + _HIDDEN
