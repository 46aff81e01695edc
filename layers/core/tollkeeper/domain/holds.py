"""Holds: credits are set aside before a call, settled at what it used, and the rest goes back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import Catalog, SettlePolicy
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import COUNTED_BEFORE, Entry, EntryKey, EntryKind, Run, hold_key
from tollkeeper.domain.errors import (
    ExtendLimitError,
    HoldLimitError,
    HoldMissingError,
    InvalidError,
    SettleAboveHoldError,
)
from tollkeeper.domain.gate import account_warnings, find_warnings, refuse_inactive, refuse_unable
from tollkeeper.domain.grants import Draw
from tollkeeper.domain.held import MOST_EXTENSIONS, Hold, Terms
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.pricing import Priced
from tollkeeper.domain.returns import (
    PARTS,
    Freed,
    drop_empty,
    find_grants,
    find_hold,
    free_rest,
    is_from_before,
    post_freed,
    take_first,
)
from tollkeeper.domain.spending import count_feature, count_spent, count_volume, see_size, take

ABOVE_HOLD = "settle_above_hold"
PRICED_AT = "priced_at"


@dataclass(frozen=True, slots=True)
class OpenHold:
    """The command to set aside what a run may cost.

    `priced_at` is the moment whose dated rates a quote has pinned.
    """

    hold_id: str
    request_hash: str
    priced: Priced
    stays: timedelta
    actor: str = ""
    metadata: str = ""
    priced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settle:
    """The command to charge what a held call used: the last time, or a part of a long stream."""

    hold_id: str
    key: EntryKey
    request_hash: str
    priced: Priced
    is_final: bool = True
    actor: str = ""
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """The command to give a hold back whole, because its call did not happen."""

    hold_id: str
    request_hash: str
    reason: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Extend:
    """The command to keep a hold open for longer."""

    hold_id: str
    key: EntryKey
    request_hash: str
    stays: timedelta
    actor: str = ""


def decide_hold(draft: Draft, command: OpenHold, catalog: Catalog) -> Decision:
    """The amount is out of its grants and waits in a hold; the feature is counted.

    Raises: as refuse_unable; HoldLimitError where as many are open as may be.
    """
    account, priced = draft.account, command.priced
    if find_hold(account, command.hold_id) is not None:
        # Why: the row of its opening answers for it, so this one is never seen.
        raise InvalidError("hold_id", "is the id of an open hold")
    refuse_unable(account, priced, catalog)
    most = catalog.plan(account.plan.id).open_holds
    if len(account.holds) >= most:
        raise HoldLimitError(
            f"The account has {most} open holds; settle or release one, or wait until one expires."
        )
    account, draws, debt = take(account, priced.charged_microcredits, is_held=True)
    run, above_hold = priced.run, account.terms(catalog).settle_above_hold
    hold = Hold(
        id=command.hold_id,
        opened_at=draft.at,
        expires_at=draft.at + command.stays,
        terms=_terms_of(run, above_hold, command.priced_at),
        draws=tuple((draw.grant.id, draw.amount_microcredits) for draw in draws),
        debt_microcredits=debt,
    )
    account = replace(account, holds=(*account.holds, hold))
    account = count_feature(account, run.feature, run.feature_count, catalog)
    entry = draft.post(
        account,
        key=hold_key(command.hold_id, "open"),
        kind=EntryKind.HOLD,
        delta=-priced.charged_microcredits,
        moved_microcredits=priced.charged_microcredits,
        hold=command.hold_id,
        request_hash=command.request_hash,
        run=run,
        draws=draws,
        debt_change_microcredits=debt,
        details=_opening_details(hold),
        actor=command.actor,
        metadata=command.metadata,
        warnings=find_warnings(account, priced, catalog),
    )
    return draft.decide(entry)


def _opening_details(hold: Hold) -> dict[str, str]:
    terms = hold.terms
    details = {"expires_at": hold.expires_at.isoformat(), ABOVE_HOLD: terms.above_hold.value}
    if terms.priced_at is not None:
        details[PRICED_AT] = terms.priced_at.isoformat()
    return details


def _terms_of(run: Run, above_hold: SettlePolicy, priced_at: datetime | None) -> Terms:
    return Terms(
        operation=run.operation,
        model=run.model,
        label=run.label,
        service=run.service,
        subtype=run.subtype,
        price_version=run.price_version,
        feature=run.feature,
        feature_count=run.feature_count,
        above_hold=above_hold,
        provider=run.provider if run.provider_said else "",
        service_tier=run.service_tier,
        priced_at=priced_at,
    )


def read_terms(opening: Entry, expired: Entry | None) -> Terms:
    """The terms that a hold's opening row wrote down, and what its end says of parts."""
    assert opening.run is not None, "a hold is for a run"
    details = opening.details
    pinned = datetime.fromisoformat(details[PRICED_AT]) if PRICED_AT in details else opening.at
    terms = _terms_of(opening.run, SettlePolicy(details[ABOVE_HOLD]), pinned)
    return _after(terms, has_parts=expired is not None and PARTS in expired.details)


