"""What operators do: grants, corrections, plans, profiles and standing."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from .amounts import plain
from .calling import ACCOUNT, ADJUST, GRANT, NTH, TROUBLE
from .customers import Ask
from .judging import LARGEST
from .stack import Trouble
from .teller import Teller

PLAN = "PUT /v1/accounts/{id}/plan"
PROFILE = "PUT /v1/accounts/{id}/profile"
AMOUNT = st.one_of(
    st.integers(1, 12).map(lambda n: n * 1_000_000),
    st.integers(1, 9_999_999),
    st.just(10**15),
)
LASTING = st.one_of(
    st.integers(1, 3000).map(lambda n: timedelta(milliseconds=n)),
    st.integers(1, 90).map(lambda n: timedelta(minutes=n)),
    st.integers(1, 40).map(lambda n: timedelta(hours=n)),
    st.integers(1, 45).map(lambda n: timedelta(days=n)),
)
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/Los_Angeles",
    "America/Santiago",  # its clocks go forward at midnight: some days begin at 01:00
    "Africa/Cairo",
    "Pacific/Kiritimati",  # fourteen hours ahead, twenty-five from the next
    "Pacific/Pago_Pago",
]
PLANS = ["free", "rolling", "capped", "bare"]
CROWD = 41
CROWDED = 17


def write_moment(moment: datetime, zone_hours: int) -> str:
    """The moment as a request says it, in some offset, with nothing below a millisecond."""
    local = moment + timedelta(hours=zone_hours)
    text = local.replace(tzinfo=None).isoformat(timespec="milliseconds")
    return f"{text}+{zone_hours:02d}:00" if zone_hours else f"{text}Z"


class Operating(Teller):
    """The rules of operators."""

    @rule(
        account=ACCOUNT,
        kind=st.sampled_from([None, "promo", "pack", "adjustment"]),
        amount=AMOUNT,
        priority=st.sampled_from([None, None, 0, 20, 60]),
        later=st.one_of(st.none(), st.just(timedelta(0)), LASTING),
        lasts=st.one_of(st.none(), LASTING),
        trouble=TROUBLE,
    )
    def grant(
        self,
        *,
        account: str,
        kind: str | None,
        amount: int,
        priority: int | None,
        later: timedelta | None,
        lasts: timedelta | None,
        trouble: Trouble,
    ) -> None:
        """Credits come, now or later, for a while or for good."""
        body: dict[str, Any] = {"amount": plain(amount), "reason": "welcome"}
        now = self.stack.clock.moment
        if kind is not None:
            body["kind"] = kind
        if priority is not None:
            body["priority"] = priority
        if later is not None:
            body["effective_at"] = write_moment(now + later, 0)
        if lasts is not None:
            body["expires_at"] = write_moment(now + (later or timedelta(0)) + lasts, 5)
        self.ask(Ask(GRANT, account, body, self.key()), trouble)

    @rule(account=ACCOUNT, kind=st.sampled_from(["promo", "adjustment", "pack"]), nth=NTH)
    def crowd(self, account: str, kind: str, nth: int) -> None:
        """Grants come until the account holds as many as it may, and one more is refused."""
        if nth != CROWDED or len(self.asked) > CROWD:
            return
        for _ in range(CROWD):
            body = {"amount": 1, "reason": "many", "kind": kind}
            self.ask(Ask(GRANT, account, body, self.key()))

    @rule(
        account=ACCOUNT,
        amount=st.one_of(AMOUNT, st.none()),
        more=st.sampled_from([0, 0, 1]),
        is_up=st.booleans(),
        trouble=TROUBLE,
    )
    def adjust(
        self, account: str, amount: int | None, more: int, is_up: bool, trouble: Trouble
    ) -> None:
        """A correction; down only as far as there is something: all of it, and not one more."""
        if amount is None:
            amount = self.customers[account].state(self.now()).available() + more
        if 0 < amount <= LARGEST:
            text = plain(amount) if is_up else f"-{plain(amount)}"
            self.ask(Ask(ADJUST, account, {"amount": text, "reason": "wrong"}, self.key()), trouble)

    @rule(
        account=ACCOUNT,
        plan=st.sampled_from(PLANS),
        by_role=st.sampled_from([False, False, True]),
        at=st.sampled_from([None, "now", "period_end"]),
        anchor_days=st.sampled_from([None, None, None, -11, 0, 17, 40]),
        is_keyed=st.booleans(),
        and_back=st.sampled_from([False, False, True]),
        trouble=TROUBLE,
    )
    def change_plan(
        self,
        *,
        account: str,
        plan: str,
        by_role: bool,
        at: str | None,
        anchor_days: int | None,
        is_keyed: bool,
        and_back: bool,
        trouble: Trouble,
    ) -> None:
        """Another plan, or another anchor, now or at the period's end; and perhaps back again."""
        state = self.customers[account].state(self.now())
        roles = {"rolling": "coach", "capped": "admin"}
        body: dict[str, Any] = (
            {"role": roles[plan]} if by_role and plan in roles else {"plan": plan}
        )
        if at is not None:
            body["at"] = at
        if anchor_days is not None:
            today = date.fromordinal(state.today)
            body["anchor"] = (today + timedelta(days=anchor_days)).isoformat()
        self.ask(Ask(PLAN, account, body, self.key() if is_keyed else ""), trouble)
        if and_back:
            when = {} if at is None else {"at": at}
            self.ask(Ask(PLAN, account, {"plan": state.plan, **when}))

    @rule(
        account=ACCOUNT,
        zone=st.sampled_from([None, *ZONES]),
        name=st.sampled_from([None, None, "Ada", "Grace"]),
        is_keyed=st.booleans(),
        trouble=TROUBLE,
    )
    def change_profile(
        self, account: str, zone: str | None, name: str | None, is_keyed: bool, trouble: Trouble
    ) -> None:
        """The account moves to another zone, or has another name."""
        body = {k: v for k, v in (("zone", zone), ("name", name)) if v is not None}
        if body:
            self.ask(Ask(PROFILE, account, body, self.key() if is_keyed else ""), trouble)

    @rule(
        account=ACCOUNT,
        kind=st.sampled_from([*["freeze", "unfreeze"] * 4, "unfreeze", "close"]),
        trouble=TROUBLE,
    )
    def change_standing(self, account: str, kind: str, trouble: Trouble) -> None:
        """Frozen, active again, or closed for good."""
        route = f"POST /v1/accounts/{{id}}/{kind}"
        self.ask(Ask(route, account, {"reason": "support"}, self.key()), trouble)
