"""Where a key stands in a TOML text that is known to be right: for people who have to change it."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence

Place = tuple[str | int, ...]

_SPACE = " \t"
_SKIPPED = " \t\r\n,"
_QUOTES = ('"""', "'''", '"', "'")


def find_line(text: str, place: Sequence[str | int]) -> int:
    """The line of that key, or else of the nearest table or key that it would stand in.

    Shape: the first line is 1, the same as of a key that stands nowhere.
    """
    lines = read_lines(text)
    here = tuple(place)
    while here and here not in lines:
        here = here[:-1]
    return lines.get(here, 1)


def read_lines(text: str) -> dict[Place, int]:
    """The line of every key, table and entry of a list."""
    return _Reader(text).read()


class _Reader:
    """One pass over the text. Why: tomllib tells what a text says, and not where."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._line, self._counted = 1, 0
        self._lines: dict[Place, int] = {}
        self._entries: dict[Place, int] = {}

    def read(self) -> dict[Place, int]:
        table: Place = ()
        while self._skip(_SKIPPED):
            if self._text[self._at] == "[":
                table = self._read_header()
            else:
                self._read_pair(table)
        return self._lines

    def _skip(self, characters: str) -> bool:
        """Whether anything is left after these characters and after comments."""
        text = self._text
        while self._at < len(text):
            if text[self._at] == "#" and "\n" in characters:
                end = text.find("\n", self._at)
                self._at = len(text) if end < 0 else end
            elif text[self._at] in characters:
                self._at += 1
            else:
                return True
        return False

    def _note(self, place: Place) -> None:
        """The place stands on this line, unless it stands above already."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        self._lines.setdefault(place, self._line)

    def _read_header(self) -> Place:
        """The table that begins here: of a list of tables, its next entry."""
        is_entry = self._text.startswith("[[", self._at)
        self._at += 2 if is_entry else 1
        start = self._at
        names = self._read_names("]")
        end, self._at = self._at, start
        place: list[str | int] = []
        for index, name in enumerate(names):
            place.append(name)
            self._note(tuple(place))
            if is_entry and index + 1 == len(names):
                self._entries[tuple(place)] = self._entries.get(tuple(place), -1) + 1
            if tuple(place) in self._entries:
                place.append(self._entries[tuple(place)])
                self._note(tuple(place))
        self._at = end + (2 if is_entry else 1)
        return tuple(place)

    def _read_names(self, end: str) -> list[str]:
        """The names of a dotted key, up to what ends it."""
        names: list[str] = []
        while self._skip(_SPACE + ".") and self._text[self._at] != end:
            names.append(self._read_name(end))
        return names

    def _read_name(self, end: str) -> str:
        start = self._at
        if self._text[self._at] in "\"'":
            self._skip_text()
            return str(tomllib.loads(f"name = {self._text[start : self._at]}")["name"])
        while self._text[self._at] not in f"{end}. \t":
            self._at += 1
        return self._text[start : self._at]

    def _read_pair(self, table: Place) -> None:
        """A key and its value. Why: a dotted key names the tables that it stands in, too."""
        start = self._at
        names = self._read_names("=")
        end, self._at = self._at, start
        place = table
        for name in names:
            place = (*place, name)
            self._note(place)
        self._at = end + 1
        self._read_value(place)

    def _read_value(self, place: Place) -> None:
        self._skip(_SPACE)
        opening = self._text[self._at]
        if opening in "\"'":
            self._skip_text()
        elif opening == "[":
            self._read_list(place)
        elif opening == "{":
            self._at += 1
            while self._skip(_SKIPPED) and self._text[self._at] != "}":
                self._read_pair(place)
            self._at += 1
        else:
            while self._at < len(self._text) and self._text[self._at] not in ",]}#\n":
                self._at += 1

    def _read_list(self, place: Place) -> None:
        self._at += 1
        index = 0
        while self._skip(_SKIPPED) and self._text[self._at] != "]":
            self._note((*place, index))
            self._read_value((*place, index))
            index += 1
        self._at += 1

    def _skip_text(self) -> None:
        """What stands in quotes is behind: one line of it, or several."""
        text = self._text
        quote = next(each for each in _QUOTES if text.startswith(each, self._at))
        self._at += len(quote)
        while not text.startswith(quote, self._at):
            self._at += 2 if text[self._at] == "\\" and quote[0] == '"' else 1
        self._at += len(quote)
        while len(quote) == 3 and self._at < len(text) and text[self._at] == quote[0]:
            self._at += 1
