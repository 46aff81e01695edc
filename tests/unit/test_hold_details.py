"""Every member of a hold's rows, to the letter: the ledger is read long after the hold is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.building import (
    ACCOUNT,
    CATALOG,
    NOON,
    ONE,
    a_grant,
    a_key,
    a_run,
    an_account,
    charged,
    done,
    draft_of,
    granted,
)
from tests.unit.holding import (
    QUARTER,
    costing,
    extended,
    moved,
    opened,
    released,
    remaining,
    rolled,
    settled,
    settled_late,
    settling,
)
from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import SettlePolicy
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind, hold_key
from tollkeeper.domain.errors import (
    ExtendLimitError,
    HoldLimitError,
    HoldMissingError,
    InvalidError,
)
from tollkeeper.domain.grants import Draw, Grant, GrantKind
from tollkeeper.domain.held import MOST_EXTENSIONS, Hold, Terms
from tollkeeper.domain.holds import (
    Extend,
    OpenHold,
    Release,
    Settle,
    decide_extend,
    decide_hold,
    decide_late_settle,
    decide_release,
    decide_settle,
    read_terms,
    terms_now,
)
from tollkeeper.domain.pricing import Consumption, Priced, price_run
from tollkeeper.domain.returns import find_hold
from tollkeeper.domain.seen import Seen

DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
EXPIRY = NOON + QUARTER
TODAY = NOON.date()
ACTOR, HASH, METADATA = "service:0123456789ab", "a1b2", '{"job":"7"}'
OPENING = Consumption("image", "gpt-4", label="studio", subtype="poster", service="openai")
OPENED_ON = Terms(
    operation="image",
    model="gpt-4",
    label="studio/poster",
    service="openai",
    subtype="poster",
    price_version="v1",
    feature="image",
    feature_count=1,
    above_hold=SettlePolicy.CHARGE_AVAILABLE,
    provider="openai",
    service_tier="flex",
)


def an_opening(credits: float = 5, hold: str = "h1") -> OpenHold:
    """The command with everything in it."""
    priced = costing(credits, price_run(OPENING, CATALOG))
    run = replace(priced.run, provider="openai", provider_said=True, service_tier="flex")
    return OpenHold(hold, HASH, replace(priced, run=run), QUARTER, ACTOR, METADATA)


def a_settle(run: Priced, credits: float) -> Settle:
    """The command with everything in it."""
    key = hold_key("h1", "settle")
    return Settle("h1", key, HASH, costing(credits, run), actor=ACTOR, metadata=METADATA)


def a_row(kind: EntryKind, key: str, **facts: object) -> Entry:
    """The row of a hold, the second of the account, under everything that its command said."""
    given: dict[str, object] = {
        "actor": ACTOR,
        "request_hash": HASH,
        "hold": "h1",
        "seq": 2,
        "at": NOON,
    }
    return Entry(account=ACCOUNT, key=EntryKey(key), kind=kind, **(given | facts))  # type: ignore[arg-type]


def plan_grant(account: Account) -> Grant:
    """The account's grant of its plan."""
    return next(grant for grant in account.grants if grant.kind is GrantKind.PLAN)


# Opening.


def test_a_holds_row_says_who_opened_it_for_what_and_until_when() -> None:
    account, command = an_account(), an_opening(4)

    _, entry = done(decide_hold(draft_of(account), command, CATALOG))

    assert entry == a_row(
        EntryKind.HOLD,
        "h#h1#open",
        delta_microcredits=-4 * ONE,
        available_after_microcredits=6 * ONE,
        moved_microcredits=4 * ONE,
        run=command.priced.run,
        draws=(Draw(plan_grant(account), 4 * ONE),),
        details={
            "expires_at": "2026-11-20T12:15:00+00:00",
            "settle_above_hold": "charge_available",
        },
        metadata=METADATA,
        held_after_microcredits=4 * ONE,
        held_change_microcredits=4 * ONE,
    )


def test_an_open_hold_keeps_the_terms_that_its_call_is_settled_on() -> None:
    account, _ = done(decide_hold(draft_of(an_account()), an_opening(), CATALOG))

    assert account.holds == (Hold("h1", NOON, EXPIRY, OPENED_ON, (("g1", 5 * ONE),)),)


def test_a_hold_goes_by_the_accounts_own_plan() -> None:
    """Why: where the plan is not found, the default stands in for it and nobody notices."""
    pro = replace(CATALOG.plan("pro"), open_holds=1, settle_above_hold=SettlePolicy.DEBT)
    catalog = replace(
        CATALOG,
        plans={
            **CATALOG.plans,
            "pro": pro,
            "free": replace(CATALOG.plan("free"), open_holds=2),
        },
    )

    account, entry = opened(an_account("pro"), 1, catalog=catalog)

    assert entry.details["settle_above_hold"] == "debt"
    assert account.holds[0].terms.above_hold is SettlePolicy.DEBT
    with pytest.raises(HoldLimitError, match=r"^The account has 1 open holds; "):
        opened(account, 1, hold="h2", catalog=catalog)