def terms_now(hold: Hold) -> Terms:
    """The terms of what is settled next: of a hold that is open, or that expired."""
    terms = replace(hold.terms, priced_at=hold.terms.priced_at or hold.opened_at)
    return _after(terms, has_parts=hold.parts > 0)


def _after(terms: Terms, *, has_parts: bool) -> Terms:
    """The terms of what comes late. Why: a part that was settled has counted the run."""
    return replace(terms, feature_count=0) if has_parts else terms


def find_open(draft: Draft, hold_id: str) -> Hold:
    """The open hold. Raises: HoldMissingError."""
    hold = find_hold(draft.account, hold_id)
    if hold is None:
        raise HoldMissingError(f"There is no open hold {hold_id}.")
    return hold


def find_expired(draft: Draft, hold_id: str) -> Hold | None:
    """The hold that the time before this command closed, in this very draft."""
    return find_hold(draft.before, hold_id)


def decide_settle(draft: Draft, command: Settle, catalog: Catalog) -> Decision:
    """The charge is paid out of the hold; the rest is back, or still held where more follows.

    Raises: SettleAboveHoldError where the plan refuses more than the hold; HoldMissingError.
    Why: what was used is charged whatever the account's standing or limits are.
    """
    hold = find_open(draft, command.hold_id)
    charged = command.priced.charged_microcredits
    used = min(charged, hold.amount_microcredits)
    policy = hold.terms.above_hold
    if charged > used and policy is SettlePolicy.REJECT:
        raise SettleAboveHoldError(
            f"The usage costs {show_micro(charged)} credits and the hold is of {show_micro(used)}."
        )
    draws, _, rest = take_first(hold, used)
    settled = find_grants(draft.account, draws)
    if command.is_final:
        freed = free_rest(draft, draft.account, rest)
    else:
        rest = replace(rest, parts=hold.parts + 1)
        freed = Freed(drop_empty(_swap(draft.account, rest)))
    paid = pay_more(freed.account, charged - used, catalog, policy)
    run = _run_of(command.priced.run, hold)
    account = _count(paid.account, run, used + paid.amount, hold=hold, catalog=catalog)
    if command.is_final and not hold.parts:
        account = see_size(account, run, catalog)
    account = note_uncollected(account, paid.uncollected)
    released = rest.amount_microcredits if command.is_final else 0
    entry = draft.post(
        account,
        key=command.key,
        kind=EntryKind.SETTLE,
        delta=released - freed.expired_microcredits - paid.amount,
        moved_microcredits=used + paid.amount,
        hold=hold.id,
        request_hash=command.request_hash,
        run=run,
        settled=settled,
        draws=paid.draws,
        returned=freed.returned,
        expired_microcredits=freed.expired_microcredits,
        debt_change_microcredits=freed.debt_change_microcredits + paid.debt,
        grant=freed.grant,
        uncollected_microcredits=paid.uncollected,
        details=_details(released=released, is_final=command.is_final)
        | ({COUNTED_BEFORE: "true"} if is_from_before(hold, account) else {}),
        actor=command.actor,
        metadata=command.metadata,
        warnings=_settle_warnings(account, run, paid, catalog),
    )
    return draft.decide(entry)


