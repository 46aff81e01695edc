"""What both clients do: ask, set aside, charge, give back, and recover what is left."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import TypeVar, cast

from tollkeeper_client import calls, local_answers
from tollkeeper_client.amounts import write_amount
from tollkeeper_client.answers import Settlement
from tollkeeper_client.calls import Call, DeductMembers, HoldMembers, RunMembers, SettleMembers
from tollkeeper_client.errors import (
    ApiError,
    FailOpenLimitError,
    JournalError,
    SettleRefusedError,
    TollkeeperClientError,
    UnavailableError,
    UnreadableAnswerError,
)
from tollkeeper_client.journal import Bounds, Journal, Wish, wish_name
from tollkeeper_client.runs import (
    FailOpen,
    MeterMembers,
    Run,
    RunPlan,
    decide_charges,
    describe_end,
    milliseconds,
)
from tollkeeper_client.sending import Patience, Port, Reply, Request, send_until_answered
from tollkeeper_client.surroundings import Surroundings

T = TypeVar("T")
LOG = logging.getLogger("tollkeeper_client")
# Refusals that no later try can change; all others leave the wish in the journal.
FINAL = frozenset({400, 404, 409, 413, 422})
DEFAULT_HOLD_S = 900
ABANDONED = "the run failed"
UNANSWERED = "its hold was not answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What a recovery did: how many it delivered, how many still wait, and what was refused."""

    delivered: int
    waiting: int
    refused: tuple[Wish, ...]


