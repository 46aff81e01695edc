"""The page of everything that was paid, with the buttons that Stripe, banks and customers have."""

from __future__ import annotations

from collections.abc import Callable

from local.stripe import checkout, disputes, payments, refunds, subscriptions
from local.stripe.deliveries import Entry, Manner, Queue
from local.stripe.desk import Desk
from local.stripe.markup import buttons, fill, go, notice, page, text
from local.stripe.refusals import StripeRefusedError, refused
from local.stripe.state import (
    CHARGE,
    DISPUTE,
    INVOICE,
    PAYMENT_INTENT,
    REFUND,
    SESSION,
    SUBSCRIPTION,
    Object,
    StripeState,
)
from local.wire import Answer
from tollkeeper.domain.money import show_price

PATH = "/_local/stripe"
MOST_SHOWN = 50
MOST_EVENTS = 20
Act = Callable[[StripeState, str, int], object]

HEAD = """<p class="soft">Simulated Stripe</p>
<h1>Payments and subscriptions</h1>
<p class="soft">No money moves here. Each button does what a customer, a bank or Stripe would do,
and sends the signed events that Stripe would send. The lines that <code>make run</code> prints say
what becomes of the balance.</p>
$said_html
"""
START = """<div class="card"><p>Nothing was sold yet. Open a payment page:</p>
<pre>curl -s $$TOLLKEEPER_URL/v1/checkout -H "Authorization: Bearer $$TOLLKEEPER_KEY" \\
  -H "Idempotency-Key: buy-1" -d '{"account": "user_1", "pack": "pro",
    "success_url": "$url", "cancel_url": "$url"}'</pre></div>
"""
CARD = """<div class="card"><div class="row"><span class="big">$price</span>
<span class="state $mood">$state</span></div>
<div>$what</div><div class="id">$id</div>$note_html$buttons_html</div>
"""
MANNERS = {
    Manner.IN_ORDER: "In order",
    Manner.TWICE: "Each one twice",
    Manner.SHUFFLED: "In any order",
    Manner.AT_ONCE: "All at once",
    Manner.LATE: "20 seconds late",
}


def respond(desk: Desk, *, action: str | None, id_: str) -> Answer:
    """The page; after a button the page again, as it is then."""
    if action is None:
        return _show(desk)
    if action.startswith("manner_"):
        manner = action.removeprefix("manner_")
        if manner in MANNERS:
            desk.set_manner(Manner(manner))
            return go(PATH)
    act = ACTIONS.get(action)
    if act is None:
        return _show(desk, said="Press one of the buttons.", status=400)
    try:
        desk.change(lambda state, now: act(state, id_, now))
    except StripeRefusedError as refusal:
        return _show(desk, said=str(refusal), status=409)
    desk.settle()
    return go(PATH)


# ----------------------------------------------------------------------------------- the buttons


