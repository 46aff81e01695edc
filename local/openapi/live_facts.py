"""What the document says about live updates."""

from __future__ import annotations

from local.openapi.facts import READING, Facts
from local.openapi.schemas import COUNT, TEXT, Schema, or_null, record, said
from tollkeeper.edge.live import LIVE_ROUTE

LIVE_FACTS: dict[str, Facts] = {
    LIVE_ROUTE: Facts(
        operation="findLive",
        tag=READING,
        summary="Where a page hears of the account's changes at once",
        notes="The protocol is that of AWS AppSync Events: docs/live.md.",
        answers={200: ("Live",)},
    ),
}

LIVE_ANSWERS: dict[str, Schema] = {
    "Live": record(
        account=TEXT,
        protocol=said(TEXT, "The WebSocket subprotocol"),
        url=said(or_null(TEXT), "The socket; null where the stack has no live updates"),
        host=said(or_null(TEXT), "Goes into every authorization that the socket is sent"),
        channel=or_null(TEXT),
        expires_in_s=said(or_null(COUNT), "Then both are asked for again"),
    ),
}
