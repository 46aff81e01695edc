"""GET /v1/accounts/{id}/live: where a page hears of its account's changes."""

from __future__ import annotations

from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.live import channels_at, moves_on_at
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.settings import read_settings

PROTOCOL = "aws-appsync-event-ws"
LIVE_ROUTE = "GET /v1/accounts/{id}/live"


def answer_live(request: Request) -> Response[str]:
    """The socket, the channel, and how long it is until they have to be asked for again.

    Shape: `url` and the rest are null where the stack has no live updates. `host` goes into every
    authorization that the socket is sent. `expires_in_s` is never behind the end of the token, and
    a span, not a moment, because a page's clock may be wrong by hours.
    Raises: as Request.account. Cost: none beyond the request.
    """
    account, settings = request.account(), read_settings()
    body: dict[str, object] = {"account": account, "protocol": PROTOCOL}
    if not settings.live_socket_url:
        nothing = {"url": None, "host": None, "channel": None, "expires_in_s": None}
        return Answer(body | nothing).to_response()
    ends_at = moves_on_at(account, request.now)
    token_ends_at = request.principal().expires_at
    body["url"] = settings.live_socket_url
    body["host"] = urlsplit(settings.live_publish_url).netloc
    body["channel"] = channels_at(account, request.now)[0]
    left = min(ends_at, token_ends_at or ends_at) - request.now
    body["expires_in_s"] = max(1, int(left.total_seconds()))
    return Answer(body).to_response()
