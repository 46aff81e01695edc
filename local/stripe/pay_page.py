"""The payment page that a customer sees, with a button for each thing that can happen."""

from __future__ import annotations

from urllib.parse import quote

from local.stripe import checkout
from local.stripe.cards import CARDS
from local.stripe.desk import Desk
from local.stripe.markup import buttons, fill, go, notice, page
from local.stripe.refusals import StripeRefusedError
from local.stripe.state import SESSION, Object, StripeState
from local.wire import Answer
from tollkeeper.domain.money import show_price

# What a later payment by the saved card, or the owner of the card, will do.
LATER = ("authenticates", "declined_later", "disputed", "inquiry", "refund_pending")
PAYS = {"pay": "good", "later": "bank", "fail": "declined", **{name: name for name in LATER}}
DECLINED = "The card was declined, as cards are. Nothing was charged; try another one."
NOT_OPEN = {"complete": "This payment is complete", "expired": "This page has expired"}

OFFER = """<p class="soft">Simulated Stripe</p>
<h1>$name</h1>
$said_html
<dl>
<dt>Price</dt><dd>$price$often</dd>
<dt>Account</dt><dd>$account</dd>
</dl>
$pay_html
<details><summary>Pay with another card</summary>$cards_html</details>
$cancel_html
<p class="soft">No money moves here: this page stands in for Stripe on your machine. The events
that it sends are signed and take the same way as Stripe's own.</p>
"""
WAITING = """<p class="soft">Simulated Stripe</p>
<h1>The bank has the order</h1>
<p>$price for $account. Days later the bank pays, or it does not. The purchase is
<code>pending</code> until then.</p>
$bank_html
<p><a href="$next">Back to the shop</a> · <a href="/_local/stripe">All payments</a></p>
"""
OVER = """<p class="soft">Simulated Stripe</p>
<h1>$title</h1>
<p>$price for $account.</p>
<p><a href="$next">Back to the shop</a> · <a href="/_local/stripe">All payments</a></p>
"""


def respond(desk: Desk, id_: str, *, action: str | None) -> Answer:
    """The page of a session, or after a button where it leads."""
    session = desk.read(lambda state, _: state.all_of(SESSION).get(id_))
    if session is None:
        return page("This link does not work", _nothing(), status=404, is_narrow=True)
    if action is None:
        return _show(desk, session)
    try:
        return _act(desk, session, action)
    except StripeRefusedError as refusal:
        return _show(desk, session, said=str(refusal), status=409)


def _act(desk: Desk, session: Object, action: str) -> Answer:
    if action == "cancel":
        return go(_filled(session["cancel_url"] or session["success_url"], session))
    if action in ("bank_pays", "bank_fails"):
        return _settle(desk, session, is_paid=action == "bank_pays")
    if action not in PAYS:
        return _show(desk, session, said="Press one of the buttons.", status=400)

    def pay(state: StripeState, now: int) -> bool:
        found = state.find(SESSION, session["id"])
        return checkout.pay_session(state, found, now, card=PAYS[action])

    is_complete = desk.change(pay)
    desk.settle()
    if not is_complete:
        return _show(desk, session, said=DECLINED)
    if action == "later":
        return go(f"/_local/checkout/{session['id']}")
    return go(_filled(session["success_url"], session))


def _settle(desk: Desk, session: Object, *, is_paid: bool) -> Answer:
    def settle(state: StripeState, now: int) -> bool:
        found = state.find(SESSION, session["id"])
        if not checkout.is_awaited(state, found):
            return False
        checkout.settle_later(state, found, now, is_paid=is_paid)
        return True

    if not desk.change(settle):
        return _show(desk, session, said="No bank works on this payment.", status=409)
    desk.settle()
    return go(_filled(session["success_url"], session))


def _show(desk: Desk, session: Object, *, said: str = "", status: int = 200) -> Answer:
    price = show_price(int(session["amount_total"]), str(session["currency"]))
    values: dict[str, object] = {
        "price": f"{price} {str(session['currency']).upper()}",
        "account": session["metadata"].get("account", "nobody"),
        "next": _filled(session["success_url"], session),
    }
    ways = [str(session["success_url"]), str(session["cancel_url"] or "")]
    is_awaited = desk.read(lambda state, _: checkout.is_awaited(state, session))
    if is_awaited:
        choices = (("bank_pays", "The bank pays now"), ("bank_fails", "The bank does not pay"))
        bank = buttons(session["id"], *choices, first="main", shape="tall")
        content = notice(said) + fill(WAITING, bank_html=bank, **values)
        title = "The bank has the order"
    elif session["status"] != "open":
        title = NOT_OPEN[session["status"]]
        content = notice(said) + fill(OVER, title=title, **values)
    else:
        title = "Simulated checkout"
        content = _offer(session, values, said=said)
    return page(title, content, status=status, goes_to=ways, is_narrow=True)


def _offer(session: Object, values: dict[str, object], *, said: str) -> str:
    item: Object = session["items"][0]
    recurring: Object | None = item["price"]["recurring"]
    id_ = str(session["id"])
    choices = [("pay", f"Pay {values['price']}")]
    if recurring is None:
        choices.append(("later", "Pay by bank: the money arrives days later"))
    choices.append(("fail", "Pay with a card that is declined"))
    return fill(
        OFFER,
        name=item["price"]["nickname"],
        said_html=notice(said),
        often=f" each {recurring['interval']}" if recurring else "",
        pay_html=buttons(id_, *choices, first="main", shape="tall"),
        cards_html=buttons(id_, *((name, CARDS[name].label) for name in LATER), shape="tall"),
        cancel_html=buttons(id_, ("cancel", "Cancel")),
        **values,
    )


def _nothing() -> str:
    return (
        "<h1>This link does not work</h1>"
        "<p>No payment page has this address. It may be of another data folder.</p>"
        '<p><a href="/_local/stripe">All payments</a></p>'
    )


def _filled(url: object, session: Object) -> str:
    """The way back, with Stripe's placeholder for the session filled in."""
    return str(url).replace("{CHECKOUT_SESSION_ID}", quote(str(session["id"])))
