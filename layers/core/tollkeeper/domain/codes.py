"""Promo codes: what they give, to whom, how often, and until when."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.domain.errors import (
    AccountClosedError,
    AccountFrozenError,
    CodeExhaustedError,
    CodeExpiredError,
    CodeNotForPlanError,
    InvalidError,
    UnknownCodeError,
)
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.operating import Command, GiveGrant, decide_grant

CODE = re.compile(r"[A-Z0-9-]{3,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PromoCode:
    """A code that gives credits, once per account. Units: micro-credits.

    `most_redemptions` None is no bound; `plans` empty is any plan. `expires_at` is when the code
    ends; its grants end `grant_days` after they were given, or never.
    """

    code: str
    credits_microcredits: int
    created_at: datetime
    created_by: str = ""
    reason: str = ""
    version: int = 1
    most_redemptions: int | None = None
    redemptions: int = 0
    expires_at: datetime | None = None
    grant_days: int | None = None
    plans: tuple[str, ...] = ()
    is_active: bool = True
    request_hash: str = ""


@dataclass(frozen=True, slots=True)
class CodeMoved:
    """The code is written if it still has the version before this one's."""

    code: PromoCode


@dataclass(frozen=True, slots=True)
class CodeRedeemed:
    """The mark that an account used the code. It names the account by a digest alone.

    Why: it stays when the account's items are deleted, so that nobody redeems twice by leaving;
    and it says nothing about who it was.
    """

    code: str
    digest: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Redeem(Command):
    """The account asks for the credits of a code."""

    code: str = ""


def parse_code(text: object, member: str = "code") -> str:
    """The code in capitals. Raises: InvalidError."""
    code = text.strip().upper() if isinstance(text, str) else ""
    if CODE.fullmatch(code) is None:
        raise InvalidError(member, "must be 3 to 40 of A-Z 0-9 and -")
    return code


def redeemer_digest(account: AccountId) -> str:
    """What a mark names an account by."""
    return hashlib.sha256(account.encode()).hexdigest()


def refuse_code(code: PromoCode | None, account: Account, now: datetime) -> PromoCode:
    """The code, where the account may redeem it now; whether it did before is judged elsewhere.

    Raises: UnknownCodeError, CodeExpiredError, CodeExhaustedError, CodeNotForPlanError,
    AccountClosedError, AccountFrozenError, InvalidError for a budget.
    """
    if code is None:
        raise UnknownCodeError("There is no such code.")
    if account.status is Status.CLOSED:
        raise AccountClosedError(f"The account {account.id} is closed for good.")
    if account.status is Status.FROZEN:
        raise AccountFrozenError(f"The account {account.id} is frozen.")
    if account.parent:
        # Why: whoever funds many budgets would redeem one code as often.
        raise InvalidError("id", "is a budget; redeem the code for the account that funds it")
    if not code.is_active or (code.expires_at is not None and now >= code.expires_at):
        raise CodeExpiredError(f"The code {code.code} is not valid any more.")
    if code.most_redemptions is not None and code.redemptions >= code.most_redemptions:
        raise CodeExhaustedError(f"The code {code.code} was redeemed as often as it may be.")
    if code.plans and account.plan.id not in code.plans:
        plans = ", ".join(code.plans)
        raise CodeNotForPlanError(f"The code {code.code} is for other plans: {plans}.")
    return code


def decide_redemption(draft: Draft, command: Redeem, code: PromoCode | None) -> Decision:
    """The code's credits are in the account; the code counts it, and a mark keeps it to once.

    Raises: as refuse_code; GrantLimitError at the bound of grants, InvalidError above what an
    account can hold.
    """
    code = refuse_code(code, draft.account, draft.at)
    days = code.grant_days
    decision = decide_grant(
        draft,
        GiveGrant(
            key=EntryKey(command.key),
            request_hash=command.request_hash,
            reason=code.reason or f"code {code.code}",
            actor=command.actor,
            amount_microcredits=code.credits_microcredits,
            kind=GrantKind.PROMO,
            expires_at=None if days is None else draft.at + timedelta(days=days),
            details=(("code", code.code),),
        ),
    )
    counted = replace(code, version=code.version + 1, redemptions=code.redemptions + 1)
    mark = CodeRedeemed(code.code, redeemer_digest(draft.account.id), draft.at)
    return replace(decision, also=(*decision.also, CodeMoved(counted), mark))
