"""Where secrets stand in the bytes of a message: found by the names of what they are. Pure; see `masking`.

Names are looked for by their first letters, which cost little where none are there, and what is found is looked at closely
alone: many agents tell how many tokens they used. All is done in a time that grows as the length does.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

HIDDEN = b"***"
MOST_KEYS = 100
_ROOT_LETTERS = 4
_LONGEST_PREFIX = 60
_LONGEST_NAME = 128
_WORDS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_NO_SECRET = r"(?!(?:[\w.-]{1,40}[-_.])?(?:progress|page|nextpage|continuation)[-_.]?token)"
"""Names of a place in a list, or of a request of MCP: replies are found by it."""
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_COLOUR = rb"(?:\x1b|\\{1,7}(?:u001b|x1b))\[[\d;]{0,9}m"
"""As terminals are told."""
_RUN = re.compile(rb"(?:" + _COLOUR + rb")?(?P<name>[\w.-]*)\Z", re.IGNORECASE)
_AFTER = re.compile(
    rb"(?P<quote>\\*+\")\s*+:\s*+|(?P<close>\\{0,7}')?(?:" + _COLOUR + rb"|[ \t]){0,4}"
    rb"(?P<sign>=>|=(?!=)|:(?!:|//))(?:" + _COLOUR + rb"|[ \t]){0,4}",
    re.IGNORECASE,
)  # fmt: skip
_BEGINS = rb"(?=[^\"'\\\s,:}\]])"
"""What follows the quote that opens a value; a comma and its like follow the one that ends a text of JSON."""


def _value(*, in_json: bool) -> re.Pattern[bytes]:
    """A value in text. In JSON, a `"` ends whatever text it stands in. No group is possessive: Python 3.11 mistakes those."""
    other = rb"\"" if in_json else b""
    return re.compile(
        rb"(?:(?:bearer|basic|apikey|token)[ \t]+)?[bru]{0,2}(?:"
        rb"(?P<e>\\{1,7})\"" + _BEGINS + rb"(?P<a>(?:(?!(?<!\\)(?P=e)\")(?:[^\r\n\"]|(?<=\\)\"))+)(?=(?P=e)\")"
        rb"|\"" + _BEGINS + rb"(?P<b>(?:[^\"\\\r\n]|\\[^\r\n])+)(?=\")"
        rb"|(?P<f>\\{1,7})'" + _BEGINS + rb"(?P<c>[^\"'\\\r\n]++)(?=(?P=f)')"
        rb"|'" + _BEGINS + rb"(?P<d>(?:[^'\\\r\n" + other + rb"]|\\[^\r\n])+)(?='))"
        rb"|(?:(?:bearer|basic|apikey|token)[ \t]+)?"
        rb"(?:\\{0,7}[\"']" + _BEGINS + rb")?(?P<bare>[^\s,;&\"'\\\x00-\x1f\x7f]++)",
        re.IGNORECASE,
    )  # fmt: skip


_VALUES = {in_json: _value(in_json=in_json) for in_json in (False, True)}
_JSON = re.compile(rb"\s*+[{\[\"][^'\"]*+\"|\s*+\"")
_COUNTS = re.compile(rb"(?:\\*\"[\w .-]*+\\*\"\s*:|[\s\d.,eE+\-\[\]{}]|true|false|null)*")
"""Numbers by their names: how many tokens were used."""
_LINE = re.compile(rb"[^\r\n\"'\\]*+")
_NUMBER = re.compile(rb"[-+]?\d[\d.,_]*(?:e[-+]?\d+)?[a-z%/]{0,4}[.)]*", re.IGNORECASE)
_WORD = re.compile(rb"[a-z'-]+[.:!?)]*")
_PUNCTUATION = b".,:!?)]}"
_SOFT = re.compile(rb"token|cookie|credentials?", re.IGNORECASE)
"""Words of prose, too: “unexpected token: foo”."""
_SAID = frozenset(
    b"a an and are as at be been but by can cannot did does for from had has have here if in into is it its must no none not null nil"
    b" of off on one only or set should so some than that the then there this to too true false undefined unset was were when which"
    b" will with yes you your"
    b" absent accepted bad changed correct default denied disabled empty enabled error expected expired failed failure found"
    b" given granted hidden incorrect invalid loaded masked mismatch missing needed ok optional pending present read"
    b" received redacted rejected removed required reset revoked rotated sent string success successful unknown"
    b" unsupported updated used valid verified weak wrong".split()
)
"""What is said of a secret, after a colon, and is none."""
_ADDRESS = re.compile(rb"(://[^/?#\s:@\"\\]*+:)([^/?#\s\"\\]+)(?=@)")
_BEARER = re.compile(rb"bearer[ \t]+(?P<bare>(?=[^\s\d]*+\d)[\w.~+/=-]{16,}+)", re.IGNORECASE)
_MARK = re.compile(rb"(?<!\\)(\\*+)\"|[][{}]")


class _Span(NamedTuple):
    """What is hidden, empty where there is nothing to hide up to `end`; `quote` stands on both sides instead of what is
    there."""

    start: int
    end: int
    quote: bytes = b""


class SecretSearch:
    """For one list of names. Any thread."""

    def __init__(self, keys: Iterable[str]) -> None:
        words = [parts for key in list(keys)[:MOST_KEYS] if (parts := [one for one in _WORDS.split(key) if one])]
        self._roots = _roots(words)
        any_key = "|".join("[-_. ]?".join(map(re.escape, parts)) for parts in words) or "(?!)"
        prefix = rf"(?:[\w.-]{{1,{_LONGEST_PREFIX}}}(?:[-_.]|(?<=[a-z0-9])(?=(?-i:[A-Z]))))?"
        self._name = re.compile(rf"{_NO_SECRET}{prefix}(?:{any_key})".encode(), re.IGNORECASE)
        tails = {"[-_. ]?".join(map(re.escape, one)) for parts in words for one in _tails(parts, self._roots)}
        self._tail = re.compile(("|".join(sorted(tails, key=len, reverse=True)) or "(?!)").encode(), re.IGNORECASE)

    def may_be_in(self, data: bytes) -> bool:
        """A quick look at any bytes; False is certain."""
        if not self._roots:
            return False
        folded = data.lower()
        return (
            any(one in folded for one in self._roots)
            or (b"bear" in folded and b"bearer" in folded)
            or (b"://" in data and b"@" in data)
        )

    def is_name(self, text: str) -> bool:
        """Does a value that is called so have to be hidden?"""
        return bool(self._roots) and self._name.fullmatch(text.encode()) is not None

    def hidden_in(self, payload: bytes) -> bytes:
        """The payload without its secrets; the same object where nothing was found."""
        if not self._roots:
            return payload
        folded = payload.lower()
        hits = [at for root in self._roots for at in _places(folded, root)]
        if b"bear" in folded:  # the shorter, the quicker
            hits += _places(folded, b"bearer")
        spans = list(self._spans(payload, sorted(hits))) if hits else []
        address = b"://" in payload and b"@" in payload
        if not (spans or address):
            return payload
        cover, parts, done = _mark if _NO_TEXT.search(payload) is None else _stars, [], 0
        for start, end, quote in spans:
            parts += [payload[done:start], cover(payload[start:end], quote)]
            done = end
        hidden = b"".join((*parts, payload[done:]))
        if address:
            hidden = _ADDRESS.sub(lambda found: found[1] + cover(found[2], b""), hidden)
        return payload if hidden == payload else hidden

    def _spans(self, payload: bytes, hits: Sequence[int]) -> Iterable[_Span]:
        """In the order in which they stand; none overlaps another."""
        done = 0
        value: re.Pattern[bytes] | None = None
        for at in hits:
            if at < done:
                continue  # inside of what is hidden already
            tail = self._tail.match(payload, at)
            bearer = _BEARER.match(payload, at) if tail is None else None
            if bearer is not None:
                done = bearer.end()
                yield _Span(*bearer.span("bare"))
                continue
            after = _AFTER.match(payload, tail.end()) if tail is not None else None
            if tail is None or after is None:
                continue
            if after["quote"] is not None:
                span = self._in_json(payload, tail, after, done)
            else:
                value = value or _VALUES[_JSON.match(payload) is not None]
                span = self._in_text(payload, tail, after, done, value)
            if span is not None:
                done = span.end
                if span.start < done:
                    yield span

    def _in_json(self, payload: bytes, tail: re.Match[bytes], after: re.Match[bytes], done: int) -> _Span | None:
        """Also JSON in a text of JSON, where a backslash or more stand before each quote."""
        quote, start = after["quote"], after.end()
        if not self._quoted(payload, tail, quote, done):
            return None
        end = _end_of_value(payload, start, quote)
        if end == len(payload) and (stop := _NO_TEXT.search(payload, start)):
            end = stop.start()  # it was cut off, and what follows is no text
        if end == start:
            return None
        counts = payload[start] in b"{[" and _COUNTS.fullmatch(payload, start, end)
        return _Span(end if counts else start, end, quote)

    def _quoted(self, payload: bytes, tail: re.Match[bytes], quote: bytes, done: int) -> bool:
        """Is it a whole name between quotes that look like this one?"""
        begin = payload.rfind(quote[-1:], max(done, tail.start() - _LONGEST_NAME), tail.start())
        slashes = len(quote) - 1
        return (
            begin >= slashes
            and payload[begin - slashes : begin + 1] == quote
            and payload[max(0, begin - slashes - 1) : begin - slashes] != b"\\"
            and self._name.fullmatch(payload, begin + 1, tail.end()) is not None
        )

    def _in_text(
        self, payload: bytes, tail: re.Match[bytes], after: re.Match[bytes], done: int, pattern: re.Pattern[bytes]
    ) -> _Span | None:
        """`name=value`, `name: value`, and `'name': 'value'` as Python writes it."""
        close, start = after["close"], after.end()
        if close is not None:
            named, begin = self._quoted(payload, tail, close, done), tail.start()
        else:
            run = _RUN.search(payload, max(done, tail.start() - _LONGEST_PREFIX), tail.start())
            begin = run.start("name") if run is not None else tail.start()
            named = self._name.fullmatch(payload, begin, tail.end()) is not None
        found = pattern.match(payload, start) if named else None
        if found is None:
            return None
        group = str(found.lastgroup)
        span, value = _Span(*found.span(group)), found[group]
        if close is not None:  # a number or None without quotes is no secret
            return span if group != "bare" else None
        colon = after["sign"] == b":"
        if colon and tail[0].lower().endswith(b"cookie"):
            line = _LINE.match(payload, start)
            return _Span(*line.span()) if line is not None and b"=" in line[0] else None
        soft = begin == tail.start() and _SOFT.fullmatch(tail[0]) is not None
        if soft and (_NUMBER.fullmatch(value) or (colon and _WORD.fullmatch(value))):
            return None
        if colon and group == "bare" and _is_said(value):
            return None
        return span


def _places(data: bytes, wanted: bytes) -> Iterable[int]:
    at = data.find(wanted)
    while at >= 0:
        yield at
        at = data.find(wanted, at + 1)


def _is_said(value: bytes) -> bool:
    return value[:1] in b"{[(<*" or value.rstrip(_PUNCTUATION).lower() in _SAID or not value.strip(_PUNCTUATION)


def _mark(_secret: bytes, quote: bytes) -> bytes:
    return quote + HIDDEN + quote


def _stars(secret: bytes, quote: bytes) -> bytes:
    """As long as it was: what is no text may count its bytes."""
    return quote + b"*" * (len(secret) - 2 * len(quote)) + quote if len(secret) >= 2 * len(quote) else secret


def _roots(keys: Iterable[Sequence[str]]) -> list[bytes]:
    """The first letters of one word of each key, as few different ones as may be: what is looked for in all that comes."""
    found: list[bytes] = []
    for words in sorted(keys, key=len):
        if not any(_root(word) in found for word in words):
            found.append(_root(max(words, key=len)))
    return found


def _root(word: str) -> bytes:
    return word[:_ROOT_LETTERS].lower().encode()


def _tails(words: Sequence[str], roots: Sequence[bytes]) -> Iterable[Sequence[str]]:
    """A key from each word on that it may be found by."""
    return (words[place:] for place, word in enumerate(words) if _root(word) in roots)


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
