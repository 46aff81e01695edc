"""Check, charge and give back: what backends call around every run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.charges import (
    Charge,
    GiveBack,
    decide_charge,
    decide_give_back,
    decide_run_failed,
)
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, Entry, EntryKey, EntryKind, show_key
from tollkeeper.domain.errors import (
    AlreadyRefundedError,
    AlreadyReratedError,
    NotFoundError,
    PriceVersionError,
    QuoteExpiredError,
    TollkeeperError,
)
from tollkeeper.domain.gate import find_warnings, refuse_unable
from tollkeeper.domain.pricing import (
    Consumption,
    Priced,
    describe_run,
    price_run,
    standing_now,
    typical_run,
)
from tollkeeper.domain.roll import look, open_account
from tollkeeper.service.commit import Order, Outcome, commit
from tollkeeper.service.pinning import with_pinned
from tollkeeper.service.ports import World
from tollkeeper.service.quoting import apply_quote, apply_typical
from tollkeeper.store.ledger import TakenError
from tollkeeper.store.versions import write_version

Decide = Callable[[Draft], Decision]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a check, an estimate or a deduct asks about.

    `opens_on` is the plan for an account that nobody touched yet.
    """

    account: AccountId
    consumption: Consumption
    opens_on: str | None = None
    has_succeeded: bool = True
    metadata: str = ""
    quote_id: str = ""


