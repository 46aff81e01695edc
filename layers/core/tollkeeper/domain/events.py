"""What a ledger row tells the world: the entry is the outbox, and its events follow from it alone.

A refusal writes no row; its event is made at the edge, by who refused.

Why: an event that is made from the row and nothing else is the same however often it is made, so
it can be delivered again, and years later, under the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tollkeeper.domain.entries import BY_STRIPE, Entry, EntryKind, Run, show_key
from tollkeeper.domain.event_types import EventType
from tollkeeper.domain.grants import Grant
from tollkeeper.domain.money import show_micro, show_price, show_usd
from tollkeeper.domain.quarantine import is_waiting

Members = dict[str, object]


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. `detail` is JSON as it stands: amounts are decimal texts in credits.

    Shape of `id`: `<account>:<seq>:<n>`, the same for the same fact whenever it is told; of a
    refusal the request's id.
    """

    id: str
    type: EventType
    at: datetime
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Fact:
    """One fact of a row. `n` is its place in the event's id: what it is about, not its order.

    Why: 0 is what the row is for, 1 what came with it, alerts begin at 2, and 99 is a price that
    is not final. So a fact that a later version tells beside the others changes no id.
    """

    n: int
    type: EventType
    members: Members


FIRST_ALERT = 2
QUARANTINE = 99
_WINDOWS = frozenset({"day", "month", "period"})


def events_of(entry: Entry) -> tuple[Event, ...]:
    """Every event of the row, in the order of their ids; none where the row is nobody's news.

    Raises: ValueError for an alert that this version does not know.
    """
    facts = [*_DECIDED[entry.kind](entry), *_alerts(entry), *_quarantined(entry)]
    return tuple(_event(entry, fact) for fact in facts)


def show_moment(moment: datetime) -> str:
    """The moment in UTC with milliseconds: `2026-11-20T12:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _event(entry: Entry, fact: _Fact) -> Event:
    event_id = f"{entry.account}:{entry.seq}:{fact.n}"
    detail: Members = {
        "id": event_id,
        "account": entry.account,
        "seq": entry.seq,
        "key": show_key(entry.key),
        "at": show_moment(entry.at),
        "available_after": show_micro(entry.available_after_microcredits),
        "held_after": show_micro(entry.held_after_microcredits),
    }
    return Event(event_id, fact.type, entry.at, detail | fact.members)


def _some(**members: object) -> Members:
    """The members that say something: an empty text, None and False are left out."""
    return {name: value for name, value in members.items() if value not in ("", None, False)}


def _credits(micro: int) -> str:
    """The amount, or an empty text for none."""
    return show_micro(micro) if micro else ""


def _run(run: Run | None) -> Members:
    """What ran, without what the caller added to it."""
    if run is None:
        return {}
    return _some(
        operation=run.operation,
        model=run.model,
        feature=run.label,
        service=run.service,
        subtype=run.subtype,
        quantity=None if run.quantity_micro is None else show_micro(run.quantity_micro),
        tokens=(run.pools.nonzero() if run.pools is not None else None) or None,
        cost_usd=None if run.cost_picousd is None else show_usd(run.cost_picousd),
        price_version=run.price_version,
    )


def _grant(grant: Grant | None) -> Members:
    if grant is None:
        return {}
    expires_at = grant.expires_at
    return {"grant": grant.id, "source": grant.kind.value} | _some(
        starts_at="" if grant.has_started else show_moment(grant.effective_at),
        expires_at="" if expires_at is None else show_moment(expires_at),
    )


def _paid(entry: Entry) -> Members:
    """What of the credits paid debt and so is not available."""
    return _some(debt_paid=_credits(max(0, -entry.debt_change_microcredits)))


def _expired_inside(entry: Entry) -> Iterator[_Fact]:
    """Credits that came back when their grant's time was over, and ended with that."""
    if entry.expired_microcredits:
        members: Members = {"expired": show_micro(entry.expired_microcredits)}
        yield _Fact(1, EventType.CREDITS_EXPIRED, members | _some(hold_id=entry.hold))


def _charged(entry: Entry) -> Iterator[_Fact]:
    members: Members = {"charged": show_micro(entry.moved_microcredits)} | _run(entry.run)
    members |= _some(
        hold_id=entry.hold,
        released=_credits(int(entry.details.get("released_microcredits", "0"))),
        uncollected=_credits(entry.uncollected_microcredits),
        is_late="late" in entry.details,
        is_part="part" in entry.details,
    )
    yield _Fact(0, EventType.CHARGE_RECORDED, members)
    yield from _expired_inside(entry)


def _returned(entry: Entry) -> Iterator[_Fact]:
    members: Members = {
        "returned": show_micro(entry.moved_microcredits),
        "is_void": entry.kind is EntryKind.VOID,
    }
    members |= _some(
        charge=show_key(entry.refers_to) if entry.refers_to else "", reason=entry.reason
    )
    members |= _some(
        operation=entry.run.operation if entry.run else "",
        model=entry.run.model if entry.run else "",
    )
    yield _Fact(0, EventType.CHARGE_RETURNED, members | _paid(entry))
    yield from _expired_inside(entry)


