"""An independent count of what an account's answers said, to hold its stats against."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.driving import Answered, Driver

D = Decimal
NOTHING = D(0)


@dataclass(frozen=True)
class Counted:
    """What one answer adds to the stats of its day."""

    day: date
    operation: str
    model: str | None
    feature: str | None
    calls: int = 0
    failed: int = 0
    credits: Decimal = NOTHING
    refunded: Decimal = NOTHING
    cost: Decimal = NOTHING
    tokens: dict[str, int] = field(default_factory=dict[str, int])


class Life:
    """One account: requests that its test makes up, and a count of what was answered."""

    def __init__(self, driver: Driver, account: str, zone: str) -> None:
        self.driver = driver
        self.account = account
        self.zone = ZoneInfo(zone)
        self.counted: list[Counted] = []
        self.charges: dict[str, Counted] = {}
        self.numbers = iter(range(10**6))
        path = {"id": account}
        opened = driver.call("PUT /v1/accounts/{id}/profile", {"zone": zone}, path=path, key="open")
        assert opened.status == 200, opened.text

    def today(self) -> date:
        """The local day."""
        return self.driver.clock.now().astimezone(self.zone).date()

    def charge(self, run: dict[str, Any], *, success: bool) -> None:
        """A run; one that is refused counts nothing."""
        key = f"k{next(self.numbers)}"
        answer = self.driver.deduct(self.account, key=key, success=success, **run)
        assert answer.status in (200, 402), answer.text
        if answer.status == 402:
            return
        usage = dict(run.get("usage", {}))
        cost = usage.pop("cost", D(0))
        names = {"prompt_tokens": "input", "completion_tokens": "output"}
        tokens = {names[name]: count for name, count in usage.items() if count}
        feature = "/".join(run[n] for n in ("feature", "subtype") if n in run) or None
        counted = Counted(self.today(), run["operation"], run.get("model"), feature)
        if not success:
            self.counted.append(replace(counted, failed=1))
            return
        paid = replace(counted, calls=1, credits=D(answer["charged"]), cost=cost, tokens=tokens)
        self.counted.append(paid)
        self.charges[key] = paid

    def give_back(self, which: int, part: Decimal | None) -> None:
        """One of the charges: all of it (a void), or a part (a refund)."""
        keys = sorted(self.charges)
        if not keys:
            return
        charge = self.charges.pop(keys[which % len(keys)])
        key = keys[which % len(keys)]
        mine = f"b{next(self.numbers)}"
        today = self.today()
        if part is None:
            assert self.driver.void(self.account, key, mine).status == 200
            tokens = {name: -count for name, count in charge.tokens.items()}
            back = replace(charge, day=today, calls=-1, credits=-charge.credits, tokens=tokens)
            self.counted.append(replace(back, cost=-charge.cost))
            return
        amount = (charge.credits * part).quantize(D("0.000001"))
        if amount > 0:
            assert self.refund(key, amount, mine).status == 201
            none = Counted(today, charge.operation, charge.model, charge.feature)
            self.counted.append(replace(none, credits=-amount, refunded=amount))

    def refund(self, charge: str, amount: Decimal, key: str) -> Answered:
        """A part of a charge, given back."""
        body = {"key": charge, "amount": str(amount), "reason": "r"}
        route = "POST /v1/accounts/{id}/refunds"
        return self.driver.call(route, body, path={"id": self.account}, key=key)

    def check(self, first: date, last: date) -> None:
        """Every view of the stats is the count of what was answered."""
        span = {"from": first.isoformat(), "to": last.isoformat()}
        inside = [each for each in self.counted if first <= each.day <= last]
        for bucket in ("day", "week", "month"):
            for group in (None, "operation", "model", "feature"):
                by = {"group_by": group} if group else {}
                shown = self.driver.stats(self.account, bucket=bucket, **span, **by)
                found = {(row["bucket"], row.get(group or "")): row for row in shown["rows"]}
                assert len(found) == len(shown["rows"]), "no group is shown twice"
                buckets: dict[tuple[str, Any], list[Counted]] = defaultdict(list)
                for each in inside:
                    name = getattr(each, group) if group else None
                    buckets[name_bucket(each.day, bucket), name].append(each)
                assert set(found) <= set(buckets)
                for place, counted in buckets.items():
                    row = found.get(place, show([]))
                    assert {name: row[name] for name in show([])} == show(counted), (place, bucket)
                assert shown["totals"] == show(inside)


def name_bucket(day: date, bucket: str) -> str:
    """The day's bucket, worked out in another way."""
    if bucket == "month":
        return day.strftime("%Y-%m")
    while bucket == "week" and day.strftime("%a") != "Mon":
        day -= timedelta(days=1)
    return str(day)


def show(counted: list[Counted]) -> dict[str, Any]:
    """The sum as the API shows it."""
    tokens: dict[str, int] = defaultdict(int)
    for each in counted:
        for name, count in each.tokens.items():
            tokens[name] += count
    calls = sum(each.calls for each in counted)
    credits = sum((each.credits for each in counted), D(0))
    cost = sum((each.cost for each in counted), D(0))
    average = (credits / calls).quantize(D("0.000001"), ROUND_FLOOR) if calls > 0 else D(0)
    return {
        "calls": calls,
        "failed": sum(each.failed for each in counted),
        "credits": credits,
        "refunded": sum((each.refunded for each in counted), D(0)),
        "tokens": {name: count for name, count in tokens.items() if count},
        "tokens_total": sum(tokens.values()),
        "cost_usd": f"{cost:.12f}".rstrip("0").rstrip("."),
        "average_credits": average,
    }
