"""Customer tokens over HTTP: how a backend lets its user's browser see one account."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.errors import ForbiddenError, InvalidError
from tollkeeper.edge.access import NOBODYS
from tollkeeper.edge.authorization import gatehouse
from tollkeeper.edge.bodies import TokenBody
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.observability import log_fact
from tollkeeper.service.tokens import mint_token, plan_token


def answer_mint(request: Request) -> Response[str]:
    """A token of the account's user. Nothing is kept of it.

    Raises: MalformedError, InvalidError, UnauthorizedError, ForbiddenError.
    """
    principal = request.principal()
    if not principal.key_id:
        raise ForbiddenError("Only a service key mints tokens.")
    body, _ = request.body(TokenBody)
    if body.account in NOBODYS:
        raise InvalidError("account", "is one that no browser can ask for")
    house = gatehouse()
    planned = plan_token(
        house,
        AccountId(body.account),
        key_id=principal.key_id,
        life_s=body.expires_in_s,
        key_ends_at=principal.expires_at,
    )
    minted = mint_token(house, planned)
    log_fact("token minted", account=body.account, by=principal.name)
    site = read_site(request)
    answer = {
        "token": minted.text,
        "account": body.account,
        "expires_at": planned.expires_at.isoformat(),
        "page_url": f"{site}/#token={minted.text}" if site else None,
    }
    return Answer(answer, status=201).to_response()


def read_site(request: Request) -> str:
    """Where this API is, as the request reached it; an empty text where that is not known."""
    host = request.headers.get("host", "")
    if not host:
        return ""
    scheme = "http" if request.headers.get("x-forwarded-proto") == "http" else "https"
    path = str(request.event.get("rawPath", ""))
    return f"{scheme}://{host}{path.removesuffix(request.route_key.partition(' ')[2])}"