def decide_late_settle(
    draft: Draft, command: Settle, catalog: Catalog, *, terms: Terms
) -> Decision:
    """A call that ended after its hold expired is charged all the same, as far as that goes.

    Why: a finished call is never free and never an error, so a plan that rejects more than the
    hold collects what is there instead.
    """
    charged = command.priced.charged_microcredits
    paid = pay_more(draft.account, charged, catalog, terms.above_hold)
    run = replace(command.priced.run, feature=terms.feature)
    account = count_spent(paid.account, run, paid.amount)
    account = count_feature(account, run.feature, run.feature_count, catalog)
    account = count_volume(account, run, catalog)
    if run.feature_count:
        # Why: the last of several parts says nothing of how much the whole call used.
        account = see_size(account, run, catalog)
    account = note_uncollected(account, paid.uncollected)
    entry = draft.post(
        account,
        key=command.key,
        kind=EntryKind.SETTLE,
        delta=-paid.amount,
        moved_microcredits=paid.amount,
        hold=command.hold_id,
        request_hash=command.request_hash,
        run=run,
        draws=paid.draws,
        debt_change_microcredits=paid.debt,
        uncollected_microcredits=paid.uncollected,
        details={"late": "true"},
        actor=command.actor,
        metadata=command.metadata,
        warnings=(*run.warnings, "late", *account_warnings(account, catalog)),
    )
    return draft.decide(entry)


@dataclass(frozen=True, slots=True)
class Paid:
    """What was taken beyond the hold. Units: micro-credits."""

    account: Account
    draws: tuple[Draw, ...] = ()
    debt: int = 0
    amount: int = 0
    uncollected: int = 0


def pay_more(account: Account, amount: int, catalog: Catalog, policy: SettlePolicy) -> Paid:
    """The account with the amount taken, or as much of it as the policy lets it go down."""
    if not amount:
        return Paid(account)
    taken = amount
    if policy is not SettlePolicy.DEBT:
        taken = min(amount, max(0, account.spendable_microcredits(catalog)))
    account, draws, debt = take(account, taken)
    return Paid(account, draws, debt, taken, amount - taken)


def _run_of(run: Run, hold: Hold) -> Run:
    """The run as it counts. Why: the first part of a long run counts it, the others nothing."""
    return replace(run, feature_count=0) if hold.parts else run


def _count(account: Account, run: Run, amount: int, *, hold: Hold, catalog: Catalog) -> Account:
    """The charge is counted; the feature only by what its opening has not counted.

    Why: a run was admitted by the count of the period in which its hold was opened; it takes
    nothing of what a later period allows.
    """
    account = count_spent(account, run, amount)
    account = count_volume(account, run, catalog)
    if hold.parts or is_from_before(hold, account):
        return account
    return count_feature(
        account, run.feature, run.feature_count - hold.terms.feature_count, catalog
    )


def note_uncollected(account: Account, amount: int) -> Account:
    """The account with so much more that was used and could not be collected."""
    life = account.lifetime
    return replace(account, lifetime=replace(life, uncollected=life.uncollected + amount))


def _swap(account: Account, hold: Hold) -> Account:
    """The account with this hold in the place of the one of its id."""
    return replace(account, holds=tuple(hold if h.id == hold.id else h for h in account.holds))


def _details(*, released: int, is_final: bool) -> dict[str, str]:
    details = {"released_microcredits": str(released)} if released else {}
    return details if is_final else {**details, "part": "true"}


def _settle_warnings(account: Account, run: Run, paid: Paid, catalog: Catalog) -> tuple[str, ...]:
    above = ("above_hold",) if paid.amount or paid.uncollected else ()
    return (*run.warnings, *above, *account_warnings(account, catalog))


def decide_release(draft: Draft, command: Release) -> Decision:
    """The whole hold is back where it came from. Raises: HoldMissingError."""
    hold = find_open(draft, command.hold_id)
    entry = post_freed(
        draft,
        hold,
        key=hold_key(command.hold_id, "release"),
        kind=EntryKind.RELEASE,
        request_hash=command.request_hash,
        reason=command.reason,
        actor=command.actor,
    )
    return draft.decide(entry)


def decide_extend(draft: Draft, command: Extend) -> Decision:
    """The hold stays open until the later of its expiry and so long from now.

    Raises: HoldMissingError, ExtendLimitError, AccountFrozenError, AccountClosedError.
    """
    hold = find_open(draft, command.hold_id)
    refuse_inactive(draft.account)
    if hold.extensions >= MOST_EXTENSIONS:
        raise ExtendLimitError(f"The hold was extended {MOST_EXTENSIONS} times; settle it.")
    expires_at: datetime = max(hold.expires_at, draft.at + command.stays)
    hold = replace(hold, expires_at=expires_at, extensions=hold.extensions + 1)
    entry = draft.post(
        _swap(draft.account, hold),
        key=command.key,
        kind=EntryKind.HOLD_EXTENDED,
        delta=0,
        hold=hold.id,
        request_hash=command.request_hash,
        details={"expires_at": expires_at.isoformat()},
        actor=command.actor,
    )
    return draft.decide(entry)
