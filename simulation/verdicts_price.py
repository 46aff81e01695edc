"""What must hold between what a run was charged and what it costs: I18."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from simulation.asking import HOLD, Asked, Attempt
from simulation.loop import EPOCH
from simulation.money import NOBODY, catalogs, charge_of, feature_of, price_of
from simulation.store import SimStore
from simulation.watch import Violation, Watch, Written
from tests.property.model_prices import Charged, Standing, UnpricedError
from tollkeeper.domain.account import Account
from tollkeeper.domain.entries import Entry, EntryKind, hold_key

SKEW = timedelta(minutes=5)
# How long before its request an estimate may have pinned the moment of its rates.
QUOTED = timedelta(minutes=30)
KEPT = ("operation", "model", "provider", "service_tier")
MICRO = 1_000_000


def judge_price(where: str, each: Asked, written: Written, watch: Watch) -> Iterator[Violation]:
    """The amount is the price of the run at the version, plan and volume of its row."""
    entry = written.entry
    run = entry.run
    if run is None or entry.kind not in (EntryKind.CHARGE, EntryKind.HOLD):
        return
    version = each.promised.get("price_version", run.price_version)
    if run.price_version != version:
        yield Violation("I18", where, f"priced at {run.price_version}, promised at {version}")
    at = run.priced_at or entry.at
    latest, earliest = entry.at + SKEW, entry.at - (QUOTED if each.promised else SKEW)
    if not earliest <= at <= latest:
        yield Violation("I18", where, f"priced at the rates of {at}, charged at {entry.at}")
    standing = watch.standing(each.account, entry.key)
    if standing is None:
        # A row without its account, which is blamed for that.
        return
    try:
        expected = charge_of(relied_on(each), run.price_version, standing, at)
    except UnpricedError:
        yield Violation("I18", where, "was answered a price, and has none")
        return
    yield from _compare(where, entry, expected, entry.moved_microcredits)


def judge_settle_price(
    where: str, each: Asked, written: Written, watch: Watch
) -> Iterator[Violation]:
    """What a settle asks for is the price of what was used, at its hold's prices."""
    entry = written.entry
    opening = watch.rows[each.account][hold_key(entry.hold, "open")]
    assert entry.run is not None and opening.entry.run is not None
    version = opening.entry.run.price_version
    if entry.run.price_version != version:
        yield Violation("I18", where, f"priced at {entry.run.price_version}, held at {version}")
    # The moment of an estimate is that of its hold, too; the opening's row has written it down.
    said = opening.entry.details.get("priced_at")
    held = opening.entry.at if said is None else datetime.fromisoformat(said)
    if not opening.entry.at - QUOTED <= held <= opening.entry.at + SKEW:
        yield Violation("I18", where, f"priced at the rates of {held}, held at {opening.entry.at}")
    if entry.run.priced_at not in (None, held):
        yield Violation("I18", where, f"rates of {entry.run.priced_at}, those held are of {held}")
    standing = watch.standing(each.account, entry.key)
    if standing is None:
        return
    at = entry.run.priced_at or opening.entry.at
    expected = charge_of(_settled(each.body, opening), version, standing, at)
    asked = entry.moved_microcredits + entry.uncollected_microcredits
    yield from _compare(where, entry, expected, asked)


def _compare(where: str, entry: Entry, expected: Charged, asked: int) -> Iterator[Violation]:
    run = entry.run
    assert run is not None
    if expected.micro != asked:
        yield Violation("I18", where, f"asked {asked}, the price is {expected.micro}")
    if Fraction(run.volume_micro, MICRO) != expected.volume and entry.kind is not EntryKind.HOLD:
        yield Violation("I18", where, f"counts {run.volume_micro}, used {expected.volume}")
    if bool(run.pending) != expected.is_pending:
        yield Violation("I18", where, f"is pending: {run.pending!r}, not {expected.is_pending}")


def _settled(body: dict[str, Any], opening: Written) -> dict[str, Any]:
    """The run as it is priced: what the opening said of it, and then the settle."""
    assert opening.by is not None
    opened: dict[str, Any] = json.loads(opening.by.event["body"])
    kept = {name: opened[name] for name in KEPT if name in opened}
    # Whose model it is was said of the opening's model, and not of another.
    if body.get("model", opened.get("model")) != opened.get("model"):
        kept.pop("provider", None)
    return {**kept, **body}


def _body_of(charge: Written, watch: Watch) -> dict[str, Any]:
    """The run of the charge as it is priced."""
    assert charge.by is not None
    body: dict[str, Any] = json.loads(charge.by.event["body"])
    if charge.entry.kind is EntryKind.SETTLE:
        rows = watch.rows[charge.entry.account]
        body = _settled(body, rows[hold_key(charge.entry.hold, "open")])
    return body


def relied_on(each: Asked) -> dict[str, Any]:
    """The run as it is priced: of one whose size is not said, an estimate names the price."""
    is_sized = each.body["operation"] != "chat" or {"usage", "estimate"} & each.body.keys()
    if each.promised and each.route_key == HOLD and not is_sized:
        return {**each.body, "estimate": each.promised["typical"]}
    return each.body


# ---- New prices


