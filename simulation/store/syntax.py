"""Condition expressions as trees.

Source: the developer guide's grammar of condition expressions. What it has and SimStore has not
raises UnsupportedError where the tree is used, never here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from simulation.store.errors import InvalidError
from simulation.store.reserved import RESERVED

COMPARATORS = frozenset({"=", "<>", "<", "<=", ">", ">="})
FUNCTIONS: Mapping[str, int] = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
}
KEYWORDS = frozenset({"AND", "OR", "NOT", "BETWEEN", "IN"})

_TOKEN = re.compile(
    r"\s*(?:(?P<symbol><=|>=|<>|[=<>(),.\[\]])|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<alias>#[A-Za-z0-9_]+)|(?P<value>:[A-Za-z0-9_]+)|(?P<number>[0-9]+))"
)


@dataclass(frozen=True, slots=True)
class Path:
    """An attribute, or a place inside one."""

    parts: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """A value of ExpressionAttributeValues."""

    name: str


@dataclass(frozen=True, slots=True)
class Size:
    """The size of what is at the path."""

    path: Path


Operand = Path | Given | Size


@dataclass(frozen=True, slots=True)
class Compare:
    """Two operands and what stands between them."""

    comparator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between:
    """Both bounds are included."""

    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True, slots=True)
class In:
    """The operand is one of these."""

    operand: Operand
    options: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function that is true or false."""

    function: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    test: Test


@dataclass(frozen=True, slots=True)
class Both:
    """AND, or OR."""

    word: str
    left: Test
    right: Test


