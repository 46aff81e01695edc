"""One run: what it may say about itself, and what is owed when it ends."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from tollkeeper_client.amounts import Amount, write_amount, write_json
from tollkeeper_client.answers import Hold, Settlement
from tollkeeper_client.calls import HoldMembers
from tollkeeper_client.errors import UsageUnreadableError
from tollkeeper_client.usage import RunUsage, find_report, read_usage

# The API takes 4096 bytes; what this client adds fits into the rest.
MOST_METADATA_BYTES = 3900
WithoutUsage = Literal["hold", "nothing"]
RunState = Literal["new", "open", "settled", "released", "pending"]
Look = Callable[[Any], object]
"""Takes what a function returned or yielded to what may carry a usage report."""


class MeterMembers(HoldMembers, total=False):
    """What a metered run may say.

    Shape: `without_usage` is what a run costs that answered and reported no usage: what was set
    aside for it ("hold", the default), or "nothing".
    """

    without_usage: WithoutUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What a run was opened with."""

    run_id: str
    account: str
    operation: str
    members: HoldMembers
    is_local: bool
    without_usage: WithoutUsage = "hold"


@dataclass(eq=False, kw_only=True)
class Run:
    """A run under way. Its function notes what was used; the client does the rest.

    Shape: `state` is `pending` where the charge is journalled and has not reached Tollkeeper
    yet; `settlement` is None until it has. `quantity` and `amount` say what the run used, where
    the operation is not counted in tokens. `metadata` goes into the ledger with the settle.
    """

    plan: RunPlan
    began_s: float = 0.0
    hold: Hold | None = None
    reservation: str | None = None
    state: RunState = "new"
    settlement: Settlement | None = None
    metadata: dict[str, object] = field(default_factory=dict[str, object])
    used: RunUsage = field(default_factory=RunUsage, repr=False)
    has_answered: bool = False
    _quantity: Amount | None = None
    _amount: Amount | None = None

    @property
    def id(self) -> str:
        """The run's id, which is its hold's."""
        return self.plan.run_id

    @property
    def usage(self) -> list[dict[str, object]]:
        """The reports that will be sent, one for each call at a provider."""
        return [report.to_wire() for report in self.used.reports()]

    @property
    def quantity(self) -> Amount | None:
        """How many units the run used, where the function said so."""
        return self._quantity

    @quantity.setter
    def quantity(self, value: Amount) -> None:
        """The run used so many. Raises: InvalidAmountError."""
        write_amount(value, "quantity")
        self._quantity = value

    @property
    def amount(self) -> Amount | None:
        """The credits that the run is charged, where the function said so."""
        return self._amount

    @amount.setter
    def amount(self, value: Amount) -> None:
        """The run is charged so much. Raises: InvalidAmountError."""
        write_amount(value, "amount")
        self._amount = value

    def note(self, usage: object) -> bool:
        """The run used this: a provider's answer, its usage object, or counts by pool.

        For one answer the last note wins; an answer with another id is charged beside it. False
        where no usage was found; that is no error, so that no answer is lost for it.
        """
        try:
            self.used.note(read_usage(usage))
        except UsageUnreadableError:
            return False
        return True

    def see(self, item: object, look: Look | None) -> None:
        """What the function returned or yielded is read for usage; most of it has none."""
        report = None if look is None else find_report(look(item))
        if report is not None:
            self.used.imply(report)

    @contextlib.contextmanager
    def as_current(self) -> Generator[None]:
        """`current_run()` is this run."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)


_CURRENT: contextvars.ContextVar[Run] = contextvars.ContextVar("tollkeeper_run")


def current_run() -> Run:
    """The run of the metered function that is executing. Raises: LookupError outside of one."""
    try:
        return _CURRENT.get()
    except LookupError:
        raise LookupError("no metered function is executing here") from None


def decide_charges(run: Run, *, has_failed: bool) -> list[dict[str, object]]:
    """What is charged for the run, one member set for each settle; none: it is released.

    What was seen to be used is charged, whether the run succeeded, failed or was given up. A run
    that failed before it answered anything is free. One that answered, and of which nothing is
    known, is charged what was set aside for it: that is what the account was found able to pay,
    and the provider bills for it too. An operation by units is charged by them, whatever a
    provider reports.
    """
    if run.amount is not None:
        return [{"amount": run.amount}]
    if run.quantity is not None:
        return [{"quantity": run.quantity}]
    reports = run.used.reports()
    if has_failed and not run.has_answered and not reports:
        return []
    planned = run.plan.members.get("quantity")
    if planned is not None:
        return [{"quantity": planned}]
    if reports:
        return [{"usage": report} for report in reports]
    if run.plan.without_usage == "nothing":
        return []
    return [_whole_hold(run)] if run.hold is None or run.hold.held else []


def _whole_hold(run: Run) -> dict[str, object]:
    """All that was set aside; without a hold, what it was expected to use."""
    if run.hold is not None:
        return {"amount": run.hold.held}
    expected = run.plan.members.get("usage")
    return {} if expected is None else {"usage": expected}


def describe_end(run: Run, *, has_failed: bool) -> dict[str, object]:
    """The metadata of the settle: the run's own, and why it is charged where that is not plain."""
    told = _within_bounds(run.metadata)
    if has_failed:
        told.setdefault("ended", "aborted" if run.has_answered else "failed")
    is_known = run.used.reports() or run.amount is not None or run.quantity is not None
    if not is_known and run.plan.members.get("quantity") is None:
        told.setdefault("usage", "not reported")
    return told


def _within_bounds(metadata: dict[str, object]) -> dict[str, object]:
    """The metadata, where it can be sent. Why: no charge must be refused for a note beside it."""
    try:
        size = len(write_json(metadata).encode())
    except (TypeError, ValueError):
        return {"metadata": "could not be sent"}
    return dict(metadata) if size <= MOST_METADATA_BYTES else {"metadata": "was too large"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FailOpen:
    """How much may go ahead while Tollkeeper cannot be reached.

    Shape: at most `runs` runs and `credits` credits are outstanding at once, over all processes
    that share the journal; a run without an estimate counts as `credits_per_run`. A hold is
    tried for `deadline_s` seconds before the run goes ahead without it.
    """

    runs: int
    credits: Decimal
    credits_per_run: Decimal
    deadline_s: float = 3.0

    def __post_init__(self) -> None:
        if self.runs < 1 or self.credits <= 0 or self.credits_per_run <= 0:
            raise ValueError("runs, credits and credits_per_run must be greater than 0")


def milliseconds(began_s: float, ended_s: float) -> int:
    """How long the run took, in whole milliseconds."""
    return max(0, round((ended_s - began_s) * 1000))
