"""The customer portal: one customer's cards and subscriptions, and what the customer may change."""

from __future__ import annotations

from local.stripe import customers, subscriptions
from local.stripe.desk import Desk
from local.stripe.markup import buttons, fill, go, notice, page
from local.stripe.refusals import StripeRefusedError, refused
from local.stripe.state import PAYMENT_METHOD, PORTAL, SUBSCRIPTION, Object, StripeState
from local.wire import Answer
from tollkeeper.domain.money import show_price

HEAD = """<p class="soft">Simulated Stripe</p>
<h1>Your cards and subscriptions</h1>
$said_html
$cards_html
<p><a href="$next">Back to the shop</a> · <a href="/_local/stripe">All payments</a></p>
"""
CARD = """<div class="card"><div class="row"><span class="big">$title</span>
<span class="state">$state</span></div><div class="soft">$what</div>$buttons_html</div>
"""


def respond(desk: Desk, portal_id: str, *, action: str | None, id_: str) -> Answer:
    """The page of the customer that the link was made for; after a button the page again."""
    portal = desk.read(lambda state, _: state.all_of(PORTAL).get(portal_id))
    if portal is None:
        return page("This link does not work", "<h1>This link does not work</h1>", status=404)
    if action is None:
        return _show(desk, portal)
    try:
        desk.change(lambda state, now: _act(state, portal, now, action=action, id_=id_))
    except StripeRefusedError as refusal:
        return _show(desk, portal, said=str(refusal), status=409)
    desk.settle()
    return go(f"/_local/portal/{portal_id}")


def _act(state: StripeState, portal: Object, now: int, *, action: str, id_: str) -> None:
    """What the button does, to what is this customer's own."""
    if action == "detach":
        customers.detach(state, _own(state, PAYMENT_METHOD, portal, id_), now)
    elif action == "cancel_at_end":
        subscriptions.cancel_at_end(state, _own(state, SUBSCRIPTION, portal, id_), now)
    elif action == "upgrade":
        subscriptions.upgrade_to_next(state, _own(state, SUBSCRIPTION, portal, id_), now)
    elif action == "keep":
        subscriptions.keep(state, _own(state, SUBSCRIPTION, portal, id_), now)
    else:
        raise refused("Press one of the buttons.")


def _own(state: StripeState, kind: str, portal: Object, id_: str) -> Object:
    found = state.find(kind, id_)
    if found["customer"] != portal["customer"]:
        raise refused("This belongs to somebody else.")
    return found


def _show(desk: Desk, portal: Object, *, said: str = "", status: int = 200) -> Answer:
    cards = desk.read(lambda state, _: _cards(state, str(portal["customer"])))
    back = str(portal["return_url"] or "/_local/stripe")
    content = fill(HEAD, said_html=notice(said), cards_html=cards, next=back)
    return page("Your cards and subscriptions", content, status=status, is_narrow=True)


def _cards(state: StripeState, customer: str) -> str:
    made = [_plan(state, each) for each in state.where(SUBSCRIPTION, customer=customer)]
    made += [_method(each) for each in customers.saved_with(state, customer)]
    return "".join(made) or "<p>Nothing is saved yet.</p>"


def _plan(state: StripeState, subscription: Object) -> str:
    price: Object = subscription["item"]["price"]
    currency = str(price["currency"])
    is_over, ends = subscription["status"] == "canceled", subscription["cancel_at_period_end"]
    dearer = subscriptions.next_price(state, subscription)
    choices = [("keep", "Keep it after all") if ends else ("cancel_at_end", "Cancel")]
    if dearer is not None and not ends:
        choices.insert(0, ("upgrade", f"Change to {dearer['nickname']}"))
    return fill(
        CARD,
        title=price["nickname"],
        state="Over" if is_over else "Ends with its period" if ends else "Active",
        what=f"{show_price(int(price['unit_amount']), currency)} {currency.upper()} each "
        f"{price['recurring']['interval']}",
        buttons_html="" if is_over else buttons(str(subscription["id"]), *choices),
    )


def _method(method: Object) -> str:
    last4 = method[method["type"]]["last4"]
    return fill(
        CARD,
        title=f"•••• {last4}",
        state="Saved",
        what="Used for renewals and top-ups",
        buttons_html=buttons(str(method["id"]), ("detach", "Remove this card")),
    )