@dataclass(frozen=True, slots=True)
class Keyed:
    """Who asks, and under which key."""

    key: EntryKey
    request_hash: str
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be priced, with which catalog, and which of its prices is asked for.

    `pinned_at` is the moment that a quote has pinned.
    """

    consumption: Consumption
    catalog: Catalog
    is_typical: bool = False
    pinned_at: datetime | None = None

    @property
    def by_account(self) -> bool:
        """The price depends on the account, so it is known only once that was read."""
        return self.catalog.operation(self.consumption.operation).by_account

    def price(self, account: Account | None = None) -> Priced:
        """The price, for this account where it matters. Raises: as price_run."""
        price = typical_run if self.is_typical else price_run
        if account is None or not self.by_account:
            return price(self.consumption, self.catalog)
        return price(self.consumption, self.catalog, standing_now(account))


@dataclass(frozen=True, slots=True)
class Allowed:
    """The account can pay. Units: micro-credits; the cost in 10^-12 USD."""

    required_microcredits: int
    available_microcredits: int
    spendable_microcredits: int
    warnings: tuple[str, ...]
    price_version: str
    cost_picousd: int | None = None


def see_account(
    world: World, account_id: AccountId, *, is_strong: bool, opens_on: str | None = None
) -> Account:
    """The account as a touch would find it now; a new one as it would open. Nothing is written.

    Raises: NotFoundError where accounts do not open by themselves.
    """
    now = world.clock.now()
    account = world.ledger.read_account(account_id, is_strong=is_strong)
    if account is not None:
        return look(account, now=now, catalog=world.catalog)
    return see_unopened(world, account_id, opens_on)


def see_unopened(world: World, account_id: AccountId, opens_on: str | None = None) -> Account:
    """A new account as its first touch would open it now. Nothing is written.

    Raises: NotFoundError where accounts do not open by themselves.
    """
    catalog = world.catalog
    if not catalog.auto_open:
        raise NotFoundError(f"There is no account {account_id}.")
    plan_id, now = opens_on or catalog.default_plan, world.clock.now()
    draft = open_account(account_id, plan_id=plan_id, zone=catalog.zone, now=now, catalog=catalog)
    return draft.account


def check(world: World, request: RunRequest) -> Allowed:
    """The account can pay for the run now. Nothing is written.

    Raises: as charge; a refusal is judged again on a strong read before it is given.
    Cost: one GetItem, two where the first one refuses.
    """
    asked = with_pinned(world, lambda: ask_typical(world, request), lost=lose_quote)
    priced = None if asked.by_account else asked.price()
    try:
        return _judge(world, request, asked, priced, is_strong=False)
    except TollkeeperError:
        return _judge(world, request, asked, priced, is_strong=True)


def _judge(
    world: World, request: RunRequest, asked: Asked, known: Priced | None, *, is_strong: bool
) -> Allowed:
    account = see_account(world, request.account, is_strong=is_strong, opens_on=request.opens_on)
    priced = known or asked.price(account)
    refuse_unable(account, priced, world.catalog)
    return Allowed(
        required_microcredits=priced.charged_microcredits,
        available_microcredits=account.available_microcredits,
        spendable_microcredits=account.spendable_microcredits(world.catalog),
        warnings=find_warnings(account, priced, world.catalog),
        price_version=priced.run.price_version,
        cost_picousd=priced.run.cost_picousd,
    )


def lost_quote() -> QuoteExpiredError:
    """Nothing was ever charged at a quote's prices, and the catalog has changed since.

    Why: an estimate writes nothing, so its prices are stored by the first charge at them.
    """
    return QuoteExpiredError("The prices have changed since this quote; ask for a new one.")


def lose_quote() -> NoReturn:
    """Raises: QuoteExpiredError."""
    raise lost_quote()


def ask_typical(world: World, request: RunRequest) -> Asked:
    """What a check or a hold decides on, pinned where a quote pins it. Raises: as apply_quote."""
    pinned = apply_typical(world, request.account, request.consumption, request.quote_id)
    return Asked(pinned.consumption, pinned.catalog, is_typical=True, pinned_at=pinned.pinned_at)


def charge(world: World, request: RunRequest, keyed: Keyed) -> Outcome:
    """The run is charged, once for this key; a run that failed is recorded without a charge.

    Raises: UnknownOperationError, UnknownModelError, InvalidError, InsufficientCreditsError,
    FeatureLimitError, AccountFrozenError, AccountClosedError and what commit raises.
    Cost: as commit.
    """
    return commit_run(world, request, keyed, lambda: _decide_run(world, request, keyed))


def commit_run(
    world: World, request: RunRequest, keyed: Keyed, decide_of: Callable[[], Decide]
) -> Outcome:
    """What is decided of the run is in the ledger, once the prices that it needs were read.

    Raises: what the decision and commit raise; QuoteExpiredError. Cost: as commit.
    """
    decide = with_pinned(world, decide_of, lost=lambda: refusing(lost_quote()))
    order = Order(
        account=request.account,
        key=keyed.key,
        request_hash=keyed.request_hash,
        decide=decide,
        opens_on=request.opens_on,
        may_open=world.catalog.auto_open,
    )
    return commit(world, order)


def decide_priced(
    world: World,
    ask: Callable[[World, RunRequest], Asked],
    request: RunRequest,
    decide: Callable[[Draft, Priced, Asked], Decision],
) -> Decide:
    """The decision on a price that is computed once, before the first attempt.

    One that depends on the account is computed in the decision, from the account that it changes.
    Raises: PriceVersionError where the prices have to be read first.
    Why: a run that cannot be priced is refused like any other, so only after the key was read.
    """
    try:
        asked = ask(world, request)
        priced = None if asked.by_account else asked.price()
    except PriceVersionError:
        raise
    except TollkeeperError as error:
        return refusing(error)
    keep_version(world)
    return lambda draft: decide(draft, priced or asked.price(draft.account), asked)


def _decide_run(world: World, request: RunRequest, keyed: Keyed) -> Decide:
    def decide(draft: Draft, priced: Priced) -> Decision:
        command = Charge(
            key=keyed.key,
            request_hash=keyed.request_hash,
            priced=priced,
            actor=keyed.actor,
            metadata=request.metadata,
        )
        if not request.has_succeeded:
            return decide_run_failed(draft, command)
        return decide_charge(draft, command, world.catalog)

    if not request.has_succeeded:
        return _decide_failed(world, request, decide)
    return decide_priced(world, _ask, request, lambda draft, priced, _: decide(draft, priced))


def _decide_failed(
    world: World, request: RunRequest, decide: Callable[[Draft, Priced], Decision]
) -> Decide:
    """The decision on a run that failed, which has no price."""
    try:
        priced = Priced(describe_run(request.consumption, world.catalog), 0)
    except TollkeeperError as error:
        return refusing(error)
    keep_version(world)
    return lambda draft: decide(draft, priced)


def _ask(world: World, request: RunRequest) -> Asked:
    pinned = apply_quote(world, request.account, request.consumption, request.quote_id)
    return Asked(pinned.consumption, pinned.catalog)


def keep_version(world: World) -> None:
    """The catalog that prices this charge is stored, so that it can be computed again.

    Cost: one GetItem for the first charge of a process, nothing after it.
    """
    version = world.catalog.version
    if version not in world.versions:
        write_version(world.ledger, version, world.catalog.source, world.clock.now())
        world.versions.add(version)


def refusing(error: TollkeeperError) -> Decide:
    """A decision that is this refusal, whatever the account."""

    def refuse(_: Draft) -> Decision:
        raise error

    return refuse


@dataclass(frozen=True, slots=True)
class GiveBackRequest:
    """Which charge to undo (`void`), or to give back all or part of (`refund`)."""

    account: AccountId
    charge: EntryKey
    kind: EntryKind
    amount_microcredits: int | None = None
    reason: str = ""


def give_back(world: World, request: GiveBackRequest, keyed: Keyed) -> Outcome:
    """The charge's credits are back, at most once per charge.

    Raises: NotFoundError, AlreadyRefundedError, InvalidError and what commit raises.
    Cost: one GetItem for the charge more than commit.
    """
    return commit_on_charge(
        world,
        request.account,
        request.charge,
        keyed=keyed,
        decide_of=lambda charge: _decide_give_back(charge, request, keyed),
    )


def commit_on_charge(
    world: World,
    account: AccountId,
    charge_key: EntryKey,
    *,
    keyed: Keyed,
    decide_of: Callable[[Entry | None], Decide],
) -> Outcome:
    """What is decided of a charge is in the ledger; of each charge that happens once.

    Raises: AlreadyRefundedError, AlreadyReratedError; what the decision and commit raise.
    Cost: one GetItem for the charge more than commit.
    """
    charge = world.ledger.read_entry(account, charge_key)
    order = Order(
        account=account,
        key=keyed.key,
        request_hash=keyed.request_hash,
        decide=decide_of(charge),
        may_open=False,
        since_seq=0 if charge is None else charge.seq,
    )
    try:
        return commit(world, order)
    except TakenError as error:
        raise _tell_returned(world, account, charge_key) from error


def _tell_returned(world: World, account: AccountId, charge: EntryKey) -> TollkeeperError:
    """What became of a charge before: it was given back, or priced anew. Cost: one GetItem."""
    mark = world.ledger.read_return(account, charge)
    if mark is not None and mark.is_rerate:
        return AlreadyReratedError(
            f"The charge {show_key(charge)} was priced anew before; that happens once, and only "
            "an adjustment corrects it further."
        )
    return AlreadyRefundedError(
        f"The charge {show_key(charge)} was given back before; that happens once."
    )


def _decide_give_back(charge: Entry | None, request: GiveBackRequest, keyed: Keyed) -> Decide:
    if charge is None:
        return refusing(NotFoundError(f"There is no charge {request.charge[2:]}."))
    command = GiveBack(
        key=keyed.key,
        request_hash=keyed.request_hash,
        charge=charge,
        kind=request.kind,
        amount_microcredits=request.amount_microcredits,
        reason=request.reason,
        actor=keyed.actor,
    )
    return lambda draft: decide_give_back(draft, command)