def _rerated(entry: Entry) -> Iterator[_Fact]:
    """A correction: what the run was priced at, and its price now."""
    run, details = entry.run, entry.details
    assert run is not None and entry.refers_to is not None, "a charge is priced anew"
    is_back = entry.delta_microcredits > 0
    members: Members = {
        "charge": show_key(entry.refers_to),
        "price": show_micro(int(details["price_microcredits"])),
        "before": show_micro(int(details["before_microcredits"])),
        "operation": run.operation,
        "price_version": run.price_version,
    }
    members |= _some(
        returned=_credits(entry.moved_microcredits if is_back else 0),
        taken=_credits(0 if is_back else entry.moved_microcredits),
        uncollected=_credits(entry.uncollected_microcredits),
        model=run.model,
        cost_usd=None if run.cost_picousd is None else show_usd(run.cost_picousd),
        reason=entry.reason,
    )
    yield _Fact(0, EventType.CHARGE_RERATED, members | _paid(entry))


def _quarantined(entry: Entry) -> Iterator[_Fact]:
    """A charge whose price is not final: somebody has to give its model one."""
    if is_waiting(entry) and entry.run is not None:
        run = entry.run
        members: Members = {"charged": show_micro(entry.moved_microcredits)}
        members |= {"operation": run.operation, "pending": run.pending}
        members |= _some(model=run.model, stands_for=run.stands_for)
        yield _Fact(QUARANTINE, EventType.CHARGE_QUARANTINED, members)


def _run_failed(entry: Entry) -> Iterator[_Fact]:
    yield _Fact(0, EventType.RUN_FAILED, _run(entry.run) | _some(hold_id=entry.hold))


def _granted(entry: Entry) -> Iterator[_Fact]:
    members: Members = {"credits": show_micro(entry.moved_microcredits)}
    members |= _grant(entry.grant) | _paid(entry)
    if entry.key.startswith("s#purchase:"):
        yield _Fact(0, EventType.PURCHASE_COMPLETED, members | _sale(entry.details))
    elif entry.key.startswith("t#start:"):
        yield _Fact(0, EventType.CREDITS_STARTED, members)
    else:
        yield _Fact(0, EventType.CREDITS_GRANTED, members | _some(reason=entry.reason))


def _clawed_back(entry: Entry) -> Iterator[_Fact]:
    """Credits whose money went back; what was spent of them by then is owed, or is nobody's."""
    members: Members = {
        "purchase": entry.details["purchase"],
        "taken": show_micro(entry.moved_microcredits),
    }
    members |= _some(
        debt=_credits(entry.debt_change_microcredits),
        uncollected=_credits(entry.uncollected_microcredits),
        reason=entry.reason,
    )
    yield _Fact(0, EventType.CREDITS_CLAWED_BACK, members)


def _reinstated(entry: Entry) -> Iterator[_Fact]:
    """Credits whose money came back, as when a dispute was won."""
    members: Members = {
        "purchase": entry.details["purchase"],
        "credits": show_micro(entry.moved_microcredits),
    }
    members |= _grant(entry.grant) | _paid(entry) | _some(reason=entry.reason)
    yield _Fact(0, EventType.CREDITS_REINSTATED, members)


def _sale(details: Mapping[str, str]) -> Members:
    return {
        "purchase": details["purchase"],
        "pack": details["pack"],
        "price": show_price(int(details["price_minor"]), details["currency"]),
        "currency": details["currency"],
    }


def _reset(entry: Entry) -> Iterator[_Fact]:
    plan = entry.details["plan"]
    rolled_over = int(entry.details.get("rolled_over_microcredits", "0"))
    allocation = entry.moved_microcredits
    end = entry.details.get("paid_until", entry.details["period_end"])
    period_end = show_moment(datetime.fromisoformat(end))
    members: Members = {"plan": plan, "period_end": period_end}
    members |= {"allocation": show_micro(allocation)} | _some(rolled_over=_credits(rolled_over))
    yield _Fact(0, EventType.PERIOD_STARTED, members)
    if allocation:
        granted: Members = {"credits": show_micro(allocation), "plan": plan}
        granted |= _grant(entry.grant) | _paid(entry)
        yield _Fact(1, EventType.CREDITS_GRANTED, granted)


def _adjusted(entry: Entry) -> Iterator[_Fact]:
    if entry.delta_microcredits > 0:
        yield from _granted(entry)
        return
    members: Members = {"removed": show_micro(entry.moved_microcredits)}
    yield _Fact(0, EventType.CREDITS_REMOVED, members | _some(reason=entry.reason))


def _expired(entry: Entry) -> Iterator[_Fact]:
    """A grant's end; one that held nothing any more is nobody's news."""
    if entry.moved_microcredits:
        members: Members = {"expired": show_micro(entry.moved_microcredits)}
        if entry.grant is not None:
            members |= {"grant": entry.grant.id, "source": entry.grant.kind.value}
        yield _Fact(0, EventType.CREDITS_EXPIRED, members)


