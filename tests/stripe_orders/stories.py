"""The stories of a purchase: what happens at Stripe, as its events and as the facts behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.stripe_orders.making import Maker
from tests.stripe_orders.model import Fact

Object = dict[str, Any]
COMPLETED = "checkout.session.completed"
SUCCEEDED = "checkout.session.async_payment_succeeded"
FAILED = "checkout.session.async_payment_failed"
EXPIRED = "checkout.session.expired"
REFUNDED = "charge.refunded"
CREATED = "charge.dispute.created"
UPDATED = "charge.dispute.updated"
WITHDRAWN = "charge.dispute.funds_withdrawn"
REINSTATED = "charge.dispute.funds_reinstated"
CLOSED = "charge.dispute.closed"


@dataclass(frozen=True)
class Step:
    """One thing that Stripe tells, and the facts in it."""

    event: Object
    facts: tuple[Fact, ...] = ()


@dataclass
class Told:
    """A teller of steps about one purchase."""

    maker: Maker
    bought: Object
    total: int = 0

    def __post_init__(self) -> None:
        self.total = self.total or self.bought["price_minor"]
        self.payment = f"pi_{self.bought['purchase_id'].removeprefix('pur_')}"

    def page(self, type_: str = COMPLETED, status: str = "paid") -> Step:
        """An event about the payment page."""
        session = self.maker.session(self.bought, status=status, amount_total=self.total)
        told = {
            (COMPLETED, "paid"): "paid",
            (SUCCEEDED, "paid"): "paid",
            (COMPLETED, "unpaid"): "pending",
            (FAILED, "unpaid"): "failed",
            (EXPIRED, "unpaid"): "expired",
        }[type_, status]
        charged = (Fact("charged", self.total),) if told == "paid" else ()
        return Step(self.maker.event(type_, session), (Fact(told), *charged))

    def _charge(self, *, refunded: int = 0) -> Object:
        """The charge as it stands. Stripe copies the metadata of a payment to its charge."""
        metadata = {"purchase_id": self.bought["purchase_id"], "account": self.bought["account"]}
        return self.maker.charge(
            self.payment,
            self.total,
            refunded=refunded,
            currency=self.bought["currency"],
            metadata=metadata,
        )

    def charged(self) -> Step:
        """The money was taken."""
        charge = self._charge()
        return Step(self.maker.event("charge.succeeded", charge), (Fact("charged", self.total),))

    def refund(self, minor: int) -> Step:
        """So much is refunded by now, all in all."""
        charge = self._charge(refunded=minor)
        facts = (Fact("charged", self.total), Fact("refunded", minor))
        return Step(self.maker.event(REFUNDED, charge), facts)

    def dispute(
        self,
        type_: str,
        status: str,
        minor: int = 0,
        *,
        name: str = "dp_1",
        by_charge: bool = False,
    ) -> Step:
        """A dispute as it stands. `by_charge`: it names only the charge, as old ones do."""
        minor = minor or self.total
        dispute = self.maker.dispute(self.payment, minor, status=status)
        dispute |= {"id": name} | ({"payment_intent": None} if by_charge else {})
        what = "withdrawn"
        if status.startswith("warning") or status == "prevented":
            what = "asked"
        elif status == "won" or type_ == REINSTATED:
            what = "won"
        return Step(self.maker.event(type_, dispute), (Fact(what, minor, dispute=name),))


Story = Callable[[Told], list[Step]]


def buy(told: Told) -> list[Step]:
    """A page is paid, and two types of event say so."""
    return [told.charged(), told.page(), told.page(SUCCEEDED)]


def pay_later(told: Told) -> list[Step]:
    """The money comes days after the page was completed."""
    return [told.page(COMPLETED, "unpaid"), told.charged(), told.page(SUCCEEDED)]


def pay_never(told: Told) -> list[Step]:
    """The bank does not pay after all."""
    return [told.page(COMPLETED, "unpaid"), told.page(FAILED, "unpaid")]


def expire(told: Told) -> list[Step]:
    """Nobody pays, until the page is closed."""
    return [told.page(EXPIRED, "unpaid")]


def refund_twice(told: Told) -> list[Step]:
    """A third goes back, then the rest of the half."""
    third = told.total // 3
    return [told.page(), told.charged(), told.refund(third), told.refund(told.total // 2)]


def refund_all(told: Told) -> list[Step]:
    """All of it goes back, in two parts."""
    return [told.page(), told.refund(told.total // 7), told.refund(told.total)]


def refund_twice_dispute_win(told: Told) -> list[Step]:
    """Two refunds, a dispute of the rest, and it is won."""
    rest = told.total - told.total // 2
    return [
        told.page(),
        told.refund(told.total // 4),
        told.refund(told.total // 2),
        told.dispute(CREATED, "needs_response", rest),
        told.dispute(WITHDRAWN, "needs_response", rest),
        told.dispute(CLOSED, "won", rest),
        told.dispute(REINSTATED, "won", rest),
    ]


def dispute_lost(told: Told) -> list[Step]:
    """A dispute of everything is lost."""
    return [
        told.page(),
        told.dispute(CREATED, "needs_response"),
        told.dispute(WITHDRAWN, "needs_response"),
        told.dispute(UPDATED, "under_review"),
        told.dispute(CLOSED, "lost"),
    ]


def dispute_won_then_refund(told: Told) -> list[Step]:
    """A dispute is won, and then a part is refunded all the same."""
    return [
        told.page(),
        told.dispute(CREATED, "needs_response"),
        told.dispute(CLOSED, "won"),
        told.dispute(REINSTATED, "won"),
        told.refund(told.total // 3),
    ]


def dispute_then_refund(told: Told) -> list[Step]:
    """What is disputed is refunded, too: it is the same money."""
    return [
        told.page(),
        told.charged(),
        told.dispute(CREATED, "needs_response"),
        told.dispute(WITHDRAWN, "needs_response"),
        told.refund(told.total),
    ]


def inquiry(told: Told) -> list[Step]:
    """The bank only asks, and is content."""
    return [
        told.page(),
        told.dispute(CREATED, "warning_needs_response"),
        told.dispute(UPDATED, "warning_under_review"),
        told.dispute(CLOSED, "warning_closed"),
    ]


def inquiry_becomes_dispute(told: Told) -> list[Step]:
    """The bank asks, then withdraws the money, and gives it back."""
    return [
        told.page(),
        told.dispute(CREATED, "warning_needs_response"),
        told.dispute(UPDATED, "needs_response"),
        told.dispute(WITHDRAWN, "needs_response"),
        told.dispute(CLOSED, "won"),
    ]


def two_disputes(told: Told) -> list[Step]:
    """Two parts are disputed; one is won, the other stays away."""
    part = told.total // 3
    return [
        told.page(),
        told.dispute(CREATED, "needs_response", part, name="dp_1"),
        told.dispute(CREATED, "needs_response", part + 1, name="dp_2"),
        told.dispute(CLOSED, "won", part, name="dp_1"),
        told.dispute(CLOSED, "lost", part + 1, name="dp_2"),
    ]


def two_disputes_lost(told: Told) -> list[Step]:
    """Two parts are disputed, and both stay away."""
    part = told.total // 5
    return [
        told.page(),
        told.dispute(CREATED, "needs_response", part, name="dp_1"),
        told.dispute(CREATED, "needs_response", part + 1, name="dp_2"),
        told.dispute(CLOSED, "lost", part, name="dp_1"),
    ]


def by_charge_alone(told: Told) -> list[Step]:
    """The dispute names only its charge, which a refund connects with the payment."""
    rest = told.total - told.total // 5
    return [
        told.page(),
        told.charged(),
        told.refund(told.total // 5),
        told.dispute(CREATED, "needs_response", rest, by_charge=True),
        told.dispute(CLOSED, "won", rest, by_charge=True),
    ]


def by_charge_alone_and_lost(told: Told) -> list[Step]:
    """The same, and the money stays away."""
    return [
        told.page(),
        told.charged(),
        told.dispute(WITHDRAWN, "needs_response", told.total // 2, by_charge=True),
        told.dispute(CLOSED, "lost", told.total // 2, by_charge=True),
    ]


def more_than_charged(told: Told) -> list[Step]:
    """A dispute of more than was paid takes no more than was bought."""
    return [
        told.page(),
        told.charged(),
        told.refund(told.total // 3),
        told.dispute(CREATED, "needs_response", told.total + 1500),
    ]


STORIES: dict[str, Story] = {
    story.__name__: story
    for story in (
        buy,
        pay_later,
        pay_never,
        expire,
        refund_twice,
        refund_all,
        refund_twice_dispute_win,
        dispute_lost,
        dispute_won_then_refund,
        dispute_then_refund,
        inquiry,
        inquiry_becomes_dispute,
        two_disputes,
        two_disputes_lost,
        by_charge_alone,
        by_charge_alone_and_lost,
        more_than_charged,
    )
}
