"""JavaScript without what only its readers need: comments, indentation, spaces around signs.

Names and statements stay as they are written, and so do texts, but for the indentation of those
over several lines, which are style sheets. What the modules do is tested on what this answers.
"""

from __future__ import annotations

import re

SPACE = re.compile(r"\s+")
WORD = re.compile(r"[\w$#]+")
RULE_END = re.compile(r"\s*([{};])\s*")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
PATTERN = re.compile(r"/(?![/*])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/\w*")
PLAIN_TEXT = {quote: re.compile(rf"{quote}(?:[^{quote}\\]|\\.)*{quote}") for quote in "\"'"}
# After these a slash begins a pattern; anywhere else it divides.
BEFORE_PATTERN = frozenset("(,=:[!&|?{};>")
# Beside these a line's end means nothing, so it may go.
OPENING, CLOSING = frozenset("{([,;"), frozenset("}]),;.")


class UnendedError(Exception):
    """A text, comment or pattern does not end."""


def squeeze(source: str) -> str:
    """The same program in fewer letters. Raises: UnendedError. Cost: linear in the source."""
    kept: list[str] = []
    last, gap, at = "", "", 0
    while at < len(source):
        space = SPACE.match(source, at)
        if space:
            gap = "\n" if gap == "\n" or "\n" in space.group() else " "
            at = space.end()
        elif source.startswith(("//", "/*"), at):
            at = _end_of(COMMENT, source, at)
        else:
            end = _token_end(source, at, last)
            token = source[at:end]
            if token[0] == "`" and "\n" in token:
                token = _bare_sheet(token)
            kept += (_needed(gap, last, token), token)
            last, gap, at = token, "", end
    return "".join(kept) + "\n"


def _bare_sheet(text: str) -> str:
    """A style sheet without its indentation, and without spaces around what parts its rules."""
    lines = "\n".join(line.strip() for line in text.splitlines())
    return lines if "${" in lines else RULE_END.sub(r"\1", lines)


def _needed(gap: str, last: str, token: str) -> str:
    """What must stay between two tokens where the source has a gap."""
    if not last or not gap:
        return ""
    if gap == "\n":
        return "" if last[-1] in OPENING or token[0] in CLOSING else "\n"
    both_words = WORD.fullmatch(last[-1]) and WORD.fullmatch(token[0])
    both_signs = last[-1] == token[0] and token[0] in "+-/"
    return " " if both_words or both_signs else ""


def _token_end(source: str, at: int, last: str) -> int:
    """Where the token that begins here ends."""
    first = source[at]
    if first in PLAIN_TEXT:
        return _end_of(PLAIN_TEXT[first], source, at)
    if first == "`":
        return _template_end(source, at)
    if first == "/" and (last == "return" or last[-1:] in BEFORE_PATTERN):
        return _end_of(PATTERN, source, at)
    word = WORD.match(source, at)
    return word.end() if word else at + 1


def _template_end(source: str, at: int) -> int:
    """Where the template ends, with templates inside of it."""
    at += 1
    depth = 0
    while at < len(source):
        here = source[at]
        if here == "\\":
            at += 1
        elif depth and here in "\"'`":
            at = _token_end(source, at, "") - 1
        elif source.startswith("${", at):
            at, depth = at + 1, depth + 1
        elif depth and here in "{}":
            depth += 1 if here == "{" else -1
        elif not depth and here == "`":
            return at + 1
        at += 1
    raise UnendedError("a template does not end")


def _end_of(pattern: re.Pattern[str], source: str, at: int) -> int:
    found = pattern.match(source, at)
    if found is None:
        raise UnendedError(f"{source[at : at + 60]!r} does not end")
    return found.end()
