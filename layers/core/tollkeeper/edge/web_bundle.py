"""ES modules joined into one file as they are read: a page asks once in place of twenty times.

Why: what is served stays what stands in the repository, with nothing to build before a deploy,
and yet a first visit wakes one instance of the function and packs better than many small files.
Each module becomes a function of its own, so that its names stay its own, and what only its
readers need is left out. What a module may look like is a small part of the language, and anything
else is refused: tests join every module that is shipped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tollkeeper.edge.web_squeeze import squeeze

NAMED = r"\{\s*([\w$\s,]*?)\s*,?\s*\}"
FROM = r"""\s*from\s*["']\./([\w-]+\.js)["'];?"""
IMPORT = re.compile(rf"^import\s*{NAMED}{FROM}$", re.MULTILINE)
IMPORT_ALONE = re.compile(r"""^import\s*["']\./([\w-]+\.js)["'];?$""", re.MULTILINE)
EXPORT_FROM = re.compile(rf"^export\s*{NAMED}{FROM}$", re.MULTILINE)
EXPORT_ALL = re.compile(rf"^export\s*\*{FROM}$", re.MULTILINE)
EXPORT_NAMES = re.compile(rf"^export\s*{NAMED};?$", re.MULTILINE)
EXPORT = re.compile(
    r"^export\s+((?:async\s+)?function\*?|class|const|let)\s+([\w$]+)", re.MULTILINE
)
LEFT_OVER = re.compile(r"^(?:import\b(?!\()|export\b|await\b).*", re.MULTILINE)


class BundleError(Exception):
    """A module has a form that cannot be joined; the sentence names the place."""


def join_modules(sources: Mapping[str, bytes], entry: str) -> bytes:
    """One module that does and exports what `entry` does, with all that it imports inside.

    Raises: BundleError for a module that is not there, or a form that is not known here.
    """
    bundle = _Bundle(sources)
    names = bundle.add(entry)
    parts = [*bundle.parts]
    if names:
        parts.append(f"export const {{{','.join(sorted(names))}}}={_variable(entry)};")
    return squeeze("\n".join(parts)).encode()


def _variable(name: str) -> str:
    """What a module's exports are called in the joined file."""
    return "$" + name.removesuffix(".js").replace("-", "_")


class _Bundle:
    """Modules in the order in which they run, each after what it imports."""

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        self._sources = sources
        self._exports: dict[str, frozenset[str] | None] = {}
        self.parts: list[str] = []

    def add(self, name: str) -> frozenset[str]:
        """The module is in the joined file; answers the names that it exports."""
        if name in self._exports:
            known = self._exports[name]
            if known is None:
                raise BundleError(f"{name} imports itself, by way of others")
            return known
        if name not in self._sources:
            raise BundleError(f"there is no {name}")
        self._exports[name] = None
        text = self._sources[name].decode()
        exported: dict[str, str] = {}
        text = self._take_others(text, exported)
        for pattern in (EXPORT, EXPORT_NAMES):
            for found in pattern.finditer(text):
                exported |= self._own_names(found)
        text = EXPORT_NAMES.sub("", EXPORT.sub(r"\1 \2", text))
        left = LEFT_OVER.search(text)
        if left:
            raise BundleError(f"{name}: {left.group(0)[:80]!r} cannot be joined")
        answer = ",".join(
            each if value == each else f"{each}:{value}" for each, value in sorted(exported.items())
        )
        self.parts.append(f"const {_variable(name)}=(()=>{{\n{text}\nreturn{{{answer}}}}})();")
        self._exports[name] = frozenset(exported)
        return frozenset(exported)

    def _take_others(self, text: str, exported: dict[str, str]) -> str:
        """The text with its imports as variables; `exported` has what it hands on."""
        for found in EXPORT_FROM.finditer(text):
            self.add(found.group(2))
            for own, other in _pairs(found.group(1)):
                exported[other] = f"{_variable(found.group(2))}.{own}"
        for found in EXPORT_ALL.finditer(text):
            variable = _variable(found.group(1))
            exported |= {each: f"{variable}.{each}" for each in self.add(found.group(1))}
        for found in (*IMPORT.finditer(text), *IMPORT_ALONE.finditer(text)):
            self.add(found.group(found.re.groups))
        text = EXPORT_ALL.sub("", EXPORT_FROM.sub("", IMPORT_ALONE.sub("", text)))
        return IMPORT.sub(_as_variables, text)

    @staticmethod
    def _own_names(found: re.Match[str]) -> dict[str, str]:
        if found.re is EXPORT:
            return {found.group(2): found.group(2)}
        return {other: own for own, other in _pairs(found.group(1))}


def _pairs(names: str) -> list[tuple[str, str]]:
    """`a, b as c` as (a, a), (b, c)."""
    parts = [each.split() for each in names.split(",") if each.strip()]
    return [(part[0], part[-1]) for part in parts]


def _as_variables(found: re.Match[str]) -> str:
    names = [own if own == other else f"{own}:{other}" for own, other in _pairs(found.group(1))]
    return f"const {{{','.join(names)}}}={_variable(found.group(2))};"