Test = Compare | Between | In | Call | Not | Both


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed text with what it uses of the request."""

    test: Test
    aliases: frozenset[str]
    values: frozenset[str]


@dataclass(slots=True)
class Parser:
    """Reads one expression. `kind` is the parameter's name, for messages."""

    kind: str
    text: str
    aliases: Mapping[str, str]
    tokens: list[tuple[str, str, int]] = field(default_factory=list[tuple[str, str, int]])
    at: int = 0
    used_aliases: set[str] = field(default_factory=set[str])
    used_values: set[str] = field(default_factory=set[str])

    def parse(self) -> Expression:
        """The whole text as one test. Raises: InvalidError as the service words it."""
        self._split()
        test = self._either()
        if self.at < len(self.tokens):
            raise self._unexpected()
        return Expression(test, frozenset(self.used_aliases), frozenset(self.used_values))

    def parse_paths(self) -> tuple[list[Path], frozenset[str]]:
        """The text as a list of paths, as a ProjectionExpression has, and the aliases used."""
        self._split()
        paths = [self._path()]
        while self._takes(","):
            paths.append(self._path())
        if self.at < len(self.tokens):
            raise self._unexpected()
        return paths, frozenset(self.used_aliases)

    def _split(self) -> None:
        text, at = self.text, 0
        if not text.strip():
            raise InvalidError(f"Invalid {self.kind}: The expression can not be empty;")
        end = len(text.rstrip())
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None:
                raise self._bad(text[at:].lstrip()[:1], at)
            kind = str(match.lastgroup)
            self.tokens.append((kind, match.group(kind), match.start(kind)))
            at = match.end()

    def _bad(self, token: str, at: int) -> InvalidError:
        near = self.text[max(0, at - 10) : at + len(token) + 10].strip()
        return InvalidError(f'Invalid {self.kind}: Syntax error; token: "{token}", near: "{near}"')

    def _unexpected(self) -> InvalidError:
        if self.at < len(self.tokens):
            return self._bad(self.tokens[self.at][1], self.tokens[self.at][2])
        return self._bad("<EOF>", len(self.text))

    def _word(self) -> str:
        """The token ahead, keywords in capitals; nothing at the end."""
        if self.at >= len(self.tokens):
            return ""
        kind, text, _ = self.tokens[self.at]
        upper = text.upper()
        return upper if kind == "name" and upper in KEYWORDS else text

    def _takes(self, word: str) -> bool:
        if self._word() != word:
            return False
        self.at += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._takes(word):
            raise self._unexpected()

    def _either(self) -> Test:
        test = self._all()
        while self._takes("OR"):
            test = Both("OR", test, self._all())
        return test

    def _all(self) -> Test:
        test = self._one()
        while self._takes("AND"):
            test = Both("AND", test, self._one())
        return test

    def _one(self) -> Test:
        if self._takes("NOT"):
            return Not(self._one())
        if self._word() == "(":
            return self._parenthesis()
        ahead = self.tokens[self.at + 1][1] if self.at + 1 < len(self.tokens) else ""
        if ahead == "(" and self._word() != "size":
            return self._call()
        return self._comparison()

    def _parenthesis(self) -> Test:
        self._expect("(")
        begins = self.at
        test = self._either()
        is_wrapped = self.tokens[begins][1] == "(" and self._closes_at(begins) == self.at - 1
        if is_wrapped and self._word() == ")" and self.kind != "KeyConditionExpression":
            raise InvalidError(f"Invalid {self.kind}: The expression has redundant parentheses;")
        self._expect(")")
        return test

    def _closes_at(self, begins: int) -> int:
        depth = 0
        for at in range(begins, len(self.tokens)):
            depth += {"(": 1, ")": -1}.get(self.tokens[at][1], 0)
            if depth == 0:
                return at
        return -1

    def _call(self) -> Test:
        name = self.tokens[self.at][1]
        if name not in FUNCTIONS:
            raise InvalidError(f"Invalid {self.kind}: Invalid function name; function: {name}")
        self.at += 2
        operands = [self._operand()]
        while self._takes(","):
            operands.append(self._operand())
        self._expect(")")
        if len(operands) != FUNCTIONS[name]:
            raise InvalidError(
                f"Invalid {self.kind}: Incorrect number of operands for operator or function; "
                f"operator or function: {name}, number of operands: {len(operands)}"
            )
        if name.endswith("exists") and not isinstance(operands[0], Path):
            raise InvalidError(
                f"Invalid {self.kind}: Operator or function requires a document path; "
                f"operator or function: {name}"
            )
        if name == "attribute_type" and not isinstance(operands[1], Given):
            raise self._unexpected()
        if len(operands) > 1:
            self._check_distinct(name, operands[0], operands[1])
        return Call(name, tuple(operands))

    def _comparison(self) -> Test:
        left = self._operand()
        word = self._word()
        self.at += 1
        if word in COMPARATORS:
            return self._compare(word, left)
        if word == "BETWEEN":
            low = self._operand()
            self._expect("AND")
            return Between(left, low, self._operand())
        if word == "IN":
            self._expect("(")
            options = [self._operand()]
            while self._takes(","):
                options.append(self._operand())
            self._expect(")")
            return In(left, tuple(options))
        self.at -= 1
        raise self._unexpected()

    def _compare(self, comparator: str, left: Operand) -> Compare:
        right = self._operand()
        self._check_distinct(comparator, left, right)
        return Compare(comparator, left, right)

    def _check_distinct(self, operator: str, first: Operand, second: Operand) -> None:
        if first != second:
            return
        shown = ".".join(map(str, first.parts)) if isinstance(first, Path) else str(first)
        raise InvalidError(
            f"Invalid {self.kind}: The first operand must be distinct from the remaining "
            f"operands for this operator or function; operator: {operator}, "
            f"first operand: [{shown}]"
        )

    def _operand(self) -> Operand:
        if self.at < len(self.tokens):
            kind, text, _ = self.tokens[self.at]
            if kind == "value":
                self.at += 1
                self.used_values.add(text)
                return Given(text)
            followed = self.tokens[self.at + 1][1] if self.at + 1 < len(self.tokens) else ""
            if text == "size" and followed == "(":
                self.at += 2
                path = self._path()
                self._expect(")")
                return Size(path)
        return self._path()

    def _path(self) -> Path:
        parts: list[str | int] = [self._name()]
        while self._word() in (".", "["):
            if self._takes("."):
                parts.append(self._name())
                continue
            self.at += 1
            if self.at >= len(self.tokens) or self.tokens[self.at][0] != "number":
                raise self._unexpected()
            parts.append(int(self.tokens[self.at][1]))
            self.at += 1
            self._expect("]")
        return Path(tuple(parts))

    def _name(self) -> str:
        if self.at >= len(self.tokens):
            raise self._unexpected()
        kind, text, _ = self.tokens[self.at]
        if kind == "alias":
            self.at += 1
            self.used_aliases.add(text)
            if text not in self.aliases:
                raise InvalidError(
                    f"Invalid {self.kind}: An expression attribute name used in the document path "
                    f"is not defined; attribute name: {text}"
                )
            return self.aliases[text]
        if kind != "name" or text.upper() in KEYWORDS:
            raise self._unexpected()
        self.at += 1
        if text.upper() in RESERVED:
            raise InvalidError(
                f"Invalid {self.kind}: Attribute name is a reserved keyword; "
                f"reserved keyword: {text}"
            )
        return text