def test_the_id_of_an_open_hold_opens_no_other() -> None:
    account, _ = opened(an_account(), 5)

    with pytest.raises(InvalidError, match=r"^hold_id is the id of an open hold$") as refusal:
        opened(account, 1)

    assert refusal.value.problems == (("hold_id", "is the id of an open hold"),)
    assert len(opened(account, 1, hold="h2")[0].holds) == 2


def test_a_hold_that_leaves_little_warns_of_it() -> None:
    catalog = replace(CATALOG, low_balance_microcredits=5 * ONE)

    assert opened(an_account(), 4.999999, catalog=catalog)[1].warnings == ()
    assert opened(an_account(), 5, catalog=catalog)[1].warnings == ("low_balance",)


# Settling.


def test_a_settles_row_says_what_was_used_what_came_back_and_who_asked() -> None:
    account, _ = granted(an_account(), 3)
    account, _ = opened(account, 5, run=a_run("sms"))
    command = a_settle(a_run("sms", quantity=2 * ONE), 4)

    after, entry = done(decide_settle(draft_of(account), command, CATALOG))

    grants = {grant.id: grant for grant in account.grants}
    assert entry == a_row(
        EntryKind.SETTLE,
        "h#h1#settle",
        seq=4,
        delta_microcredits=ONE,
        available_after_microcredits=9 * ONE,
        moved_microcredits=4 * ONE,
        run=command.priced.run,
        day=TODAY,
        settled=(Draw(grants["g2"], 3 * ONE), Draw(grants["g1"], ONE)),
        returned=(Draw(grants["g1"], ONE),),
        details={"released_microcredits": "1000000"},
        metadata=METADATA,
        held_change_microcredits=-5 * ONE,
    )
    assert after.available_microcredits == 9 * ONE


def test_a_settle_above_its_hold_names_the_grants_that_paid_the_rest() -> None:
    account, _ = opened(an_account(), 5)

    _, entry = settled(account, 7)

    assert moved(entry.settled) == [("g1", 5)]
    assert moved(entry.draws) == [("g1", 2)]
    assert (entry.delta_microcredits, entry.details) == (-2 * ONE, {})


def test_a_settle_of_the_whole_hold_releases_nothing_and_a_part_says_it_is_one() -> None:
    account, _ = opened(an_account(), 5)

    assert settled(account, 5)[1].details == {}
    assert settled(account, 2, part="p1")[1].details == {"part": "true"}


def test_debt_of_a_settle_is_what_the_hold_owed_and_what_went_beyond_it() -> None:
    catalog = settling(SettlePolicy.DEBT, overdraft=5)
    account, _ = opened(an_account(catalog=catalog), 12, catalog=catalog)

    account, entry = settled(account, 15, catalog=catalog)

    assert (entry.debt_change_microcredits, entry.debt_after_microcredits) == (3 * ONE, 5 * ONE)
    assert account.debt_microcredits == 5 * ONE


def test_an_account_with_nothing_left_is_charged_nothing_beyond_its_hold() -> None:
    account, _ = opened(an_account(), 10)

    account, entry = settled(account, 12)

    assert (entry.moved_microcredits, entry.uncollected_microcredits) == (10 * ONE, 2 * ONE)
    assert (entry.draws, account.debt_microcredits) == ((), 0)


def test_overdraft_that_was_paid_while_held_comes_back_with_the_settle_in_a_grant() -> None:
    account, _ = opened(an_account("deep"), 4)
    account, _ = granted(account, 10)

    account, entry = settled(account, 1)

    assert entry.grant is not None
    assert entry.grant == a_grant(4, 3, GrantKind.ADJUSTMENT)
    assert (entry.delta_microcredits, account.available_microcredits) == (3 * ONE, 9 * ONE)


def test_a_settle_in_a_later_period_says_that_an_earlier_one_counted_its_run() -> None:
    account, _ = opened(an_account(), 1, run=a_run("call"), stays=timedelta(days=20))

    account, entry = settled(account, 1, run=a_run("call"), at=DECEMBER)

    assert entry.details == {"counted_before": "true"}
    assert account.features == {}


def test_no_open_hold_is_named_in_the_refusal() -> None:
    with pytest.raises(HoldMissingError, match=r"^There is no open hold h1\.$"):
        settled(an_account(), 1)


# Parts.


def test_a_part_counts_the_run_and_every_later_one_nothing() -> None:
    account, _ = opened(an_account(), 5, run=a_run("call"))

    account, first = settled(account, 1, part="p1", run=a_run("call"))
    account, second = settled(account, 1, part="p2", run=a_run("call"))

    counts = [row.run.feature_count for row in (first, second) if row.run is not None]
    assert counts == [1, 0]
    assert account.holds[0].parts == 2
    assert released(account)[1].details == {"parts": "2"}


