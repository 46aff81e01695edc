"""What a scenario's steps do: each reads its words and gives one command to the domain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from tests.property.world import MemoryLedger
from tollkeeper.domain.charges import (
    Charge,
    GiveBack,
    decide_charge,
    decide_give_back,
    decide_run_failed,
)
from tollkeeper.domain.clawback import Back, post_back
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import EntryKey, EntryKind, caller_key
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.money import MICRO
from tollkeeper.domain.operating import (
    Adjust,
    ChangePlan,
    ChangeProfile,
    ChangeStanding,
    GiveGrant,
    decide_adjustment,
    decide_grant,
    decide_plan_change,
    decide_profile_change,
    decide_standing,
    is_on_plan,
)
from tollkeeper.domain.pricing import Consumption, price_run


@dataclass(frozen=True)
class Step:
    """A step's words, and where and when it is taken."""

    ledger: MemoryLedger
    when: datetime
    words: tuple[str, ...]

    def after(self, word: str) -> str | None:
        """The word that follows this one, where it is there."""
        if word not in self.words:
            return None
        return self.words[self.words.index(word) + 1]

    def moment_after(self, word: str) -> datetime | None:
        """The moment that follows this word: a day, or a day and a time joined by T."""
        text = self.after(word)
        return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)

    def key(self) -> EntryKey:
        """The key that the step names with `as`, else a new one."""
        named = self.after("as")
        return caller_key(named or f"step-{len(self.ledger.entries)}-{self.ledger.transactions}")

    def submit(self, key: EntryKey, decide: Callable[[Draft], Decision | None]) -> None:
        """The command reaches the ledger."""
        self.ledger.submit(key, self.when, decide)


def _open(step: Step) -> None:
    """`open <plan> [in <zone>]`: the first touch. A sweep would not open an account."""
    command = ChangeProfile(step.key(), "", "", name="Ada")
    step.ledger.submit(
        command.key,
        step.when,
        lambda draft: decide_profile_change(draft, command),
        plan=step.words[0],
        zone=step.after("in"),
    )


def _touch(step: Step) -> None:
    step.ledger.touch(step.when)


def _grant(step: Step) -> None:
    """`grant <credits> <kind> [from <moment>] [until <moment>] [priority <n>]`."""
    priority = step.after("priority")
    command = GiveGrant(
        step.key(),
        "",
        "",
        amount_microcredits=_micro(step.words[0]),
        kind=GrantKind(step.words[1]),
        priority=None if priority is None else int(priority),
        effective_at=step.moment_after("from"),
        expires_at=step.moment_after("until"),
    )
    step.submit(command.key, lambda draft: decide_grant(draft, command))


def _charge(step: Step) -> None:
    """`charge <operation> [x <quantity>] [as <key>] [label <text>]`."""
    _charge_one(step, step.key(), step.after("label") or "")


def _charge_many(step: Step) -> None:
    """`charge_labels <operation> <count>`: one charge for each of so many labels."""
    for number in range(int(step.words[1])):
        _charge_one(step, caller_key(f"label-{number}-{step.ledger.transactions}"), f"l{number}")


def _charge_one(step: Step, key: EntryKey, label: str) -> None:
    catalog = step.ledger.catalog
    quantity = step.after("x")
    consumption = Consumption(
        step.words[0], quantity_micro=None if quantity is None else _micro(quantity), label=label
    )
    command = Charge(key, "", price_run(consumption, catalog))
    step.submit(key, lambda draft: decide_charge(draft, command, catalog))


def _fail(step: Step) -> None:
    """`fail <operation>`: the run is recorded and not charged."""
    priced = price_run(Consumption(step.words[0]), step.ledger.catalog)
    command = Charge(step.key(), "", priced)
    step.submit(command.key, lambda draft: decide_run_failed(draft, command))


def _void(step: Step) -> None:
    """`void <key>`."""
    _give_back(step, EntryKind.VOID, None)


def _refund(step: Step) -> None:
    """`refund <key> [<credits>]`."""
    amount = step.words[1] if len(step.words) > 1 and step.words[1] != "as" else None
    _give_back(step, EntryKind.REFUND, None if amount is None else _micro(amount))


def _give_back(step: Step, kind: EntryKind, amount: int | None) -> None:
    charge = step.ledger.entries[caller_key(step.words[0])]
    command = GiveBack(step.key(), "", charge, kind, amount)
    step.submit(command.key, lambda draft: decide_give_back(draft, command))


def _clawback(step: Step) -> None:
    """`clawback <key of a grant> <credits>`: so many went with the money that went back."""
    _move_back(step, 1)


def _reinstate(step: Step) -> None:
    """`reinstate <key of a grant> <credits>`: so many are back with their money."""
    _move_back(step, -1)


def _move_back(step: Step, sign: int) -> None:
    name, credits = step.words[0], step.words[1]
    grant = step.ledger.entries[caller_key(name)].grant
    assert grant is not None, "what was bought is in a grant"
    back = Back(
        EntryKey(f"s#refund:{name}:{len(step.ledger.entries)}"),
        name,
        grant.id,
        sign * _micro(credits),
        grant.expires_at,
    )
    step.submit(back.key, lambda draft: draft.decide(post_back(draft, back)[0]))


def _adjust(step: Step) -> None:
    """`adjust +N` or `adjust -N`."""
    command = Adjust(step.key(), "", "", delta_microcredits=_micro(step.words[0]))
    step.submit(command.key, lambda draft: decide_adjustment(draft, command))


def _change_plan(step: Step) -> None:
    """`change <plan> now|at_end [anchored <day>]`; one that is set already changes nothing."""
    anchor = step.after("anchored")
    command = ChangePlan(
        step.key(),
        "",
        "",
        plan=step.words[0],
        anchor=None if anchor is None else date.fromisoformat(anchor),
        at_period_end=step.words[1] == "at_end",
    )

    def decide(draft: Draft) -> Decision | None:
        if is_on_plan(draft.account, command):
            return None
        return decide_plan_change(draft, command, step.ledger.catalog)

    step.submit(command.key, decide)


def _move(step: Step) -> None:
    """`move <zone>`."""
    command = ChangeProfile(step.key(), "", "", zone=step.words[0])
    step.submit(command.key, lambda draft: decide_profile_change(draft, command))


def _stand(kind: EntryKind) -> Callable[[Step], None]:
    def change(step: Step) -> None:
        command = ChangeStanding(step.key(), "", "", kind=kind)
        step.submit(command.key, lambda draft: decide_standing(draft, command))

    return change


def _micro(text: str) -> int:
    return int(Decimal(text) * MICRO)


STEPS: dict[str, Callable[[Step], None]] = {
    "open": _open,
    "touch": _touch,
    "grant": _grant,
    "charge": _charge,
    "charge_labels": _charge_many,
    "fail": _fail,
    "void": _void,
    "refund": _refund,
    "clawback": _clawback,
    "reinstate": _reinstate,
    "adjust": _adjust,
    "change": _change_plan,
    "move": _move,
    "freeze": _stand(EntryKind.FREEZE),
    "unfreeze": _stand(EntryKind.UNFREEZE),
    "close": _stand(EntryKind.CLOSE),
}