def _refund_half(state: StripeState, id_: str, now: int) -> None:
    charge = state.find(CHARGE, id_)
    left = int(charge["amount"]) - int(charge["amount_refunded"])
    refunds.create_refund(state, charge, now, amount=min(left, int(charge["amount"]) // 2))


def _open_dispute(state: StripeState, id_: str) -> Object:
    charge = state.find(CHARGE, id_)
    return state.find(DISPUTE, charge["dispute"])


def _settle(*, is_paid: bool) -> Act:
    def settle(state: StripeState, id_: str, now: int) -> None:
        intent = state.find(PAYMENT_INTENT, id_)
        if intent["status"] != "processing":
            raise refused("No bank works on this payment.")
        sessions = state.where(SESSION, payment_intent=id_)
        if sessions:
            checkout.settle_later(state, sessions[0], now, is_paid=is_paid)
        else:
            payments.settle_bank(state, intent, now, is_paid=is_paid)

    return settle


def _pending(state: StripeState, id_: str) -> Object:
    found = state.where(REFUND, charge=id_, status="pending")
    if not found:
        raise refused("No refund is under way.")
    return found[0]


def _of_subscription(act: Callable[[StripeState, Object, int], object]) -> Act:
    return lambda state, id_, now: act(state, state.find(SUBSCRIPTION, id_), now)


def _of_dispute(act: Callable[[StripeState, Object, int], object]) -> Act:
    return lambda state, id_, now: act(state, _open_dispute(state, id_), now)


def _renew_unpaid(state: StripeState, subscription: Object, now: int) -> object:
    return subscriptions.renew(state, subscription, now, is_paid=False)


ACTIONS: dict[str, Act] = {
    "refund_half": _refund_half,
    "refund_all": lambda s, id_, now: refunds.create_refund(s, s.find(CHARGE, id_), now),
    "refund_arrives": lambda s, id_, now: refunds.finish_refund(s, _pending(s, id_), now),
    "refund_fails": lambda s, id_, now: refunds.fail_refund(s, _pending(s, id_), now),
    "dispute": lambda s, id_, now: disputes.open_dispute(s, s.find(CHARGE, id_), now),
    "inquire": lambda s, id_, now: disputes.open_dispute(
        s, s.find(CHARGE, id_), now, is_inquiry=True
    ),
    "win": _of_dispute(disputes.win),
    "lose": _of_dispute(disputes.lose),
    "escalate": _of_dispute(disputes.escalate),
    "close": _of_dispute(disputes.close_inquiry),
    "bank_pays": _settle(is_paid=True),
    "bank_fails": _settle(is_paid=False),
    "expire": lambda s, id_, now: checkout.expire(s, s.find(SESSION, id_), now),
    "renew": _of_subscription(subscriptions.renew),
    "renew_unpaid": _of_subscription(_renew_unpaid),
    "pay_open": _of_subscription(subscriptions.pay_open_invoice),
    "upgrade": _of_subscription(subscriptions.upgrade_to_next),
    "cancel_at_end": _of_subscription(subscriptions.cancel_at_end),
    "keep": _of_subscription(subscriptions.keep),
    "cancel_now": _of_subscription(subscriptions.cancel_now),
}


# -------------------------------------------------------------------------------------- the page


def _show(desk: Desk, *, said: str = "", status: int = 200) -> Answer:
    made = desk.read(_content)
    head = fill(HEAD, said_html=notice(said))
    return page("Simulated Stripe", head + made, status=status)


def _content(state: StripeState, queue: Queue) -> str:
    charges = [each for each in _newest(state, CHARGE) if each["status"] != "failed"]
    sections = [
        _section("Payments", [_charge_card(state, each) for each in charges]),
        _section("Subscriptions", [_plan_card(state, e) for e in _newest(state, SUBSCRIPTION)]),
        _section(
            "Open payment pages",
            [_page_card(each) for each in _newest(state, SESSION) if each["status"] == "open"],
        ),
    ]
    if not any(sections):
        sections = [fill(START, url=f"{state.page_url}/stripe")]
    return "".join(sections) + _events(queue)


def _newest(state: StripeState, kind: str) -> list[Object]:
    return list(reversed(state.all_of(kind).values()))[:MOST_SHOWN]


def _section(title: str, cards: list[str]) -> str:
    return f"<h2>{text(title)}</h2>{''.join(cards)}" if cards else ""


def _shown(amount: object, currency: object) -> str:
    return f"{show_price(int(str(amount)), str(currency))} {str(currency).upper()}"


def _charge_card(state: StripeState, charge: Object) -> str:
    dispute = state.all_of(DISPUTE).get(str(charge["dispute"]))
    status = str(dispute["status"]) if dispute else ""
    mood, label = "good", "Paid"
    back = int(charge["amount_refunded"])
    choices = [("refund_half", "Refund half"), ("refund_all", "Refund all")]
    if back:
        choices = [("refund_all", "Refund the rest")]
    to_refund = list(choices)
    choices += [("dispute", "The customer disputes it"), ("inquire", "The bank only asks")]
    id_ = str(charge["id"])
    if charge["status"] == "pending":
        mood, label, id_ = "open", "The bank has the order", str(charge["payment_intent"])
        choices = [("bank_pays", "The bank pays now"), ("bank_fails", "The bank does not pay")]
    elif status.startswith("warning_") and charge["disputed"]:
        mood, label = "open", "The bank asks about it"
        choices = [*to_refund, ("escalate", "It disputes it"), ("close", "It asks no more")]
    elif status == "needs_response":
        mood, label, choices = "bad", "Disputed", [("win", "Win"), ("lose", "Lose")]
    elif status in ("won", "lost"):
        mood, label = ("good", "Dispute won") if status == "won" else ("bad", "Dispute lost")
        choices = to_refund if status == "won" else []
    if charge["refunded"]:
        mood, label, choices = "bad", "Refunded", []
    if back and not charge["refunded"]:
        label += f", {_shown(back, charge['currency'])} of it refunded"
    if state.where(REFUND, charge=charge["id"], status="pending"):
        choices += [("refund_arrives", "The refund arrives"), ("refund_fails", "The refund fails")]
    return fill(
        CARD,
        price=_shown(charge["amount"], charge["currency"]),
        mood=mood,
        state=label,
        what=_bought(state, charge),
        id=charge["id"],
        note_html="",
        buttons_html=buttons(id_, *choices) if choices else "",
    )


def _bought(state: StripeState, charge: Object) -> str:
    """What was bought for whom: by the payment's own metadata, or by its subscription's."""
    invoice = state.all_of(INVOICE).get(str(charge["invoice"]))
    if invoice is not None:
        metadata: Object = invoice["subscription_details"]["metadata"]
        owner = metadata.get("account", "nobody")
        return f"{invoice['lines'][-1]['price']['nickname']}, for {owner}: {invoice['number']}"
    account = str(charge["metadata"].get("account", "nobody"))
    sessions = state.where(SESSION, payment_intent=charge["payment_intent"])
    names = [str(each["items"][0]["price"]["nickname"]) for each in sessions]
    name = names[0] if names else str(charge["description"] or "A payment")
    return f"{name}, for {account}"


def _plan_card(state: StripeState, subscription: Object) -> str:
    price: Object = subscription["item"]["price"]
    id_ = str(subscription["id"])
    is_over = subscription["status"] == "canceled"
    is_late = bool(state.where(INVOICE, subscription=id_, status="open"))
    choices = [("renew", "Renew"), ("renew_unpaid", "Renew, and the card is declined")]
    if is_late:
        choices.append(("pay_open", "Pay the open invoice"))
    dearer = subscriptions.next_price(state, subscription)
    if dearer is not None:
        choices.append(("upgrade", f"Upgrade to {dearer['nickname']}"))
    if subscription["cancel_at_period_end"]:
        choices = [("renew", "The period ends"), ("keep", "Keep it after all")]
    else:
        choices.append(("cancel_at_end", "Cancel at the period's end"))
    choices.append(("cancel_now", "Cancel now"))
    ends = bool(subscription["cancel_at_period_end"]) and not is_over
    return fill(
        CARD,
        price=f"{_shown(price['unit_amount'], price['currency'])} each "
        f"{price['recurring']['interval']}",
        mood="bad" if is_over else "open" if is_late or ends else "good",
        state="Ends with its period" if ends else str(subscription["status"]).capitalize(),
        what=f"{price['nickname']}, for {subscription['metadata'].get('account', 'nobody')}",
        id=id_,
        note_html="",
        buttons_html="" if is_over else buttons(id_, *choices),
    )


def _page_card(session: Object) -> str:
    link = fill('<p><a href="/_local/checkout/$id">Open the page</a></p>', id=session["id"])
    return fill(
        CARD,
        price=_shown(session["amount_total"], session["currency"]),
        mood="open",
        state="Not paid yet",
        what=f"{session['items'][0]['price']['nickname']}, for "
        f"{session['metadata'].get('account', 'nobody')}",
        id=session["id"],
        note_html=link,
        buttons_html=buttons(str(session["id"]), ("expire", "Let it expire")),
    )


def _events(queue: Queue) -> str:
    chosen = [(f"manner_{each}", label) for each, label in MANNERS.items()]
    chosen.sort(key=lambda choice: choice[0] != f"manner_{queue.manner}")
    rows = "".join(_event_row(each) for each in list(reversed(queue.entries))[:MOST_EVENTS])
    return (
        "<h2>How events arrive</h2>"
        '<p class="soft">Stripe promises neither order nor once only. The balance must be the '
        "same whichever you choose.</p>"
        f"{buttons('', *chosen, first='now')}"
        f"<h2>Events, newest first</h2><ul>{rows or '<li>None yet</li>'}</ul>"
    )


def _event_row(entry: Entry) -> str:
    mood, said = "good", f"taken{'' if entry.tries == 1 else f' at try {entry.tries}'}"
    if entry.is_waiting:
        mood, said = "open", "on its way" if not entry.tries else f"again soon ({entry.status})"
    elif not 200 <= entry.status < 300:
        mood, said = "bad", f"given up ({entry.status})"
    return fill(
        '<li><code>$type</code><span class="state $mood">$said</span></li>',
        type=entry.event["type"],
        mood=mood,
        said=said,
    )
