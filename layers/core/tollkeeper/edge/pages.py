"""Pages of lists in parts over HTTP: which one is asked for, and where the next one begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.url_safe import from_url_safe, to_url_safe
from tollkeeper.edge.bodies import QuarantineQuery
from tollkeeper.edge.http import Answer, Request
from tollkeeper.service.part_lists import PartPage, Place, Row


def read_asked(request: Request, *, parts: int) -> tuple[int, Place | None]:
    """How many rows are asked for, and from where in a list of so many parts.

    Raises: InvalidError.
    """
    query = request.query(QuarantineQuery)
    return query.limit, None if query.cursor is None else read_place(query.cursor, parts)


def answer_page(
    name: str, page: PartPage[Row], show: Callable[[Row], dict[str, Any]]
) -> Response[str]:
    """The page's rows under that name, and the cursor of the next one."""
    cursor = None if page.next_place is None else show_place(*page.next_place)
    body = {name: [show(row) for row in page.rows], "next_cursor": cursor}
    return Answer(body).to_response()


def show_place(part: int, after: str) -> str:
    """A place in the list as a cursor."""
    return to_url_safe(f"{part}#{after}".encode())


def read_place(cursor: str, parts: int) -> Place:
    """The place that the cursor says, in a list of so many parts. Raises: InvalidError."""
    try:
        part, hash_sign, after = from_url_safe(cursor).decode().partition("#")
    except ValueError:
        part, hash_sign, after = "", "", ""
    is_part = part in {str(each) for each in range(parts)}
    if not hash_sign or not is_part or show_place(int(part), after) != cursor:
        raise InvalidError("cursor", "is not one that a page gave out")
    return int(part), after