def test_a_part_of_one_hold_leaves_the_others_as_they_were() -> None:
    account, _ = opened(an_account(), 2, hold="h1")
    account, _ = opened(account, 3, hold="h2")

    account, _ = settled(account, 1, part="p1")

    assert [(hold.id, hold.amount_microcredits) for hold in account.holds] == [
        ("h1", ONE),
        ("h2", 3 * ONE),
    ]


def test_a_grant_that_a_part_used_up_is_gone_and_the_hold_knows_it_no_more() -> None:
    account, _ = granted(an_account(), 3)
    account, _ = opened(account, 5)

    account, _ = settled(account, 3, part="p1")

    assert remaining(account) == {"g1": 8}
    assert account.holds[0].draws == (("g1", 2 * ONE),)


def test_only_a_call_that_is_settled_at_once_shows_how_big_calls_are() -> None:
    account, _ = opened(an_account(), 5, run=a_run("minute"))
    minutes = a_run("minute", quantity=2 * ONE)

    whole, _ = settled(account, 1, run=minutes)
    part, _ = settled(account, 1, part="p1", run=minutes)
    last, _ = settled(part, 1, run=minutes)

    assert whole.seen == {"minute": Seen(1, 2 * ONE, 2 * ONE, 2 * ONE)}
    assert (part.seen, last.seen) == ({}, {})


# Late.


def test_a_late_settles_row_says_so_and_who_asked() -> None:
    catalog = settling(SettlePolicy.DEBT)
    account, _ = opened(an_account(catalog=catalog), 5, run=a_run("sms"), catalog=catalog)
    command = a_settle(a_run("sms"), 13)
    draft = draft_of(account, EXPIRY, catalog)

    terms = account.holds[0].terms
    _, entry = done(decide_late_settle(draft, command, catalog, terms=terms))

    assert entry == a_row(
        EntryKind.SETTLE,
        "h#h1#settle",
        seq=4,
        at=EXPIRY,
        delta_microcredits=-13 * ONE,
        available_after_microcredits=-3 * ONE,
        debt_after_microcredits=3 * ONE,
        moved_microcredits=13 * ONE,
        run=command.priced.run,
        day=TODAY,
        draws=(Draw(plan_grant(draft_of(account, EXPIRY).account), 10 * ONE),),
        debt_change_microcredits=3 * ONE,
        details={"late": "true"},
        metadata=METADATA,
        warnings=("late", "low_balance"),
        alerts=("low_balance", "period:50", "period:80", "period:100"),
    )


def test_a_late_settle_counts_what_its_hold_was_opened_for() -> None:
    """Why: the operation may have moved to another of the plan's counters meanwhile."""
    account, _ = opened(an_account(), 1, run=a_run("call"))
    elsewhere = a_run("call")
    elsewhere = replace(elsewhere, run=replace(elsewhere.run, feature="video"))

    decision = settled_late(account, 1, run=elsewhere, at=EXPIRY)

    assert decision.account.features == {"call": 1}
    assert decision.answer is not None and decision.answer.run is not None
    assert decision.answer.run.feature == "call"


def test_the_last_of_several_parts_is_no_size_to_learn_from_even_when_it_is_late() -> None:
    minutes = a_run("minute", quantity=10 * ONE)
    account, _ = opened(an_account(), 5, run=minutes)
    account, _ = settled(account, 2, part="p1", run=minutes)
    rest = a_run("minute", quantity=ONE)
    rest = replace(rest, run=replace(rest.run, feature_count=0))

    late = settled_late(account, 1, run=rest, at=EXPIRY).account
    whole = settled_late(opened(an_account(), 5, run=minutes)[0], 1, run=minutes, at=EXPIRY).account

    assert late.seen == account.seen == {}
    assert whole.seen["minute"].mean == 10 * ONE


def test_the_terms_of_a_hold_are_read_from_its_opening_row() -> None:
    account, opening = done(decide_hold(draft_of(an_account()), an_opening(), CATALOG))
    dated = replace(OPENED_ON, priced_at=NOON)

    assert read_terms(opening, None) == terms_now(account.holds[0]) == dated
    debt = replace(opening, details={**opening.details, "settle_above_hold": "debt"})
    assert read_terms(debt, None) == replace(dated, above_hold=SettlePolicy.DEBT)


