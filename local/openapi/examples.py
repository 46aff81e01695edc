"""The examples of docs/api.md, which a test sends: the document shows the same ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from tollkeeper.edge.routes import API_ROUTES

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
BLOCK = re.compile(r"^```http\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WILD = "…"


@dataclass
class Examples:
    """Bodies of requests, and bodies of answers by status and by the request's number."""

    bodies: list[Any] = field(default_factory=list[Any])
    answers: dict[int, list[Any]] = field(default_factory=dict[int, list[Any]])


def read_examples() -> dict[str, Examples]:
    """The page's examples by route, in its order."""
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    found: dict[str, Examples] = {}
    for asked, answered in zip(blocks[::2], blocks[1::2], strict=True):
        line, body = _read(asked)
        route = find_route(line)
        status, answer = _read(answered)
        examples = found.setdefault(route, Examples())
        if body is not None:
            examples.bodies.append(body)
        if answer is not None:
            examples.answers.setdefault(int(status.split()[1]), []).append(answer)
    return found


def find_route(line: str) -> str:
    """The route of a request line. Raises: KeyError where there is none."""
    method, target = line.split(" ")
    path = urlsplit(target).path
    for route in API_ROUTES:
        pattern = re.sub(r"\{\w+\}", "[^/]+", route)
        if re.fullmatch(pattern, f"{method} {path}"):
            return route
    raise KeyError(f"docs/api.md shows {line}, which is no route")


def _read(block: str) -> tuple[str, Any]:
    """The first line, and the JSON below the headers; None where there is none."""
    head, _, body = block.partition("\n\n")
    line = head.splitlines()[0]
    return line, _without_wild(json.loads(body)) if body.startswith("{") else None


def _without_wild(value: Any) -> Any:
    """The value without the `…` that stands for more rows."""
    match value:
        case dict():
            members = cast("dict[str, Any]", value)
            return {name: _without_wild(member) for name, member in members.items()}
        case list():
            return list(_rows(cast("list[Any]", value)))
        case _:
            return value


def _rows(rows: list[Any]) -> Iterator[Any]:
    return (_without_wild(row) for row in rows if row != WILD)