def _hold_expired(entry: Entry) -> Iterator[_Fact]:
    members: Members = {"hold_id": entry.hold, "held": show_micro(entry.moved_microcredits)}
    yield _Fact(0, EventType.HOLD_EXPIRED, members)
    yield from _expired_inside(entry)


def _plan_changed(entry: Entry) -> Iterator[_Fact]:
    """A plan that is left; the one that an account opens on is told by its first period."""
    members: Members = {"from": entry.details["from"], "to": entry.details["to"]}
    members |= _some(reason=entry.reason)
    is_left = members["from"] != members["to"]
    if entry.details["at"] == "now" or (entry.details["at"] in BY_STRIPE and is_left):
        yield _Fact(0, EventType.PLAN_CHANGED, members)
    elif entry.details["at"] == "period_end":
        yield _Fact(0, EventType.PLAN_CHANGE_SCHEDULED, members)


def _transferred(entry: Entry) -> Iterator[_Fact]:
    """What moved between an account and its budget, told once: by the account's own row."""
    details, amount = entry.details, show_micro(entry.moved_microcredits)
    if "budget" in details:
        members: Members = {"budget": details["budget"]} | _some(reason=entry.reason)
        if entry.kind is EntryKind.TRANSFER_OUT:
            left = show_micro(int(details["budget_available_microcredits"]))
            members |= {"transferred": amount, "budget_available": left}
            yield _Fact(0, EventType.BUDGET_FUNDED, members)
        else:
            members |= {"returned": amount} | _paid(entry)
            yield _Fact(0, EventType.BUDGET_CLOSED, members)
    yield from _expired_inside(entry)


def _stood(event: EventType) -> Callable[[Entry], Iterator[_Fact]]:
    def tell(entry: Entry) -> Iterator[_Fact]:
        yield _Fact(0, event, _some(reason=entry.reason))

    return tell


def _topped_up(entry: Entry) -> Iterator[_Fact]:
    """What the rule needs a person for; that an operator set it is no news."""
    event = _TOP_UP_NEWS.get(entry.key.partition(":")[0])
    if event is not None:
        yield _Fact(0, event, dict(entry.details))


_TOP_UP_NEWS = {
    "s#top_up_off": EventType.TOP_UP_TURNED_OFF,
    "s#top_up_action": EventType.TOP_UP_ACTION_NEEDED,
}

_Decide = Callable[[Entry], Iterator[_Fact]]

# Every kind is decided, so that a new one is not forgotten. Those that only tell what expired
# inside them are no news themselves: an open hold is a call under way.
_DECIDED: Mapping[EntryKind, _Decide] = {
    EntryKind.CHARGE: _charged,
    EntryKind.SETTLE: _charged,
    EntryKind.VOID: _returned,
    EntryKind.REFUND: _returned,
    EntryKind.RERATE: _rerated,
    EntryKind.CLAWBACK: _clawed_back,
    EntryKind.REINSTATE: _reinstated,
    EntryKind.RUN_FAILED: _run_failed,
    EntryKind.GRANT: _granted,
    EntryKind.RESET: _reset,
    EntryKind.ADJUSTMENT: _adjusted,
    EntryKind.EXPIRE: _expired,
    EntryKind.HOLD: _expired_inside,
    EntryKind.HOLD_EXTENDED: _expired_inside,
    EntryKind.RELEASE: _expired_inside,
    EntryKind.HOLD_EXPIRED: _hold_expired,
    EntryKind.PLAN_CHANGE: _plan_changed,
    EntryKind.TRANSFER_OUT: _transferred,
    EntryKind.TRANSFER_IN: _transferred,
    EntryKind.PROFILE: _expired_inside,
    EntryKind.LIMITS: _expired_inside,
    EntryKind.TOP_UP: _topped_up,
    EntryKind.FREEZE: _stood(EventType.ACCOUNT_FROZEN),
    EntryKind.UNFREEZE: _stood(EventType.ACCOUNT_UNFROZEN),
    EntryKind.CLOSE: _stood(EventType.ACCOUNT_CLOSED),
}


def _alerts(entry: Entry) -> Iterator[_Fact]:
    """The thresholds that the row crossed, with what ran when it did."""
    run = entry.run
    ran = _some(operation=run.operation, model=run.model) if run is not None else {}
    for n, code in enumerate(entry.alerts, FIRST_ALERT):
        kind, members = _alert(code)
        yield _Fact(n, kind, members | ran)


def _alert(code: str) -> tuple[EventType, Members]:
    if code == "low_balance":
        return EventType.CREDITS_LOW, {}
    if code == "low_balance:recovered":
        return EventType.CREDITS_RECOVERED, {}
    if code == "top_up":
        return EventType.CREDITS_TOP_UP_DUE, {}
    what, _, level = code.partition(":")
    if what in _WINDOWS and level == "recovered":
        return EventType.LIMIT_RECOVERED, {"window": what}
    if what in _WINDOWS and level.isascii() and level.isdigit():
        return EventType.LIMIT_REACHED, {"window": what, "percent": int(level)}
    raise ValueError(f"there is no alert {code!r}")