def test_a_moment_that_a_quote_pinned_is_that_of_the_prices_to_the_end() -> None:
    pinned = NOON - timedelta(minutes=5)
    command = replace(an_opening(), priced_at=pinned)

    account, opening = done(decide_hold(draft_of(an_account()), command, CATALOG))

    assert opening.details["priced_at"] == "2026-11-20T11:55:00+00:00"
    assert account.holds[0].terms == replace(OPENED_ON, priced_at=pinned)
    assert read_terms(opening, None) == terms_now(account.holds[0]) == account.holds[0].terms


def test_a_run_that_a_part_counted_is_not_counted_again_by_what_comes_late() -> None:
    account, opening = opened(an_account(), 3, run=a_run("call"))
    parted, _ = settled(account, 1, part="p1", run=a_run("call"))
    (expired,) = rolled(account, EXPIRY).entries
    (in_part,) = rolled(parted, EXPIRY).entries
    whole = replace(account.holds[0].terms, priced_at=NOON)

    assert (expired.details, in_part.details) == ({}, {"parts": "1"})
    assert read_terms(opening, expired) == terms_now(account.holds[0]) == whole
    assert read_terms(opening, in_part) == terms_now(parted.holds[0])
    assert terms_now(parted.holds[0]) == replace(whole, feature_count=0)


# Closing and extending.


def test_a_releases_row_says_who_asked_and_why() -> None:
    account, _ = opened(an_account(), 5)
    command = Release("h1", HASH, "it failed", ACTOR)

    after, entry = done(decide_release(draft_of(account), command))

    assert entry == a_row(
        EntryKind.RELEASE,
        "h#h1#release",
        seq=3,
        delta_microcredits=5 * ONE,
        available_after_microcredits=10 * ONE,
        moved_microcredits=5 * ONE,
        returned=(Draw(plan_grant(account), 5 * ONE),),
        reason="it failed",
        held_change_microcredits=-5 * ONE,
    )
    assert after.holds == ()


def test_time_asks_for_nothing_and_gives_no_reason() -> None:
    account, _ = opened(an_account(), 5)

    (entry,) = rolled(account, EXPIRY).entries

    assert (entry.request_hash, entry.reason, entry.actor, entry.details) == ("", "", "", {})


def test_what_a_hold_owes_is_cancelled_before_its_credits_go_back() -> None:
    account, _ = granted(an_account("deep"), 2)
    account, _ = opened(account, 5)

    account, entry = released(account)

    assert moved(entry.returned) == [("g2", 2)]
    assert (entry.debt_change_microcredits, account.debt_microcredits) == (-3 * ONE, 0)


def test_all_that_ended_meanwhile_expires_whichever_grant_it_is_from() -> None:
    account, _ = granted(an_account(), 2, key="a", lasts=timedelta(minutes=5))
    account, _ = granted(account, 3, key="b", lasts=timedelta(minutes=6))
    account, _ = opened(account, 6)

    account, entry = released(account, at=NOON + timedelta(minutes=7))

    assert (entry.expired_microcredits, entry.delta_microcredits) == (5 * ONE, ONE)
    assert account.lifetime.expired == 5 * ONE


def test_nobody_has_a_hold_before_there_is_an_account() -> None:
    assert find_hold(None, "h1") is None


def test_an_extensions_row_says_until_when_and_who_asked() -> None:
    account, _ = opened(an_account(), 5)
    command = Extend("h1", a_key("longer"), HASH, timedelta(hours=1), ACTOR)

    after, entry = done(decide_extend(draft_of(account), command))

    assert entry == a_row(
        EntryKind.HOLD_EXTENDED,
        "c#longer",
        seq=3,
        delta_microcredits=0,
        available_after_microcredits=5 * ONE,
        details={"expires_at": "2026-11-20T13:00:00+00:00"},
        held_after_microcredits=5 * ONE,
    )
    assert after.holds == (
        replace(account.holds[0], expires_at=NOON + timedelta(hours=1), extensions=1),
    )


def test_an_extension_leaves_the_other_holds_as_they_were() -> None:
    account, _ = opened(an_account(), 2, hold="h0")
    account, _ = opened(account, 3)

    after, _ = extended(account, timedelta(hours=1))

    assert after.holds[0] == account.holds[0]
    assert after.holds[1].id == "h1"


def test_the_refusal_of_one_extension_too_many_says_what_to_do() -> None:
    account, _ = opened(an_account(), 5)
    used_up = replace(account, holds=(replace(account.holds[0], extensions=MOST_EXTENSIONS),))

    with pytest.raises(ExtendLimitError, match=r"^The hold was extended 10 times; settle it\.$"):
        extended(used_up, QUARTER)


def test_a_hold_without_parts_gives_its_feature_back_and_one_with_parts_keeps_it() -> None:
    account, _ = opened(an_account(), 3, run=a_run("call"))
    account, _ = charged(account, a_run("call"))
    parted, _ = settled(account, 1, part="p1", run=a_run("call"))

    assert released(account)[0].features == {"call": 1}
    assert released(parted)[0].features == {"call": 2}
