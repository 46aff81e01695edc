"""What must hold between what clients were told of holds and limits, and what is true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Literal

from simulation.asking import Asked, Attempt
from simulation.loop import EPOCH
from simulation.money import catalogs, micro_of, shown, terms_of
from simulation.verdicts_price import prices_of_settle, was_final, was_rerated, was_unknown
from simulation.watch import Violation, Watch
from tollkeeper.domain.account import Account, OwnLimits
from tollkeeper.domain.entries import EntryKey, EntryKind, hold_key
from tollkeeper.domain.windows import day_end

SKEW = timedelta(minutes=5)
MOST_EXTENSIONS = 10
WINDOWS = {"daily_limit": "day", "monthly_limit": "month"}
Step = Literal["open", "settle", "release", "expire"]
CLOSED_BY: dict[str, Step] = {"settled": "settle", "released": "release", "expired": "expire"}


def judge_gate(each: Asked, watch: Watch) -> Iterator[Violation]:
    """Every refusal of a hold, a limit or a budget was true at some moment of its request."""
    for attempt in each.attempts:
        body: dict[str, Any] = attempt.body or {} if attempt.status >= 400 else {}
        judge = TRUTHS.get(str(body.get("code", "")))
        if judge is not None and not judge(each, attempt, watch):
            where = f"{each.account} {each.row_key}"
            yield Violation("denial", where, f"{each.route_key}: {attempt.status} {body}")


def seen_by(account: str, attempt: Attempt, watch: Watch) -> list[Account]:
    """The account as it was when the request was sent, and all that it became until its answer."""
    kept = watch.accounts.get(account)
    versions = [] if kept is None else kept.versions
    before = [each for at_us, each in versions if at_us < attempt.sent_us][-1:]
    return before + [a for at_us, a in versions if attempt.sent_us <= at_us <= attempt.ended_us]


def _latest(attempt: Attempt) -> Any:
    return EPOCH + timedelta(microseconds=attempt.ended_us) + SKEW


def _was_limited(each: Asked, attempt: Attempt, watch: Watch) -> bool:
    """The limit was that, and the run would have passed it; or time has moved it meanwhile."""
    body = attempt.body
    limit, required = str(body["limit"]), micro_of(body["required"])
    name = WINDOWS.get(body["blocking"])
    if required + micro_of(body["spent"]) <= micro_of(limit):
        return False
    seen = seen_by(each.account, attempt, watch)
    if not seen or any(_changes_by(account, _latest(attempt)) for account in seen):
        return True
    if name is None:
        own = each.body.get("per_run_max")
        is_own = own is not None and micro_of(own) == micro_of(limit)
        return is_own or any(limit in _limits(account, "run") for account in seen)
    return any(
        limit in _limits(account, name)
        and shown(getattr(account.windows, name) + account.held_microcredits) == str(body["spent"])
        for account in seen
    )


def _changes_by(account: Account, moment: Any) -> bool:
    """Time alone has moved the account's windows or holds by then."""
    ends = [hold.expires_at for hold in account.holds]
    return min([day_end(account), account.plan.period_end_at, *ends]) <= moment


def _limits(account: Account, name: str) -> set[str]:
    """The limits in force, in each version of the prices."""
    found: set[str] = set()
    for catalog in catalogs():
        plan = getattr(terms_of(catalog.version, account.plan.id), name)
        limit = _tightest(account.limits, name, plan)
        found |= set() if limit is None else {shown(limit)}
    return found


def _tightest(own: OwnLimits, name: str, plan: int | None) -> int | None:
    operator = getattr(own.operator, name)
    found = (plan if operator is None else operator, getattr(own.user, name))
    return min((each for each in found if each is not None), default=None)


def _was_closed(each: Asked, attempt: Attempt, watch: Watch) -> bool:
    """The hold was closed in the way that the answer says; or its time was over."""
    rows = watch.rows.get(each.account, {})
    state = attempt.body["state"]
    written = rows.get(hold_key(each.hold, CLOSED_BY[state]))
    if written is not None and written.at_us <= attempt.ended_us:
        return True
    if state != "expired":
        return False
    seen = seen_by(each.account, attempt, watch)
    holds = [hold for account in seen for hold in account.holds if hold.id == each.hold]
    return any(hold.expires_at <= _latest(attempt) for hold in holds)


def _was_missing(each: Asked, attempt: Attempt, watch: Watch) -> bool:
    """Nobody had opened the hold when it was asked for."""
    rows = watch.rows.get(each.account, {})
    opened = rows.get(hold_key(each.hold, "open")) if each.path.get("hold_id") else None
    return opened is None or opened.at_us >= attempt.sent_us


def _was_full(each: Asked, attempt: Attempt, watch: Watch) -> bool:
    """As many holds were open as a plan of that time allows in some version."""
    return any(
        len(account.holds)
        >= min(terms_of(c.version, plan).open_holds for c in catalogs() for plan in plans)
        for account in seen_by(each.account, attempt, watch)
        for plans in [_plans_by(account, _latest(attempt))]
    )


def _plans_by(account: Account, moment: Any) -> set[str]:
    """The account's plan, and the one that waits for the period's end where that is over by then.

    Why: a refusal writes nothing, so no row shows that a clock ahead has begun the next period.
    """
    plan = account.plan
    if plan.next_plan and plan.period_end_at <= moment:
        return {plan.id, plan.next_plan}
    return {plan.id}


def _was_above(each: Asked, attempt: Attempt, watch: Watch) -> bool:
    """The usage cost more than the hold, on terms that refuse that."""
    opened = watch.rows[each.account].get(hold_key(each.hold, "open"))
    if opened is None or opened.entry.run is None:
        return False
    if watch.holds[each.account].seen[each.hold].policy != "reject":
        return False
    seen = seen_by(each.account, attempt, watch)
    prices = prices_of_settle(each, seen, opened)
    left = [h.amount_microcredits for a in seen for h in a.holds if h.id == each.hold]
    return bool(left) and max(prices) > min(left)


def _was_extended(each: Asked, attempt: Attempt, watch: Watch) -> bool:
    """It was extended as often as may be."""
    seen = seen_by(each.account, attempt, watch)
    counts = [h.extensions for account in seen for h in account.holds if h.id == each.hold]
    return bool(counts) and max(counts) >= MOST_EXTENSIONS


def _had_holds(each: Asked, attempt: Attempt, watch: Watch) -> bool:
    """The budget had open holds."""
    return any(account.holds for account in seen_by(each.partner, attempt, watch))


def _was_returned(each: Asked, attempt: Attempt, watch: Watch) -> bool:
    """Somebody else had given the charge back."""
    key = str(each.path.get("key") or each.body.get("key", ""))
    backs = [
        written
        for written in watch.rows.get(each.account, {}).values()
        if written.entry.kind in (EntryKind.VOID, EntryKind.REFUND)
        and written.entry.refers_to == EntryKey(row_of(key))
    ]
    return any(written.at_us <= attempt.ended_us for written in backs)


def row_of(key: str) -> str:
    """The row's key as it is stored."""
    return key.replace("~", "#") if "~" in key else f"c#{key}"


Truth = Callable[[Asked, Attempt, Watch], bool]
TRUTHS: dict[str, Truth] = {
    "limit_reached": _was_limited,
    "hold_closed": _was_closed,
    "not_found": _was_missing,
    "hold_limit": _was_full,
    "settle_above_hold": _was_above,
    "extend_limit": _was_extended,
    "holds_open": _had_holds,
    "already_refunded": _was_returned,
    "already_rerated": was_rerated,
    "not_pending": was_final,
    "still_unknown": was_unknown,
}
