"""Hold, settle, release and extend: what backends call around a run that is paid from a hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from tollkeeper.domain.account import Account
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, Entry, Run, hold_key
from tollkeeper.domain.errors import (
    BusyError,
    HoldClosedError,
    HoldMissingError,
    NotFoundError,
)
from tollkeeper.domain.held import Terms
from tollkeeper.domain.holds import (
    Extend,
    OpenHold,
    Release,
    Settle,
    decide_extend,
    decide_hold,
    decide_late_settle,
    decide_release,
    decide_settle,
    find_expired,
    read_terms,
    terms_now,
)
from tollkeeper.domain.pricing import Consumption, Priced, price_run, standing_now
from tollkeeper.domain.returns import find_hold
from tollkeeper.service.charging import (
    Asked,
    Decide,
    Keyed,
    RunRequest,
    ask_typical,
    commit_run,
    decide_priced,
)
from tollkeeper.service.commit import Order, Outcome, commit
from tollkeeper.service.pinning import pinned_catalog, with_pinned
from tollkeeper.service.ports import World

ENDING = "ending"


@dataclass(frozen=True, slots=True)
class SettleRequest:
    """What a held call used. Shape: `consumption` names no operation; the hold does."""

    account: AccountId
    hold_id: str
    consumption: Consumption
    is_final: bool = True
    metadata: str = ""


def open_hold(world: World, request: RunRequest, keyed: Keyed, stays: timedelta) -> Outcome:
    """Credits are set aside for the run, once for the hold's id, which is the key.

    Raises: as charge; HoldLimitError. Cost: as commit.
    """

    def decide(draft: Draft, priced: Priced, asked: Asked) -> Decision:
        command = OpenHold(
            hold_id=keyed.key.split("#")[1],
            request_hash=keyed.request_hash,
            priced=priced,
            stays=stays,
            actor=keyed.actor,
            metadata=request.metadata,
            priced_at=asked.pinned_at,
        )
        return decide_hold(draft, command, world.catalog)

    return commit_run(
        world, request, keyed, lambda: decide_priced(world, ask_typical, request, decide)
    )


def settle(world: World, request: SettleRequest, keyed: Keyed) -> Outcome:
    """What the call used is charged, once; also where its hold expired before.

    Raises: HoldClosedError, NotFoundError, SettleAboveHoldError, UnknownModelError, InvalidError
    and what commit raises. Cost: as commit; a GetItem or three more where the hold is closed.
    """
    return with_pinned(world, lambda: _settle(world, request, keyed))


def _settle(world: World, request: SettleRequest, keyed: Keyed) -> Outcome:
    def decide(draft: Draft) -> Decision:
        return _decide_settle(world, request, keyed, draft)

    order = _order_of(request.account, keyed, decide)
    try:
        return commit(world, order)
    except HoldMissingError:
        terms, since_seq = _find_late(world, request)

    def decide_late(draft: Draft) -> Decision:
        if find_hold(draft.before, request.hold_id) is not None:
            return decide(draft)
        return _decide_late(world, request, keyed, draft=draft, terms=terms)

    return commit(world, replace(order, decide=decide_late, since_seq=since_seq))


def _order_of(account: AccountId, keyed: Keyed, decide: Decide) -> Order:
    return Order(
        account=account,
        key=keyed.key,
        request_hash=keyed.request_hash,
        decide=decide,
        may_open=False,
    )


def _decide_settle(world: World, request: SettleRequest, keyed: Keyed, draft: Draft) -> Decision:
    hold = find_hold(draft.account, request.hold_id)
    if hold is not None:
        terms = terms_now(hold)
        command = _command(world, request, keyed, terms=terms, account=draft.account)
        return decide_settle(draft, command, world.catalog)
    expired = find_expired(draft, request.hold_id)
    if expired is None or not request.is_final:
        raise HoldMissingError(f"There is no open hold {request.hold_id}.")
    return _decide_late(world, request, keyed, draft=draft, terms=terms_now(expired))


def _decide_late(
    world: World, request: SettleRequest, keyed: Keyed, *, draft: Draft, terms: Terms
) -> Decision:
    command = _command(world, request, keyed, terms=terms, account=draft.account)
    return decide_late_settle(draft, command, world.catalog, terms=terms)


def _command(
    world: World, request: SettleRequest, keyed: Keyed, *, terms: Terms, account: Account
) -> Settle:
    return Settle(
        hold_id=request.hold_id,
        key=keyed.key,
        request_hash=keyed.request_hash,
        priced=_price(world, request, terms, account),
        is_final=request.is_final,
        actor=keyed.actor,
        metadata=request.metadata,
    )


def _price(world: World, request: SettleRequest, terms: Terms, account: Account) -> Priced:
    """What was used at the prices that the hold was opened with, and where the account stands now.

    Raises: PriceVersionError where they have to be read first; as price_run.
    """
    consumption = _consumption_of(request, terms)
    standing = replace(standing_now(account), is_first=terms.feature_count > 0)
    catalog = pinned_catalog(world, terms.price_version)
    priced = price_run(consumption, catalog, standing)
    run = replace(
        priced.run,
        label=terms.label,
        subtype=terms.subtype,
        feature=terms.feature,
        feature_count=_count_of(priced.run, terms, consumption),
    )
    return replace(priced, run=run)


def _consumption_of(request: SettleRequest, terms: Terms) -> Consumption:
    """What was used, with what the opening said and the settle does not say anew.

    Why: whose model it is was said of the opening's model, not of another.
    """
    used = request.consumption
    model = used.model or terms.model or None
    is_same = (model or "") == terms.model
    says_tier = used.service_tier is not None or (used.usage and used.usage.service_tier)
    return replace(
        used,
        operation=terms.operation,
        model=model,
        service=terms.service,
        provider=used.provider or (terms.provider if is_same else ""),
        service_tier=used.service_tier if says_tier else terms.service_tier or None,
        priced_at=terms.priced_at,
    )


def _count_of(run: Run, terms: Terms, consumption: Consumption) -> int:
    """How often the run counts: by its quantity, else as its opening; not twice after parts."""
    by_quantity = consumption.quantity_micro is not None and terms.feature_count
    return run.feature_count if by_quantity else terms.feature_count


def _find_late(world: World, request: SettleRequest) -> tuple[Terms, int]:
    """The terms of a hold that expired, which a last settle still charges, and its last seq.

    One that was settled since the key was read counts as one: the key then tells by which request.
    Raises: HoldClosedError where it was released, NotFoundError where it was never opened.
    """
    opening, state, ended = _find_state(world, request.account, request.hold_id)
    if state == ENDING and request.is_final:
        # Why: until its row says so, a slower clock may still release or extend it.
        raise BusyError("The hold is ending; the same request with the same key is safe.")
    if state not in ("expired", "settled") or not request.is_final:
        raise HoldClosedError(request.hold_id, _show_state(state))
    return read_terms(opening, ended), (ended or opening).seq


def _show_state(state: str) -> str:
    return "expired" if state == ENDING else state


def _find_state(world: World, account: AccountId, hold_id: str) -> tuple[Entry, str, Entry | None]:
    """Its opening, how a hold that is not open was closed, and the row of its expiry.

    It is `ending` where no row says yet.

    Raises: NotFoundError, BusyError where it is being opened right now. Cost: 2 to 5 GetItems.
    """
    ledger = world.ledger
    opening = ledger.read_entry(account, hold_key(hold_id, "open"))
    if opening is None:
        raise NotFoundError(f"There is no hold {hold_id}.")
    if ledger.read_entry(account, hold_key(hold_id, "settle")) is not None:
        return opening, "settled", None
    if ledger.read_entry(account, hold_key(hold_id, "release")) is not None:
        return opening, "released", None
    expired = ledger.read_entry(account, hold_key(hold_id, "expire"))
    if expired is not None:
        return opening, "expired", expired
    hold = find_hold(ledger.read_account(account, is_strong=True), hold_id)
    if hold is None or hold.expires_at > world.clock.now():
        raise BusyError("The hold is being changed; the same request with the same key is safe.")
    return opening, ENDING, None


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """Which hold a release or an extension is about."""

    account: AccountId
    hold_id: str
    reason: str = ""
    stays: timedelta = timedelta()


def release(world: World, request: HoldRequest, keyed: Keyed) -> Outcome:
    """The hold is back whole. Raises: HoldClosedError, NotFoundError and what commit raises."""
    command = Release(request.hold_id, keyed.request_hash, request.reason, keyed.actor)
    return _change(world, request, keyed, lambda draft: decide_release(draft, command))


def extend(world: World, request: HoldRequest, keyed: Keyed) -> Outcome:
    """The hold stays open for longer.

    Raises: ExtendLimitError, AccountFrozenError, AccountClosedError; as release.
    """
    command = Extend(
        request.hold_id, keyed.key, keyed.request_hash, request.stays, actor=keyed.actor
    )
    return _change(world, request, keyed, lambda draft: decide_extend(draft, command))


def _change(world: World, request: HoldRequest, keyed: Keyed, decide: Decide) -> Outcome:
    try:
        return commit(world, _order_of(request.account, keyed, decide))
    except HoldMissingError as missing:
        _, state, _ = _find_state(world, request.account, request.hold_id)
        raise HoldClosedError(request.hold_id, _show_state(state)) from missing
