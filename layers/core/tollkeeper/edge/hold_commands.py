"""Requests about holds as what the use cases work with, one reader per route."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import AccountId, hold_key
from tollkeeper.domain.errors import InvalidError
from tollkeeper.edge.bodies import ExtendBody, HoldBody, ReleaseBody, SettleBody
from tollkeeper.edge.commands import read_keyed
from tollkeeper.edge.http import Request
from tollkeeper.service.charging import Keyed, RunRequest
from tollkeeper.service.holding import HoldRequest, SettleRequest


def read_open(request: Request, catalog: Catalog) -> tuple[RunRequest, Keyed, timedelta]:
    """The run to hold for, the hold's own key, and how long it stays open.

    Raises: MalformedError, InvalidError, UnauthorizedError, ForbiddenError.
    """
    body, members = request.body(HoldBody)
    keyed = _read_own_key(request, body, members)
    return body.to_run(catalog), keyed, timedelta(seconds=body.expires_in_s)


def _read_own_key(request: Request, body: HoldBody, members: dict[str, object]) -> Keyed:
    """Who asks, and the hold's own key: its id, or the caller's idempotency key.

    Raises: MalformedError without either, InvalidError where they differ.
    """
    actor = request.principal().name
    header = request.headers.get("idempotency-key")
    if body.hold_id is None:
        hold_id = request.key().removeprefix("c#")
    elif header is not None and header != body.hold_id:
        raise InvalidError("hold_id", "must equal the Idempotency-Key where both are sent")
    else:
        hold_id = body.hold_id
    asked = {name: member for name, member in members.items() if name != "hold_id"}
    digest = request.hash_of(body.account, asked)
    return Keyed(hold_key(hold_id, "open"), digest, actor)


def read_settle(request: Request) -> tuple[SettleRequest, Keyed]:
    """What the call used. The last settle needs no header; a part has a key of its own.

    Raises: as read_open.
    """
    body, members = request.body(SettleBody)
    if body.final:
        keyed = _read_step(request, body.account, members, "settle")
    else:
        keyed = read_keyed(request, body.account, members)
    return body.to_settle(request.hold()), keyed


def read_release(request: Request) -> tuple[HoldRequest, Keyed]:
    """The hold that is given back whole. Raises: as read_open."""
    body, members = request.body(ReleaseBody)
    keyed = _read_step(request, body.account, members, "release")
    asked = HoldRequest(AccountId(body.account), request.hold(), reason=body.reason or "")
    return asked, keyed


def read_extend(request: Request) -> tuple[HoldRequest, Keyed]:
    """The hold that is to stay open for longer. Raises: as read_open."""
    body, members = request.body(ExtendBody)
    keyed = read_keyed(request, body.account, members)
    stays = timedelta(seconds=body.expires_in_s)
    return HoldRequest(AccountId(body.account), request.hold(), stays=stays), keyed


def _read_step(
    request: Request, account: str, members: dict[str, object], step: Literal["settle", "release"]
) -> Keyed:
    """Who asks, and the key of that step of the hold in the path, which needs no header."""
    actor = request.principal().name
    digest = request.hash_of(account, members)
    return Keyed(hold_key(request.hold(), step), digest, actor)