@dataclass(frozen=True, kw_only=True)
class Core:
    """The work of a client over a port, blocking or not."""

    server: str
    port: Port
    journal: Journal
    patience: Patience
    around: Surroundings
    local_operations: frozenset[str]
    fail_open: FailOpen | None

    # ---- One call

    async def ask(self, call: Call[T], *, patience: Patience | None = None) -> T:
        """The answer to the call. Raises: TollkeeperClientError."""
        return call.read(await self._send(call.request, patience))

    async def _send(self, request: Request, patience: Patience | None = None) -> Reply:
        return await send_until_answered(
            self.port, request, patience=patience or self.patience, around=self.around
        )

    def new_key(self) -> str:
        """A key that nobody has, for one logical call and all its tries."""
        return f"call_{self.around.new_id()}"

    async def settle(self, call: Call[Settlement]) -> Settlement:
        """The hold is settled; where that did not get through, the journal keeps the wish.

        Raises: TollkeeperClientError.
        """
        wish = self._wish(call.request)
        await self._keep([wish])
        try:
            reply = await self._send(wish.request)
        except ApiError as refusal:
            if refusal.status in FINAL:
                await self._forget(wish.name)
            raise
        await self._forget(wish.name)
        return call.read(reply)

    # ---- A run begins

    def plan(self, account: str, operation: str, given: MeterMembers) -> RunPlan:
        """What a run will be opened with, under an id that nobody has."""
        members = {name: each for name, each in given.items() if name != "without_usage"}
        return RunPlan(
            run_id=f"run_{self.around.new_id()}",
            account=account,
            operation=operation,
            members=cast("HoldMembers", members),
            is_local=operation in self.local_operations,
            without_usage=given.get("without_usage", "hold"),
        )

    async def open(self, run: Run) -> None:
        """Credits are set aside for the run, or it may go ahead without.

        Raises: TollkeeperClientError; then the run must not go ahead.
        """
        if run.state != "new":
            raise RuntimeError("a run is opened once; every run needs a meter of its own")
        if not run.plan.is_local:
            await self._set_aside(run)
        run.state = "open"
        run.began_s = self.around.monotonic()

    async def _set_aside(self, run: Run) -> None:
        plan = run.plan
        call = calls.hold(plan.account, plan.operation, hold_id=plan.run_id, **plan.members)
        patience = self.patience
        if self.fail_open is not None:
            patience = replace(patience, deadline_s=self.fail_open.deadline_s)
        try:
            run.hold = await self.ask(call, patience=patience)
        except UnavailableError as fault:
            await self._go_ahead(run, fault)
        except ApiError as refusal:
            if refusal.status >= 500:
                await self._give_back_later(run)
            raise
        except BaseException:
            await self._give_back_later(run)
            raise

    async def _go_ahead(self, run: Run, fault: UnavailableError) -> None:
        """The run may go ahead without a hold, within the bounds. Raises: what went wrong."""
        if fault.is_outcome_unknown:
            await self._give_back_later(run)
        if self.fail_open is None:
            raise fault
        reserved = Wish(
            name=f"{self.server} reservation {run.id}",
            server=self.server,
            request=Request("POST", "/v1/deduct"),
            credits=self._estimate(run, self.fail_open),
            ends_at_s=self._ends_at_s(run),
        )
        may_go = await self.port.aside(
            partial(
                self.journal.reserve,
                reserved,
                bounds=Bounds(runs=self.fail_open.runs, credits=self.fail_open.credits),
                now_s=self.around.now().timestamp(),
            )
        )
        if not may_go:
            raise FailOpenLimitError(
                "Tollkeeper cannot be reached, and no more may go ahead without it"
            ) from fault
        run.reservation = reserved.name
        LOG.warning("run %s goes ahead without a hold: %s", run.id, fault)

    def _estimate(self, run: Run, bounds: FailOpen) -> Decimal:
        given = run.plan.members.get("estimate", bounds.credits_per_run)
        return Decimal(write_amount(given, "estimate"))

    async def _give_back_later(self, run: Run) -> None:
        """A hold that was perhaps made without our knowing is given back by a recovery.

        Why: nobody else knows its id, and until it expires its credits are of no use to anyone.
        """
        wish = self._release_wish(run, UNANSWERED)
        await self._keep([replace(wish, ends_at_s=self._ends_at_s(run))])

    def _ends_at_s(self, run: Run) -> float:
        """When a hold that is made now expires by itself."""
        lasts_s = run.plan.members.get("expires_in_s", DEFAULT_HOLD_S)
        return self.around.now().timestamp() + lasts_s

    # ---- A run ends

    async def finish(self, run: Run, error: BaseException | None) -> None:
        """The run is charged what it used, or given back; once, however often this is called.

        Where Tollkeeper cannot be reached the journal keeps the charge and the run is `pending`:
        the work is done, and its result must not be lost for that.
        Raises: SettleRefusedError, unless the run itself has failed.
        """
        if run.state != "open":
            return
        run.state = "pending"
        if run.plan.is_local:
            run.state, run.settlement = "settled", local_answers.settlement()
            return
        try:
            await self._charge(run, has_failed=error is not None)
        except TollkeeperClientError:
            if error is None:
                raise
            LOG.exception("run %s failed, and could not be charged", run.id)

    async def _charge(self, run: Run, *, has_failed: bool) -> None:
        charges = decide_charges(run, has_failed=has_failed)
        told = self._told(run, has_failed=has_failed)
        if run.hold is None:
            await self._charge_later(run, charges, told)
        elif charges:
            await self._settle_all(run, self._settles(run, charges, told))
        else:
            await self._release(run)

    def _told(self, run: Run, *, has_failed: bool) -> SettleMembers:
        told: SettleMembers = {
            "response_time_ms": milliseconds(run.began_s, self.around.monotonic())
        }
        metadata = describe_end(run, has_failed=has_failed)
        if metadata:
            told["metadata"] = metadata
        return told

    def _settles(
        self, run: Run, charges: Sequence[dict[str, object]], told: SettleMembers
    ) -> list[Call[Settlement]]:
        """One settle for each charge; all but the last leave the hold open."""
        settles: list[Call[Settlement]] = []
        for number, charge in enumerate(charges, 1):
            members = cast("SettleMembers", {**told, **charge})
            part_key = None if number == len(charges) else f"{run.id}.{number}"
            settles.append(calls.settle(run.id, run.plan.account, part_key=part_key, **members))
        return settles

    async def _settle_all(self, run: Run, settles: Sequence[Call[Settlement]]) -> None:
        wishes = [self._wish(settle.request) for settle in settles]
        is_kept = await self._keep(wishes)
        for settle, wish in zip(settles, wishes, strict=True):
            try:
                reply = await self._send(wish.request)
                run.settlement = settle.read(reply)
            except ApiError as refusal:
                if refusal.status in FINAL:
                    await self._refuse(wish, refusal)
                self._leave(run, refusal, is_kept=is_kept)
                return
            except (UnavailableError, UnreadableAnswerError) as fault:
                self._leave(run, fault, is_kept=is_kept)
                return
            await self._forget(wish.name)
        run.state = "settled"

    def _leave(self, run: Run, fault: TollkeeperClientError, *, is_kept: bool) -> None:
        """The charge is left to a recovery. Raises: the fault, where the journal has it not."""
        if not is_kept:
            raise fault
        LOG.warning("run %s: its charge waits in the journal: %s", run.id, fault)

    async def _refuse(self, wish: Wish, refusal: ApiError) -> None:
        """The journal keeps what was refused. Raises: SettleRefusedError."""
        await self.port.aside(partial(self.journal.refuse, wish.name, str(refusal)))
        raise SettleRefusedError(f"The run is done, but not charged: {refusal}") from refusal

    async def _release(self, run: Run) -> None:
        """The hold is given back, now or by a recovery; at the latest it expires by itself."""
        wish = self._release_wish(run, ABANDONED)
        run.state = "released"
        try:
            await self._send(wish.request)
        except TollkeeperClientError as fault:
            LOG.warning("run %s: its hold is not released yet: %s", run.id, fault)
            if not (isinstance(fault, ApiError) and fault.status in FINAL):
                await self._keep([wish])

    async def _charge_later(
        self, run: Run, charges: Sequence[dict[str, object]], told: SettleMembers
    ) -> None:
        """The charges of a run without a hold are in the journal, for the next recovery."""
        # The first of them stands for the whole run while it is outstanding.
        estimate = None if self.fail_open is None else self._estimate(run, self.fail_open)
        wishes = [
            self._wish(
                self._late_deduct(run, number, charge, told),
                credits=estimate if number == 1 else None,
            )
            for number, charge in enumerate(charges, 1)
        ]
        write = partial(self.journal.write, wishes, instead_of=run.reservation)
        await self.port.aside(write)
        run.state = "pending" if wishes else "released"

    def _late_deduct(
        self, run: Run, number: int, charge: dict[str, object], told: SettleMembers
    ) -> Request:
        """The run as a deduct, under a key of its own; what bounds a run beforehand is left out."""
        kept = {name: run.plan.members.get(name) for name in _LABELS}
        metadata = {**(run.plan.members.get("metadata") or {}), **(told.get("metadata") or {})}
        members = cast(
            "DeductMembers",
            {
                **kept,
                **told,
                "metadata": {**metadata, "held": "no: out of reach"},
                "occurred_at": self.around.now(),
                **charge,
            },
        )
        key = run.id if number == 1 else f"{run.id}.{number}"
        return calls.deduct(run.plan.account, run.plan.operation, key=key, **members).request

    # ---- Recovery

    async def recover(self, *, retry_refused: bool = False) -> Recovered:
        """What the journal had for this server is delivered, as far as it can be reached.

        Safe at any time and from several processes at once: each wish has its key, so that it
        happens once. Raises: JournalError.
        """
        now_s = self.around.now().timestamp()
        await self.port.aside(partial(self.journal.drop_ended, now_s))
        if retry_refused:
            await self.port.aside(partial(self.journal.retry_refused, self.server))
        delivered = 0
        for wish in await self.port.aside(partial(self.journal.waiting, self.server)):
            try:
                delivered += await self._fulfil(wish)
            except (UnavailableError, UnreadableAnswerError) as fault:
                LOG.warning("recovery stops: %s", fault)
                break
        waiting = await self.port.aside(partial(self.journal.waiting, self.server))
        refused = await self.port.aside(partial(self.journal.refused, self.server))
        return Recovered(delivered=delivered, waiting=len(waiting), refused=tuple(refused))

    async def _fulfil(self, wish: Wish) -> bool:
        """Whether the wish was delivered. Raises: UnavailableError, UnreadableAnswerError."""
        try:
            await self._send(wish.request)
        except ApiError as refusal:
            if isinstance(refusal, UnavailableError):
                raise
            if refusal.status in FINAL and wish.request.path.endswith("/release"):
                # Nothing is held any more, which is all that a release wants.
                await self._forget(wish.name)
            elif refusal.status in FINAL:
                await self.port.aside(partial(self.journal.refuse, wish.name, str(refusal)))
            LOG.warning("%s was refused: %s", wish.request.path, refusal)
            return False
        await self._forget(wish.name)
        return True

    def close(self) -> None:
        """The journal is closed; what dies with it is logged."""
        if not self.journal.is_durable:
            try:
                lost = [wish.request.body for wish in self.journal.waiting(self.server)]
            except JournalError:
                return
            if lost:
                LOG.error("charges that were never delivered are lost: %s", lost)
        self.journal.close()

    # ---- The journal

    def _wish(self, request: Request, *, credits: Decimal | None = None) -> Wish:
        name = wish_name(self.server, request)
        return Wish(name=name, server=self.server, request=request, credits=credits)

    def _release_wish(self, run: Run, reason: str) -> Wish:
        return self._wish(calls.release(run.id, run.plan.account, reason=reason).request)

    async def _keep(self, wishes: Sequence[Wish]) -> bool:
        """Whether the wishes are in the journal; False where it cannot be written.

        Why: a full disk must not keep a charge from being sent; only its safety net is gone.
        """
        try:
            await self.port.aside(partial(self.journal.write, wishes))
        except JournalError:
            LOG.exception("the journal cannot be written")
            return False
        return True

    async def _forget(self, name: str) -> None:
        """The wish is gone. Left behind, it would be sent again and change nothing."""
        try:
            await self.port.aside(partial(self.journal.remove, name))
        except JournalError:
            LOG.exception("the journal cannot be written")


_LABELS = tuple(RunMembers.__annotations__.keys() - {"usage", "quote_id", "per_run_max"})
