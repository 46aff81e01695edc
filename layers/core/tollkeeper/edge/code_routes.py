"""Promo codes over HTTP."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.codes import CODE, PromoCode, Redeem, parse_code
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.url_safe import from_url_safe, to_url_safe
from tollkeeper.edge.answers import answer_entry
from tollkeeper.edge.commands import read_keyed
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.observability import log_fact, log_outcome
from tollkeeper.edge.top_up_bodies import CodeBody, CodesQuery, RedeemBody
from tollkeeper.edge.wire import Amount
from tollkeeper.service.ports import World
from tollkeeper.service.redeeming import end_code, list_codes, make_code, redeem


def answer_codes(world: World, request: Request) -> Response[str]:
    """Codes are listed, made or ended, by the request's method.

    Raises: MalformedError, InvalidError, IdempotencyMismatchError, CodeExistsError,
    UnknownCodeError.
    """
    method = request.route_key.partition(" ")[0]
    return {"POST": _answer_made, "DELETE": _answer_ended}.get(method, _answer_list)(world, request)


def _answer_made(world: World, request: Request) -> Response[str]:
    body, members = request.body(CodeBody)
    keyed = read_keyed(request, "", members)
    made = make_code(
        world,
        PromoCode(
            code=parse_code(body.code),
            credits_microcredits=body.credits,
            created_at=world.clock.now(),
            created_by=keyed.actor,
            reason=body.reason,
            most_redemptions=body.most_redemptions,
            expires_at=body.expires_at,
            grant_days=body.grant_days,
            plans=tuple(sorted(set(body.plans))),
            request_hash=keyed.request_hash,
        ),
        keyed.key,
    )
    log_fact("code made", code=made.code.code, by=keyed.actor, was_replayed=made.was_replayed)
    answer = Answer(show_code(made.code), status=201, was_replayed=made.was_replayed)
    return answer.to_response()


def _answer_list(world: World, request: Request) -> Response[str]:
    query = request.query(CodesQuery)
    after = "" if query.cursor is None else read_place(query.cursor)
    page = list_codes(world, limit=query.limit, after=after)
    cursor = show_place(page.next_after) if page.next_after else None
    codes = [show_code(each) for each in page.codes]
    return Answer({"codes": codes, "next_cursor": cursor}).to_response()


def _answer_ended(world: World, request: Request) -> Response[str]:
    by = request.principal().name
    code = end_code(world, request.path("code"))
    log_fact("code ended", code=code.code, by=by)
    return Answer(show_code(code)).to_response()


def answer_redeem(world: World, request: Request) -> Response[str]:
    """The account has the code's credits, once.

    Raises: MalformedError, InvalidError, and as redeem.
    """
    body, members = request.body(RedeemBody)
    account = request.account()
    keyed = read_keyed(request, account, {**members, "code": parse_code(body.code)})
    command = Redeem(
        key=keyed.key,
        request_hash=keyed.request_hash,
        reason="",
        actor=keyed.actor,
        code=parse_code(body.code),
    )
    outcome = redeem(world, account, command)
    log_outcome("code redeemed", outcome)
    return answer_entry(outcome, status=201).to_response()


def show_code(code: PromoCode) -> dict[str, Any]:
    """The code as its maker sees it."""
    return {
        "code": code.code,
        "credits": Amount(code.credits_microcredits),
        "reason": code.reason,
        "is_active": code.is_active,
        "redemptions": code.redemptions,
        "most_redemptions": code.most_redemptions,
        "expires_at": None if code.expires_at is None else code.expires_at.isoformat(),
        "grant_days": code.grant_days,
        "plans": list(code.plans),
        "created_at": code.created_at.isoformat(),
        "created_by": code.created_by,
    }


def show_place(code: str) -> str:
    """A place in the list as a cursor."""
    return to_url_safe(code.encode())


def read_place(cursor: str) -> str:
    """The place that the cursor says. Raises: InvalidError."""
    try:
        code = from_url_safe(cursor).decode("ascii")
    except ValueError:
        code = ""
    if CODE.fullmatch(code) is None or show_place(code) != cursor:
        raise InvalidError("cursor", "is not one that a page gave out")
    return code
