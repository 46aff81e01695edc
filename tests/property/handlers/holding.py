"""What backends do around long calls: hold, settle in parts, release, extend, come late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.model import Held

from .amounts import plain
from .calling import ACCOUNT, NTH, OPENING, TROUBLE
from .customers import Ask
from .judging import LARGEST
from .pricelist import Used
from .runs import COUNTED, OPERATIONS, RunAsked, runs
from .stack import CALM, Trouble
from .teller import Teller

HOLD = "POST /v1/holds"
SETTLE = "POST /v1/holds/{hold_id}/settle"
RELEASE = "POST /v1/holds/{hold_id}/release"
EXTEND = "POST /v1/holds/{hold_id}/extend"
LASTS = st.sampled_from([None, None, 1, 60, 3600, 86_400])
ESTIMATES = st.sampled_from([None, None, 1, 2, "2.5", "0.000001", 7])
MOST = st.sampled_from([None, None, None, None, 1, "2.5", 100])
# How much of the hold the call used, in quarters of it, and a micro-credit beside that.
QUARTERS = st.sampled_from(
    [(0, 1), (1, 0), (2, 0), (3, 0), (4, -1), (4, 0), (4, 1), (5, 0), (9, 0)]
)


class Holding(Teller):
    """The rules of long calls."""

    def hold(self, account: str, body: dict[str, Any], run: RunAsked, trouble: Trouble) -> Ask:
        """A hold is opened, by a header or by a member, or refused."""
        key = self.key()
        asked = {**run.body, **body}
        is_named = self.keys % 3 == 0
        if is_named or self.keys % 3 == 1:
            asked["hold_id"] = key
        ask = Ask(HOLD, account, asked, "" if is_named else key, used=run.used)
        self.ask(ask, trouble)
        return ask

    @rule(
        account=ACCOUNT,
        run=runs(OPERATIONS),
        estimate=ESTIMATES,
        most=MOST,
        lasts=LASTS,
        opening=st.sampled_from(OPENING),
        trouble=TROUBLE,
    )
    def open_hold(
        self,
        *,
        account: str,
        run: RunAsked,
        estimate: object,
        most: object,
        lasts: int | None,
        opening: dict[str, str],
        trouble: Trouble,
    ) -> None:
        """Credits are set aside for a run that is about to be made."""
        body: dict[str, Any] = dict(opening)
        if estimate is not None and not {"usage", "quantity", "resource"} & run.body.keys():
            body["estimate"] = estimate
        if most is not None:
            body["per_run_max"] = most
        if lasts is not None:
            body["expires_in_s"] = lasts
        self.hold(account, body, run, trouble)

    @rule(
        account=ACCOUNT,
        part=st.integers(1, 4),
        more=st.sampled_from([-1, 0, 0, 1]),
        is_on_credit=st.booleans(),
        lasts=LASTS,
    )
    def hold_a_part(
        self, *, account: str, part: int, more: int, is_on_credit: bool, lasts: int | None
    ) -> None:
        """A quarter to all of what is there is set aside, or one micro-credit too many."""
        state = self.customers[account].state(self.now())
        amount = (state.spendable() if is_on_credit else state.available()) * part // 4 + more
        if 0 < amount <= LARGEST:
            body: dict[str, Any] = {"estimate": plain(amount)}
            if lasts is not None:
                body["expires_in_s"] = lasts
            self.hold(account, body, RunAsked({"operation": "exact"}, None), CALM)

    @rule(account=ACCOUNT, run=runs(COUNTED), times=st.integers(1, 4))
    def hold_what_is_counted(self, account: str, run: RunAsked, times: int) -> None:
        """Runs that plans count are held, until the plan allows no more."""
        for _ in range(times):
            self.hold(account, {}, run, CALM)

    def find_hold(self, account: str, nth: int) -> Held | None:
        """One that is open, mostly; else any."""
        customer = self.customers[account]
        if not customer.terms:
            return None
        state = customer.state(self.now())
        found = state.open_holds() if nth % 4 else [*state.holds.values()]
        return found[-1 - nth % len(found)] if found else None

    @rule(
        account=ACCOUNT,
        nth=NTH,
        used=QUARTERS,
        is_part=st.sampled_from([False, False, True]),
        trouble=TROUBLE,
    )
    def settle_an_amount(
        self, account: str, nth: int, used: tuple[int, int], is_part: bool, trouble: Trouble
    ) -> None:
        """So much of the hold was used, or more than it."""
        held = self.find_hold(account, nth)
        if held is not None:
            amount = (held.rest or held.amount) * used[0] // 4 + used[1]
            self.settle(account, held, {"amount": plain(max(1, amount))}, trouble, is_part=is_part)

    @rule(
        account=ACCOUNT,
        nth=NTH,
        run=runs(OPERATIONS),
        is_part=st.sampled_from([False, False, True]),
        trouble=TROUBLE,
    )
    def settle_usage(
        self, account: str, nth: int, run: RunAsked, is_part: bool, trouble: Trouble
    ) -> None:
        """What the provider reported, or a quantity, is priced as the hold was."""
        held = self.find_hold(account, nth)
        names = {"usage", "quantity", "resource"} & run.body.keys()
        if held is None or len(names) != 1:
            return
        body = {name: run.body[name] for name in names}
        used = run.used if "usage" in body else None
        if "model" in run.body and held.model is not None:
            others = ("model", "provider", "service_tier")
            body |= {name: run.body[name] for name in others if name in run.body}
        self.settle(account, held, body, trouble, used=used, is_part=is_part)

    def settle(
        self,
        account: str,
        held: Held,
        body: dict[str, Any],
        trouble: Trouble,
        *,
        used: Used | None = None,
        is_part: bool = False,
    ) -> None:
        """The hold is settled, in part or whole, or not, as the model says."""
        said = {**body, "final": False} if is_part else body
        key = self.key() if is_part else ""
        self.ask(Ask(SETTLE, account, said, key, held.id, used), trouble)

    @rule(account=ACCOUNT, nth=NTH, reason=st.sampled_from(["failed", "stopped"]), trouble=TROUBLE)
    def release(self, account: str, nth: int, reason: str, trouble: Trouble) -> None:
        """The call did not happen."""
        held = self.find_hold(account, nth)
        if held is not None:
            self.ask(Ask(RELEASE, account, {"reason": reason}, "", held.id), trouble)

    @rule(
        account=ACCOUNT,
        nth=NTH,
        lasts=st.sampled_from([1, 60, 3600, 86_400]),
        times=st.sampled_from([1, 1, 1, 11]),
        trouble=TROUBLE,
    )
    def extend(self, account: str, nth: int, lasts: int, times: int, trouble: Trouble) -> None:
        """The call takes longer."""
        held = self.find_hold(account, nth)
        if held is None:
            return
        for _ in range(times):
            ask = Ask(EXTEND, account, {"expires_in_s": lasts}, self.key(), held.id)
            self.ask(ask, trouble)

    @rule(
        account=ACCOUNT,
        part=st.integers(1, 4),
        used=QUARTERS,
        minutes=st.sampled_from([0, 0, 14, 15, 40, 1440]),
        trouble=TROUBLE,
    )
    def hold_and_settle(
        self, account: str, part: int, used: tuple[int, int], minutes: int, trouble: Trouble
    ) -> None:
        """A call that takes a while; some come back after their hold expired."""
        state = self.customers[account].state(self.now())
        amount = min(state.available() * part // 4, LARGEST)
        if amount <= 0:
            return
        body = {"estimate": plain(amount)}
        ask = self.hold(account, body, RunAsked({"operation": "exact"}, None), CALM)
        self.stack.clock.moment += timedelta(minutes=minutes)
        customer = self.customers[account]
        if ask.hold() in customer.terms:
            held = customer.state(self.now()).holds[ask.hold()]
            amount = max(1, held.amount * used[0] // 4 + used[1])
            self.settle(account, held, {"amount": plain(amount)}, trouble)

    @rule(account=ACCOUNT, other=ACCOUNT, nth=NTH, route=st.sampled_from([SETTLE, RELEASE, EXTEND]))
    def close_what_is_none(self, account: str, other: str, nth: int, route: str) -> None:
        """I20: what is no hold, or another account's, is not found."""
        ids = ["unheard-of", *[hold for hold in self.customers[other].terms]]
        hold = ids[nth % len(ids)]
        if hold in self.customers[account].terms:
            return
        bodies: dict[str, dict[str, Any]] = {
            SETTLE: {"amount": 1},
            RELEASE: {"reason": "none"},
            EXTEND: {"expires_in_s": 60},
        }
        key = self.key() if route == EXTEND else ""
        self.ask(Ask(route, account, bodies[route], key, hold))