def judge_rerate(where: str, written: Written, watch: Watch) -> Iterator[Violation]:
    """A correction makes a charge what its run costs at a version that knows its model."""
    entry = written.entry
    charge = watch.rows[entry.account][entry.refers_to or entry.key]
    assert entry.run is not None and charge.by is not None and charge.entry.run is not None
    known = None if written.by is None else written.by.environment.world.catalog.version
    if entry.run.price_version != known:
        yield Violation("I18", where, f"priced at {entry.run.price_version}, known was {known}")
    body = _body_of(charge, watch)
    standing = watch.standing(entry.account, charge.entry.key) or NOBODY
    at = charge.entry.run.priced_at or charge.entry.at
    right = charge_of(body, entry.run.price_version, standing, at)
    if right.stands_for:
        yield Violation("I18", where, "was priced anew as a model that nobody knew")
    charged, missing = charge.entry.moved_microcredits, charge.entry.uncollected_microcredits
    change, price = -entry.delta_microcredits, right.micro
    least = min(0, price - charged)
    most = max(least, price - charged - missing)
    if not least <= change <= most or (least and change != least):
        yield Violation("I18", where, f"moved {change}, of {charged} that cost {price}")
    if charged + change + missing + entry.uncollected_microcredits != price:
        what = f"{charged} + {change} and {missing} + {entry.uncollected_microcredits} uncollected"
        yield Violation("I18", where, f"{what} are not the price {price}")


def judge_waiting(store: SimStore, watch: Watch) -> Iterator[Violation]:
    """The list of what waits for a price has every such charge, and no other."""
    listed = sorted(
        (item["account"]["S"], item["charge"]["S"], int(item["charged"]["N"]))
        for item in store.items()
        if item["pk"]["S"].startswith("Q#") and "charge" in item and "resolved_at" not in item
    )
    told = sorted(
        (name, key, entry.moved_microcredits)
        for name, book in watch.prices.items()
        for key, entry in book.waiting.items()
    )
    if listed != told:
        yield Violation("I18", "quarantine", f"lists {listed}, rows say {told}")


# ---- Refusals


def prices_then(
    each: Asked, body: dict[str, Any], seen: list[Account], attempt: Attempt
) -> set[int]:
    """What the run may have cost in any version, standing and moment of its request."""
    feature = feature_of(body["operation"])
    standings = {NOBODY}
    for account in seen:
        plans = {account.plan.id, account.plan.next_plan or account.plan.id}
        for before in (0, account.volumes.get(feature, 0)):
            standings |= {Standing(plan, Fraction(before, MICRO)) for plan in plans}
    asked: dict[str, Any] = each.body or {}
    standings |= {Standing(asked["plan"])} if "plan" in asked else set()
    moments = [moment_of(attempt.sent_us) - SKEW, moment_of(attempt.ended_us) + SKEW]
    return {
        price
        for catalog in catalogs()
        for standing in standings
        for at in moments
        if (price := _try_price(body, catalog.version, standing, at)) is not None
    }


def prices_of_settle(each: Asked, seen: list[Account], opening: Written) -> set[int]:
    """What the settle may have cost in any standing of its account then."""
    run, body = opening.entry.run, _settled(each.body, opening)
    assert run is not None
    feature = feature_of(body["operation"])
    standings = {
        Standing(plan, Fraction(before, MICRO), is_first=is_first)
        for account in seen
        for plan in (account.plan.id, account.plan.next_plan or account.plan.id)
        for before in (0, account.volumes.get(feature, 0))
        for is_first in (True, False)
    }
    at = run.priced_at or opening.entry.at
    return {price_of(body, run.price_version, standing, at) for standing in standings}


def _try_price(body: dict[str, Any], version: str, standing: Standing, at: datetime) -> int | None:
    try:
        return price_of(body, version, standing, at)
    except UnpricedError:
        return None


def moment_of(at_us: int) -> datetime:
    """The moment of the loop's clock."""
    return EPOCH + timedelta(microseconds=at_us)


def was_final(each: Asked, attempt: Attempt, watch: Watch) -> bool:
    """Whoever is told that a price is final asked for one that is."""
    del attempt
    charge = _charge_of(each, watch)
    return charge is None or charge.entry.run is None or not charge.entry.run.pending


def was_rerated(each: Asked, attempt: Attempt, watch: Watch) -> bool:
    """Somebody else had priced the charge anew by then."""
    charge = _charge_of(each, watch)
    if charge is None:
        return False
    rows = watch.rows[each.account].values()
    return any(
        row.entry.kind is EntryKind.RERATE
        and row.entry.refers_to == charge.entry.key
        and row.at_us <= attempt.ended_us
        for row in rows
    )


def was_unknown(each: Asked, attempt: Attempt, watch: Watch) -> bool:
    """Whoever is told that a model is still unknown asked a function that does not know it."""
    charge = _charge_of(each, watch)
    if charge is None or charge.entry.run is None:
        return False
    version = attempt.invocation.environment.world.catalog.version
    at = charge.entry.run.priced_at or charge.entry.at
    return bool(charge_of(_body_of(charge, watch), version, NOBODY, at).stands_for)


def _charge_of(each: Asked, watch: Watch) -> Written | None:
    body: dict[str, Any] = each.body or {}
    key = str(each.path.get("key") or body.get("key", ""))
    name = key.replace("~", "#") if "~" in key else f"c#{key}"
    return {str(k): row for k, row in watch.rows.get(each.account, {}).items()}.get(name)
