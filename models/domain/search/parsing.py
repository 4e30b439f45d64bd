"""Reads a query. What cannot be read is told with the place where it goes wrong."""

import re
from collections.abc import Callable
from typing import NamedTuple

from models.domain.problems import EnvironmentProblem, trouble
from models.domain.records import Level
from models.domain.search.terms import (
    EVERYTHING,
    All,
    Anywhere,
    Arrived,
    Comparison,
    Either,
    FieldCompares,
    FieldIs,
    LevelIs,
    Not,
    Place,
    Term,
    number_in,
)
from models.domain.time_range import parse_moment

LONGEST = 4_000
DEEPEST = 50
LEVELS = {
    **{level.name.lower(): level for level in Level},
    "warning": Level.WARN, "err": Level.ERROR, "critical": Level.FATAL, "information": Level.INFO,
}  # fmt: skip
_TIMES = {"after": Comparison.AT_LEAST, "before": Comparison.LESS}
_OPERATOR = re.compile(r"!=|>=|<=|[:=><]")
_SPACED_OPERATOR = re.compile(r"\s*(!=|>=|<=|[=><])")
NAME = re.compile(r"[^\W\d][\w.@/$\[\]-]*")
_WORD = re.compile(r'(?:\\.|[^\s()"\\])+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LETTER = re.compile(r"\\(.)|([^\\])", re.DOTALL)
_LINK = re.compile(r"[a-z][a-z0-9+.-]*://")


class Span(NamedTuple):
    """Characters [begin, end) of a query."""

    begin: int
    end: int


class Part(NamedTuple):
    """A term that every record must meet, and where it stands."""

    term: Term
    span: Span


def parse(text: str, now_us: int) -> Term:
    """Raises `EnvironmentProblem` "query.*" with the parameters `begin` and `end`: the characters that it is about."""
    return joined([part.term for part in parse_parts(text, now_us)])


def parse_parts(text: str, now_us: int) -> list[Part]:
    """What stands side by side at the outermost: a list that shows each for itself. Raises as `parse`."""
    if len(text) > LONGEST:
        raise _trouble("query.long", Span(LONGEST, len(text)), most=LONGEST)
    return _Reader(text, now_us).parts()


def joined(terms: list[Term]) -> Term:
    """All of them."""
    return terms[0] if len(terms) == 1 else All(tuple(terms)) if terms else EVERYTHING


def _trouble(code: str, span: Span, **parameters: str | float) -> EnvironmentProblem:
    return trouble(code, begin=span.begin, end=span.end, place=span.begin + 1, **parameters)


class _Reader:
    """By descent: `OR` of terms side by side, `NOT` before one, brackets."""

    def __init__(self, text: str, now_us: int) -> None:
        self._text, self._now_us = text, now_us
        self._at = 0
        self._depth = 0

    def parts(self) -> list[Part]:
        begin = self._skip()
        found = self._side_by_side()
        if self._take_word("OR"):
            terms = [joined([part.term for part in found])]
            terms += self._alternatives()
            found = [Part(Either(tuple(terms)), Span(begin, self._at))]
        if self._skip() < len(self._text):
            raise self._unexpected()
        return found

    def _alternatives(self) -> list[Term]:
        """What follows an `OR`."""
        terms = []
        while True:
            found = self._side_by_side()
            if not found:
                raise self._unexpected()
            terms.append(joined([part.term for part in found]))
            if not self._take_word("OR"):
                return terms

    def _side_by_side(self) -> list[Part]:
        found: list[Part] = []
        while True:
            if not found and self._next_word() in ("AND", "OR"):
                raise self._unexpected()
            joins = self._take_word("AND")
            if not self._begins_term():
                if joins:
                    raise self._unexpected()
                return found
            begin = self._skip()
            term = self._negated()
            found.append(Part(term, Span(begin, self._at)))

    def _begins_term(self) -> bool:
        self._skip()
        return self._at < len(self._text) and self._text[self._at] != ")" and self._next_word() not in ("OR", "AND")

    def _negated(self) -> Term:
        self._skip()
        text, at = self._text, self._at
        minus = text[at] == "-" and at + 1 < len(text) and not text[at + 1].isspace() and text[at + 1] != ")"
        if not minus and not self._take_word("NOT"):
            return self._single()
        if minus:
            self._at += 1
        if not self._begins_term():
            raise self._unexpected()
        return Not(self._deeper(self._negated))

    def _single(self) -> Term:
        text, begin = self._text, self._at
        if text[begin] == "(":
            return self._deeper(self._bracket)
        if text[begin] == '"':
            quoted = self._quoted()
            operator = _OPERATOR.match(text, self._at)
            if operator is None:
                return Anywhere(quoted)
            span = Span(begin, self._at)
            self._at = operator.end()
            return self._compared(quoted, operator[0], span)
        name = NAME.match(text, begin)
        if name is not None and not _LINK.match(text, begin):
            after = name.end()
            operator = _OPERATOR.match(text, after)
            if operator is None:  # `latency > 200`; a colon stands at its field
                operator = _SPACED_OPERATOR.match(text, after)
            if operator is not None:
                self._at = operator.end()
                return self._compared(name[0], operator[0].strip(), Span(begin, after))
        return Anywhere(self._word())

    def _bracket(self) -> Term:
        begin = self._at
        self._at += 1
        found = self._side_by_side()
        if not found:
            raise (
                self._unexpected() if self._at < len(self._text) else _trouble("query.bracket", Span(begin, begin + 1))
            )
        terms = [joined([part.term for part in found])]
        if self._take_word("OR"):
            terms += self._alternatives()
        if self._skip() >= len(self._text):
            raise _trouble("query.bracket", Span(begin, begin + 1))
        self._at += 1  # nothing else ends what stands side by side
        return terms[0] if len(terms) == 1 else Either(tuple(terms))

    # ------------------------------------------------------------ a field and what it is compared with

    def _compared(self, name: str, operator: str, span: Span) -> Term:
        comparison = Comparison.IS if operator == "=" else Comparison(operator)
        begin = self._skip()
        if comparison in (Comparison.IS, Comparison.NOT) and self._text[begin : begin + 1] == "(":
            return self._one_of(name, comparison, span)
        if begin >= len(self._text) or self._text[begin] in "()":
            raise _trouble("query.no-value", span, field=name)
        parts = self._pattern()
        return self._condition(name, comparison, parts, Span(begin, self._at))

    def _one_of(self, name: str, comparison: Comparison, span: Span) -> Term:
        """`level:(warn error)`, also with `OR` between."""
        begin = self._at
        self._at += 1
        terms: list[Term] = []
        while self._skip() < len(self._text) and self._text[self._at] != ")":
            if terms and self._take_word("OR"):
                continue
            value_at = self._at
            parts = self._pattern()
            terms.append(self._condition(name, Comparison.IS, parts, Span(value_at, self._at)))
        if self._at >= len(self._text):
            raise _trouble("query.bracket", Span(begin, begin + 1))
        self._at += 1
        if not terms:
            raise _trouble("query.no-value", span, field=name)
        any_of = terms[0] if len(terms) == 1 else Either(tuple(terms))
        return Not(any_of) if comparison is Comparison.NOT else any_of

    def _condition(self, name: str, comparison: Comparison, parts: tuple[str, ...], span: Span) -> Term:
        folded, value = name.casefold(), "*".join(parts)
        if folded in _TIMES and comparison is Comparison.IS:
            try:
                return Arrived(_TIMES[folded], parse_moment(value, self._now_us))
            except EnvironmentProblem as error:
                raise _trouble("query.time", span, text=value[:80]) from error
        if folded == Place.LEVEL:
            return self._level(comparison, value, span)
        field = folded if folded in {*Place} else name
        if comparison is Comparison.IS:
            return FieldIs(field, parts)
        if comparison is Comparison.NOT:
            return Not(FieldIs(field, parts))
        number = number_in(value)
        if number is None:
            raise _trouble("query.number", span, text=value[:80], operator=str(comparison))
        return FieldCompares(field, comparison, number)

    def _level(self, comparison: Comparison, value: str, span: Span) -> Term:
        level = LEVELS.get(value.casefold())
        if level is None:
            words = ", ".join(one.name.lower() for one in Level)
            raise _trouble("query.level", span, text=value[:80], levels=words)
        if comparison is Comparison.NOT:
            return Not(LevelIs(Comparison.IS, level))
        return LevelIs(comparison, level)

    # ------------------------------------------------------------ characters

    def _skip(self) -> int:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._at

    def _next_word(self) -> str:
        found = _WORD.match(self._text, self._skip())
        return found[0] if found else ""

    def _take_word(self, word: str) -> bool:
        if self._next_word() != word:
            return False
        self._at += len(word)
        return True

    def _word(self) -> str:
        return "*".join(self._starred())

    def _starred(self) -> tuple[str, ...]:
        """What stands between the stars of a word; one after a backslash is no star."""
        found = _WORD.match(self._text, self._at)
        if found is None:
            raise self._unexpected()
        self._at = found.end()
        parts = [""]
        for escaped, plain in _LETTER.findall(found[0]):
            if plain == "*":
                parts.append("")
            else:
                parts[-1] += escaped or plain
        return tuple(parts)

    def _pattern(self) -> tuple[str, ...]:
        """Pieces with and without quotes that stand together: `"timed out"*`; a star within quotes is none."""
        parts = [""]
        begin = self._at
        while self._at < len(self._text) and not self._text[self._at].isspace() and self._text[self._at] not in "()":
            first, *more = (self._quoted(),) if self._text[self._at] == '"' else self._starred()
            parts[-1] += first
            parts += more
        if self._at == begin:
            raise self._unexpected()
        return tuple(parts)

    def _quoted(self) -> str:
        found = _QUOTED.match(self._text, self._at)
        if found is None:
            raise _trouble("query.quote", Span(self._at, self._at + 1))
        self._at = found.end()
        return _ESCAPED.sub(r"\1", found[1])

    def _deeper(self, read: Callable[[], Term]) -> Term:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _trouble("query.deep", Span(self._at, self._at + 1), most=DEEPEST)
        found = read()
        self._depth -= 1
        return found

    def _unexpected(self) -> EnvironmentProblem:
        begin = self._skip()
        if begin >= len(self._text):
            return _trouble("query.end", Span(max(0, len(self._text.rstrip()) - 1), len(self._text)))
        word = _WORD.match(self._text, begin)
        end = word.end() if word else begin + 1
        return _trouble("query.unexpected", Span(begin, end), text=self._text[begin:end][:80])
