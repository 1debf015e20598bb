"""The filter of a load: text like a WHERE clause over property names, read into a predicate.

``reference/cloudsuite.md §4a, §8``: ``= <> < <= > >= LIKE IN AND OR NOT IS NULL``, literals ``N'…'`` or ``'…'`` (with a
quote doubled), numbers, ``GETDATE()`` and ``DATEADD()``; no other function and no sub-query. Logic is SQL's of three
values: what is compared with null is neither true nor false. Words of refusals are SIM.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from airflow_provider_mlconnector.sandbox.cloudsuite.ido_terms import (
    And,
    Call,
    Compare,
    In,
    IsNull,
    Like,
    Literal,
    Node,
    Not,
    Or,
    Property,
    Term,
)

_TOKEN = re.compile(
    r"\s*(?:(?P<text>[Nn]?'(?:[^']|'')*')|(?P<number>[+-]?\d+(?:\.\d+)?)(?![\w])|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign><>|!=|<=|>=|[=<>(),]))"
)
COMPARISONS = frozenset({"=", "<>", "!=", "<", "<=", ">", ">="})
KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "LIKE", "IS", "NULL"})
FUNCTIONS = {"GETDATE": 0, "DATEADD": 3}
"""Function → how many arguments it takes."""
MOST_NESTED = 100


class FilterError(ValueError):
    """The filter is not understood; the message goes to the caller."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number, text or sign; ``value`` of a text is without quotes."""

    kind: str
    value: str

    @property
    def keyword(self) -> str:
        """Return a word in capitals, a sign as it is, nothing for texts and numbers."""
        return self.value.upper() if self.kind in ("word", "sign") else ""


END = Token("end", "")


def tokens(text: str) -> Iterator[Token]:
    """Cut a filter into tokens.

    Raises:
        FilterError: Something is no token, such as an open quote.
    """
    at, length = 0, len(text.rstrip())
    while at < length:
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            message = f"Incorrect syntax near '{text[at : at + 20].strip()}'"
            raise FilterError(message)
        value = found[found.lastgroup]
        if found.lastgroup == "text":
            value = value[value.index("'") + 1 : -1].replace("''", "'")
        yield Token(found.lastgroup, value)
        at = found.end()


def parse(text: str) -> Node | None:
    """Read a filter; None if it is blank.

    Raises:
        FilterError: It is not understood.
    """
    parser = _Parser([*tokens(text), END])
    return parser.whole() if text.strip() else None


class _Parser:
    """Recursive descent: OR over AND over NOT over comparisons."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens, self._at, self._depth = found, 0, 0

    def whole(self) -> Node:
        node = self._either()
        if self._now is not END:
            self._fail()
        return node

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _take(self, *keywords: str) -> str:
        """Step over one of these words or signs; empty if another token stands here."""
        word = self._now.keyword
        if word not in keywords:
            return ""
        self._at += 1
        return word

    def _need(self, keyword: str) -> None:
        if not self._take(keyword):
            self._fail()

    def _fail(self) -> NoReturn:
        message = f"Incorrect syntax near '{self._now.value}'" if self._now.value else "Incorrect syntax at the end"
        raise FilterError(message)

    def _either(self) -> Node:
        return self._chain("OR", self._all, Or)

    def _all(self) -> Node:
        return self._chain("AND", self._one, And)

    def _chain(self, word: str, part: Callable[[], Node], join: type[And | Or]) -> Node:
        parts = [part()]
        while self._take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else join(tuple(parts))

    def _one(self) -> Node:
        self._depth += 1
        if self._depth > MOST_NESTED:
            message = "The filter is nested too deeply"
            raise FilterError(message)
        node = self._unnested()
        self._depth -= 1
        return node

    def _unnested(self) -> Node:
        if self._take("NOT"):
            return Not(self._one())
        if self._take("("):
            node = self._either()
            self._need(")")
            return node
        left = self._term()
        if self._take("IS"):
            negated = bool(self._take("NOT"))
            self._need("NULL")
            return _negated(IsNull(left), negated=negated)
        negated = bool(self._take("NOT"))
        if self._take("IN"):
            return _negated(In(left, self._list()), negated=negated)
        if self._take("LIKE"):
            return _negated(Like(left, self._term()), negated=negated)
        sign = "" if negated else self._take(*COMPARISONS)
        return Compare("<>" if sign == "!=" else sign, left, self._term()) if sign else self._fail()

    def _list(self) -> tuple[Term, ...]:
        self._need("(")
        terms = [self._term()]
        while self._take(","):
            terms.append(self._term())
        self._need(")")
        return tuple(terms)

    def _term(self) -> Term:
        token = self._now
        if token.kind in ("text", "number"):
            self._at += 1
            return Literal(token.value, number=token.kind == "number")
        if token.kind != "word" or (token.keyword in KEYWORDS and token.keyword != "NULL"):
            self._fail()
        self._at += 1
        if token.keyword == "NULL":
            return Literal(None)
        return self._call(token) if self._now.keyword == "(" else Property(token.value)

    def _call(self, name: Token) -> Term:
        if name.keyword not in FUNCTIONS:
            message = f"Function {name.value} is not allowed in a filter"
            raise FilterError(message)
        self._need("(")
        arguments = () if self._take(")") else self._arguments()
        if len(arguments) != FUNCTIONS[name.keyword]:
            message = f"{name.value} takes {FUNCTIONS[name.keyword]} arguments"
            raise FilterError(message)
        return Call(name.keyword, arguments)

    def _arguments(self) -> tuple[Term, ...]:
        terms = [self._term()]
        while self._take(","):
            terms.append(self._term())
        self._need(")")
        return tuple(terms)


def _negated(node: Node, *, negated: bool) -> Node:
    return Not(node) if negated else node
