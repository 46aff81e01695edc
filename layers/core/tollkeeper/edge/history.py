"""An account's history as JSON or CSV."""

from __future__ import annotations

from urllib.parse import quote

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.errors import InvalidError
from tollkeeper.edge.answers import show_listed
from tollkeeper.edge.bodies import HistoryQuery
from tollkeeper.edge.csv_export import answer_csv, wants_csv, write_csv
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.members import MOST_CSV_ROWS, MOST_ROWS, USUAL_ROWS
from tollkeeper.service.history import read_history
from tollkeeper.service.ports import World


def answer_history(world: World, request: Request) -> Response[str]:
    """A page of history; the next one is named by `next_cursor`, or by a Link header for CSV.

    Raises: InvalidError.
    """
    query = request.query(HistoryQuery)
    if wants_csv(request.headers):
        return _answer_csv(world, request, query)
    limit = query.limit or USUAL_ROWS
    if limit > MOST_ROWS:
        raise InvalidError("limit", f"must be a whole number from 1 to {MOST_ROWS}, unless as CSV")
    page = read_history(world, request.account(), cursor=query.cursor, limit=limit)
    cursor = None if page.next_seq is None else str(page.next_seq)
    entries = [show_listed(entry) for entry in page.entries]
    return Answer({"entries": entries, "next_cursor": cursor}).to_response()


def _answer_csv(world: World, request: Request, query: HistoryQuery) -> Response[str]:
    account = request.account()
    limit = query.limit or MOST_CSV_ROWS
    page = read_history(world, account, cursor=query.cursor, limit=limit)
    text, written = write_csv(page.entries)
    next_seq = page.next_seq if written == len(page.entries) else page.entries[written - 1].seq
    if next_seq is None:
        return answer_csv("entries", text)
    path = quote(str(request.event.get("rawPath", "")))
    link = f'<{path}?cursor={next_seq}&limit={limit}>; rel="next"'
    return answer_csv("entries", text, {"Link": link})
