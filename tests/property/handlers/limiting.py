"""What operators and users do about spending: limits, thresholds, and budgets for others."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from .amounts import plain
from .calling import ACCOUNT, NTH, TROUBLE
from .customers import Ask
from .judging import LARGEST
from .runs import OPERATIONS, RunAsked, runs
from .stack import CALM, Trouble
from .teller import ACCOUNTS, BUDGETS, Teller

LIMITS = "PUT /v1/accounts/{id}/limits"
BUDGET = "POST /v1/accounts/{id}/budgets"
CLOSE = "POST /v1/accounts/{id}/budgets/{budget}/close"
UNSET = object()
CAP = st.sampled_from([UNSET, UNSET, None, 2, "4.5", 8, 12, 30])
CAPS = ("daily", "monthly", "per_run_max")
CHILD = st.sampled_from(BUDGETS)
PARENT = st.sampled_from([ACCOUNTS[0]] * 4 + [ACCOUNTS[1]])


class Limiting(Teller):
    """The rules of limits and budgets."""

    @rule(
        account=ACCOUNT,
        caps=st.tuples(CAP, CAP, CAP),
        thresholds=st.sampled_from([UNSET, UNSET, None, [50, 80, 100], [10], [1, 99]]),
        low=st.sampled_from([UNSET, UNSET, UNSET, None, 0, 3, 12]),
        by=st.sampled_from([UNSET, "operator", "user"]),
        is_keyed=st.booleans(),
        trouble=TROUBLE,
    )
    def set_limits(
        self,
        *,
        account: str,
        caps: tuple[object, ...],
        thresholds: object,
        low: object,
        by: object,
        is_keyed: bool,
        trouble: Trouble,
    ) -> None:
        """Limits are set, changed or lifted; what was consumed stays consumed."""
        said = dict(zip(CAPS, caps, strict=True))
        said |= {"alert_thresholds": thresholds, "low_balance": low, "set_by": by}
        body = {name: value for name, value in said.items() if value is not UNSET}
        if {*body} - {"set_by"}:
            self.ask(Ask(LIMITS, account, body, self.key() if is_keyed else ""), trouble)

    @rule(account=ACCOUNT, name=st.sampled_from(CAPS), more=st.sampled_from([-1, 0, 1, 2_000_000]))
    def limit_to_what_was_spent(self, account: str, name: str, more: int) -> None:
        """A limit just at, below or above what is spent and held already."""
        state = self.customers[account].state(self.now())
        day, month, _ = state.windows()
        amount = {"daily": day, "monthly": month, "per_run_max": 0}[name] + state.held() + more
        if 0 < amount <= LARGEST:
            self.ask(Ask(LIMITS, account, {name: plain(amount)}, self.key()))

    @rule(
        parent=PARENT,
        child=CHILD,
        part=st.integers(0, 4),
        more=st.sampled_from([0, 0, 0, 1]),
        cap=CAP,
        trouble=TROUBLE,
    )
    def fund(
        self, *, parent: str, child: str, part: int, more: int, cap: object, trouble: Trouble
    ) -> None:
        """A quarter to all of what is there is lent, or one micro-credit too many."""
        state = self.customers[parent].state(self.now())
        amount = state.available() * part // 4 + more
        if 0 < amount <= LARGEST:
            body: dict[str, Any] = {"budget": child, "amount": plain(amount), "reason": "run"}
            if cap is not UNSET:
                body["daily"] = cap
            self.ask(Ask(BUDGET, parent, body, self.key()), trouble)

    @rule(parent=PARENT, child=CHILD, trouble=TROUBLE)
    def close_budget(self, parent: str, child: str, trouble: Trouble) -> None:
        """What is left comes back."""
        self.ask(Ask(CLOSE, parent, {"reason": "done"}, self.key(), child), trouble)

    @rule(child=CHILD, run=runs(OPERATIONS), nth=NTH)
    def spend_in_a_budget(self, child: str, run: RunAsked, nth: int) -> None:
        """A run of the child's, charged or held: it touches only the child."""
        if self.customers[child].parent is None:
            return
        if nth % 3:
            self.ask(Ask("POST /v1/deduct", child, run.body, self.key(), used=run.used), CALM)
        else:
            self.ask(Ask("POST /v1/holds", child, run.body, self.key(), used=run.used), CALM)
