"""Operator requests as commands, one per route."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from tollkeeper.domain.budgets import CloseBudget, Fund
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entitlements import Entitle
from tollkeeper.domain.entries import (
    AccountId,
    EntryKey,
    EntryKind,
    caller_key,
    parse_id,
    read_key,
)
from tollkeeper.domain.errors import ForbiddenError, InvalidError
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.limits import WIRE_NAMES, Level, SetLimits
from tollkeeper.domain.operating import (
    Adjust,
    ChangePlan,
    ChangeProfile,
    ChangeStanding,
    Command,
    GiveGrant,
)
from tollkeeper.edge.bodies import (
    AdjustmentBody,
    BudgetBody,
    GrantBody,
    LimitsBody,
    PlanBody,
    ProfileBody,
    RefundBody,
    StandingBody,
    VoidBody,
    read_plan,
)
from tollkeeper.edge.checkout_bodies import EntitlementsBody
from tollkeeper.edge.http import Request
from tollkeeper.edge.settings import read_settings
from tollkeeper.service.charging import GiveBackRequest, Keyed

Reader = Callable[[Request, Catalog], Command]


def read_command(request: Request, catalog: Catalog) -> Command:
    """The command that this route's body asks for.

    Raises: MalformedError, InvalidError, UnauthorizedError, ForbiddenError.
    """
    return READERS[request.route_key](request, catalog)


def read_keyed(request: Request, account: str, members: dict[str, object]) -> Keyed:
    """Who asks, the key, and the digest of what is asked.

    Raises: MalformedError without a key; UnauthorizedError, ForbiddenError.
    """
    actor = request.principal().name
    return Keyed(request.key(), request.hash_of(account, members), actor)


def _read_grant(request: Request, _: Catalog) -> GiveGrant:
    body, members = request.body(GrantBody)
    keyed = read_keyed(request, request.account(), members)
    return GiveGrant(
        key=keyed.key,
        request_hash=keyed.request_hash,
        reason=body.reason,
        actor=keyed.actor,
        amount_microcredits=body.amount,
        kind=GrantKind(body.kind),
        priority=body.priority,
        effective_at=body.effective_at,
        expires_at=body.expires_at,
    )


def _read_adjustment(request: Request, _: Catalog) -> Adjust:
    body, members = request.body(AdjustmentBody)
    keyed = read_keyed(request, request.account(), members)
    return Adjust(
        key=keyed.key,
        request_hash=keyed.request_hash,
        reason=body.reason,
        actor=keyed.actor,
        delta_microcredits=body.amount,
    )


def _read_plan_change(request: Request, catalog: Catalog) -> ChangePlan:
    body, members = request.body(PlanBody)
    keyed = read_put(request, members)
    plan = read_plan(body.plan, body.role, catalog)
    if plan is None:
        raise InvalidError("plan", "is missing")
    return ChangePlan(
        key=keyed.key,
        request_hash=keyed.request_hash,
        reason=body.reason or "",
        actor=keyed.actor,
        plan=plan,
        anchor=body.anchor,
        at_period_end=body.at == "period_end",
    )


def _read_entitlements(request: Request, _: Catalog) -> Entitle:
    body, members = request.body(EntitlementsBody)
    keyed = read_put(request, members)
    return Entitle(
        key=keyed.key,
        request_hash=keyed.request_hash,
        reason=body.reason or "",
        actor=keyed.actor,
        features=tuple(sorted(set(body.features))),
    )


def _read_profile(request: Request, _: Catalog) -> ChangeProfile:
    body, members = request.body(ProfileBody)
    keyed = read_put(request, members)
    if body.zone is None and body.name is None:
        raise InvalidError("body", "must name a zone or a name")
    return ChangeProfile(
        key=keyed.key,
        request_hash=keyed.request_hash,
        reason=body.reason or "",
        actor=keyed.actor,
        zone=body.zone,
        name=body.name,
    )


def _read_limits(request: Request, _: Catalog) -> SetLimits:
    body, members = request.body(LimitsBody)
    keyed = read_put(request, members)
    named = body.model_fields_set
    if not named & {*WIRE_NAMES.values(), "alert_thresholds", "low_balance"}:
        raise InvalidError("body", "must name a limit, alert_thresholds or low_balance")
    thresholds = None if body.alert_thresholds is None else tuple(body.alert_thresholds)
    return SetLimits(
        key=keyed.key,
        request_hash=keyed.request_hash,
        reason=body.reason or "",
        actor=keyed.actor,
        level=_level(request, body),
        limits=_read_named(body),
        thresholds=(thresholds,) if "alert_thresholds" in named else None,
        low_balance=(body.low_balance,) if "low_balance" in named else None,
    )


def _level(request: Request, body: LimitsBody) -> Level:
    """Who sets the limits: of a user's own token that is always the user.

    Raises: ForbiddenError where this stack lets no user do so.
    """
    if request.principal().account is None:
        return body.set_by
    if read_settings().user_limits == "off":
        raise ForbiddenError("Limits are set by the operator alone.")
    return "user"


def _read_named(body: LimitsBody | BudgetBody) -> tuple[tuple[str, int | None], ...]:
    """The limits that the body names; what it does not name stays as it is."""
    named = body.model_fields_set
    return tuple((word, getattr(body, name)) for word, name in WIRE_NAMES.items() if name in named)


def read_fund(request: Request) -> tuple[AccountId, Fund]:
    """The account that funds, and the budget that it funds. Raises: as read_command."""
    body, members = request.body(BudgetBody)
    account = request.account()
    keyed = read_keyed(request, account, members)
    command = Fund(
        key=keyed.key,
        request_hash=keyed.request_hash,
        reason=body.reason or "",
        actor=keyed.actor,
        budget=AccountId(body.budget),
        amount_microcredits=body.amount,
        limits=_read_named(body),
    )
    return account, command


def read_close_budget(request: Request) -> tuple[AccountId, CloseBudget]:
    """The account, and its budget that ends. The body may be empty. Raises: as read_command."""
    reason, members = _read_reason(request)
    account = request.account()
    keyed = read_keyed(request, account, members)
    budget = AccountId(parse_id(request.path("budget"), "budget"))
    command = CloseBudget(keyed.key, keyed.request_hash, reason, keyed.actor, budget=budget)
    return account, command


def _read_reason(request: Request) -> tuple[str, dict[str, object]]:
    """The reason in a body that may be empty, and the members that were sent."""
    if not request.raw_body().strip():
        return "", {}
    body, members = request.body(VoidBody)
    return body.reason or "", members


def read_put(request: Request, members: dict[str, object]) -> Keyed:
    """The key of a PUT; one without a key gets one of its own for this request.

    Why: a PUT that finds what it asks for changes nothing, so it is safe to repeat without.
    """
    account = request.account()
    if "idempotency-key" in request.headers:
        return read_keyed(request, account, members)
    own = str(request.event.get("requestContext", {}).get("requestId", ""))
    own_digest = hashlib.sha256(own.encode()).hexdigest()[:32]
    digest = request.hash_of(account, members)
    return Keyed(caller_key(f"put:{own_digest}"), digest, request.principal().name)


def _read_standing(kind: EntryKind) -> Reader:
    def read(request: Request, _: Catalog) -> ChangeStanding:
        body, members = request.body(StandingBody)
        keyed = read_keyed(request, request.account(), members)
        return ChangeStanding(
            key=keyed.key,
            request_hash=keyed.request_hash,
            reason=body.reason,
            actor=keyed.actor,
            kind=kind,
        )

    return read


def read_refund(request: Request) -> tuple[GiveBackRequest, Keyed]:
    """The refund that the body asks for. Raises: as read_command."""
    body, members = request.body(RefundBody)
    account = request.account()
    keyed = read_keyed(request, account, members)
    back = GiveBackRequest(
        account=account,
        charge=_charge_key(body.key),
        kind=EntryKind.REFUND,
        amount_microcredits=body.amount,
        reason=body.reason,
    )
    return back, keyed


def read_void(request: Request) -> tuple[GiveBackRequest, Keyed]:
    """The void of the charge in the path. Raises: as read_command."""
    reason, members = _read_reason(request)
    account = request.account()
    keyed = read_keyed(request, account, members)
    back = GiveBackRequest(
        account=account, charge=request.entry(), kind=EntryKind.VOID, reason=reason
    )
    return back, keyed


def _charge_key(text: str) -> EntryKey:
    try:
        return read_key(text)
    except InvalidError:
        raise InvalidError("key", "is not the key of an entry") from None


READERS: dict[str, Reader] = {
    "POST /v1/accounts/{id}/grants": _read_grant,
    "POST /v1/accounts/{id}/adjustments": _read_adjustment,
    "PUT /v1/accounts/{id}/plan": _read_plan_change,
    "PUT /v1/accounts/{id}/entitlements": _read_entitlements,
    "PUT /v1/accounts/{id}/profile": _read_profile,
    "PUT /v1/accounts/{id}/limits": _read_limits,
    "POST /v1/accounts/{id}/freeze": _read_standing(EntryKind.FREEZE),
    "POST /v1/accounts/{id}/unfreeze": _read_standing(EntryKind.UNFREEZE),
    "POST /v1/accounts/{id}/close": _read_standing(EntryKind.CLOSE),
}
