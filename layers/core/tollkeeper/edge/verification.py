"""Verify at the edge: what an operator is answered, and what a run logs and counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tollkeeper.domain.audit_findings import Findings
from tollkeeper.domain.entries import AccountId, parse_id
from tollkeeper.domain.money import MICRO, show_micro
from tollkeeper.edge.http import Answer
from tollkeeper.edge.observability import embed_metrics, log_alarm, log_fact
from tollkeeper.edge.wire import Amount
from tollkeeper.service.ports import World
from tollkeeper.service.verifying import (
    Run,
    Slot,
    Tally,
    Verified,
    slot_of,
    verify_account,
)

METRICS = (
    "unexplained_credits",
    "findings",
    "accounts_verified",
    "accounts_broken",
    "accounts_left",
)
LONGEST_ANSWER_S = 20
"""API Gateway waits 30 seconds for an answer; reading one more page takes a few at worst."""


def answer_verified(world: World, account: AccountId) -> Answer:
    """What does not hold in the account's ledger; nothing was changed.

    Raises: NotFoundError, BusyError.
    """
    ends_s = world.clock.monotonic_s() + LONGEST_ANSWER_S
    verified = verify_account(world, account, has_time=lambda: world.clock.monotonic_s() < ends_s)
    read = verified.account
    findings = verified.findings or Findings()
    body = {
        "account": account,
        "is_clean": None if verified.findings is None else findings.is_clean,
        "is_finished": verified.findings is not None,
        "entries": findings.entries,
        "available": None if read is None else Amount(read.available_microcredits),
        "seq": None if read is None else read.seq,
        "unexplained": Amount(findings.unexplained_microcredits),
        "findings_total": findings.count,
        "findings": [
            {"invariant": each.invariant, "where": each.where, "what": each.what}
            for each in findings.found
        ],
    }
    balance = None if read is None else (read.available_microcredits, read.seq)
    return Answer(body, balance=balance)


def run_verification(
    world: World, event: Mapping[str, Any], *, has_time: Callable[[], bool], function: str
) -> dict[str, Any]:
    """The accounts whose turn it is were verified; what was found is logged and counted.

    Shape of the event: `{}` for those of this half hour, `{"shards": [0, 5]}` for all of some
    shards, `{"accounts": ["user_1"]}` for some by name.
    """
    tally = _run(world, event, has_time)
    facts: dict[str, Any] = {
        "accounts": tally.accounts,
        "entries": tally.entries,
        "findings": tally.findings,
        "broken": tally.broken,
        "busy": tally.busy,
        "unexplained": show_micro(tally.unexplained_microcredits),
        "is_finished": tally.is_finished,
    }
    log_fact("verified", **{**facts, **metrics_of(tally, world, function)})
    return facts


def _run(world: World, event: Mapping[str, Any], has_time: Callable[[], bool]) -> Tally:
    run = Run(world, has_time, log_found)
    if "accounts" in event:
        run.verify_accounts(AccountId(parse_id(each, "accounts")) for each in event["accounts"])
        return run.tally
    for slot in [Slot(int(shard)) for shard in event.get("shards", ())] or [
        slot_of(world.clock.now())
    ]:
        run.verify_slot(slot)
    return run.tally


def log_found(verified: Verified) -> None:
    """One error line per account whose ledger does not explain it, with the first findings."""
    findings = verified.findings or Findings()
    log_alarm(
        "unexplained credits",
        account=verified.id,
        findings=findings.count,
        unexplained=show_micro(findings.unexplained_microcredits),
        first=[f"{each.invariant} {each.where}: {each.what}" for each in findings.found[:5]],
    )


def metrics_of(tally: Tally, world: World, function: str) -> dict[str, Any]:
    """The run's metrics as members of a log line, which CloudWatch reads by itself.

    Why: `accounts_left` is 1 where the time was over or an account could not be read.
    """
    values = {
        "unexplained_credits": tally.unexplained_microcredits / MICRO,
        "findings": tally.findings,
        "accounts_verified": tally.accounts,
        "accounts_broken": tally.broken,
        "accounts_left": 0 if tally.is_finished else 1,
    }
    return embed_metrics(values, by={"function_name": function}, at=world.clock.now())
