"""The simulated checkout page: what a customer would see at Stripe, without Stripe.

Paying here sends a signed `checkout.session.completed` through the API's own webhook route, so
that a pack is granted on one machine exactly as it is in a stack. Nothing is kept: the link
carries the session, signed when the checkout was opened.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from string import Template
from urllib.parse import parse_qs, quote, urlsplit

from tollkeeper.domain.errors import MalformedError
from tollkeeper.domain.money import show_price
from tollkeeper.edge.stripe_events import sign
from tollkeeper.edge.stripe_simulator import SimulatedSession, read_token

Reply = tuple[int, dict[str, str], bytes]
PostWebhook = Callable[[dict[str, str], bytes], tuple[int, bytes]]

LARGEST_FORM_BYTES = 64 * 1024
STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:28rem;margin:3rem auto;padding:0 1rem;"
    "color:#1a1a1a;background:#fff}h1{font-size:1.4rem}dt{color:#555}dd{margin:0 0 .75rem;"
    "font-weight:600;overflow-wrap:anywhere}button{font:inherit;padding:.6rem 1.4rem;"
    "border:2px solid #0b57d0;border-radius:.4rem;background:#0b57d0;color:#fff;cursor:pointer}"
    "button+button{background:#fff;color:#0b57d0;margin-left:.5rem}"
    "button:focus-visible{outline:3px solid #f29900;outline-offset:2px}"
)
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main>
<h1>$title</h1>
$content
</main>
</body>
</html>
""")
OFFER = Template("""<p>No money moves here: this page stands in for Stripe on your machine.</p>
<dl>
<dt>Pack</dt><dd>$name ($credits credits)</dd>
<dt>Price</dt><dd>$price $currency</dd>
<dt>Account</dt><dd>$account</dd>
</dl>
<form method="post">
<input type="hidden" name="session" value="$token">
<button name="action" value="pay">Pay $price $currency</button>
<button name="action" value="cancel">Cancel</button>
</form>""")


def respond(
    method: str, path: str, query: Mapping[str, str], body: bytes, post_webhook: PostWebhook
) -> Reply:
    """The page, or after a button the way back: 303 to the address the checkout was opened with.

    Shape: status, headers, body. A link that we did not make, or a form without one, is a 400.
    """
    if method == "GET":
        fields: Mapping[str, str] = query
    elif method == "POST" and len(body) <= LARGEST_FORM_BYTES:
        fields = _read_form(body)
    else:
        return _show(405 if method != "POST" else 413, "This cannot be done here", path)
    token = fields.get("session", "")
    try:
        session = read_token(token, _secret())
    except MalformedError as error:
        return _show(400, "This link does not work", error.detail)
    if method == "GET":
        return _show_offer(session, token)
    return _act(fields.get("action", ""), session, post_webhook)


def _act(action: str, session: SimulatedSession, post_webhook: PostWebhook) -> Reply:
    if action == "cancel":
        return _go(session.cancel_url, session)
    if action != "pay":
        return _show(400, "This cannot be done here", "Press Pay or Cancel.")
    raw = json.dumps(completed_event(session), separators=(",", ":")).encode()
    header = sign(raw, secret=_secret(), at=datetime.now(UTC))
    status, answer = post_webhook({"Stripe-Signature": header}, raw)
    if status != 200:
        said = f"The webhook answered {status}: {answer.decode(errors='replace')[:500]}"
        return _show(502, "The payment was not taken", said)
    return _go(session.success_url, session)


def completed_event(session: SimulatedSession) -> dict[str, object]:
    """The event that Stripe would send once this session is paid: the same one each time."""
    mark = hashlib.sha256(session.id.encode()).hexdigest()[:24]
    metadata = {"purchase_id": session.purchase, "account": session.account}
    return {
        "id": f"evt_{mark}",
        "object": "event",
        "api_version": "2026-03-25.dahlia",
        "created": int(time.time()),
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "checkout.session.completed",
        "data": {
            "object": {
                "id": session.id,
                "object": "checkout.session",
                "amount_subtotal": session.price_minor,
                "amount_total": session.price_minor,
                "cancel_url": session.cancel_url,
                "client_reference_id": session.purchase,
                "currency": session.currency,
                "livemode": False,
                "metadata": metadata,
                "mode": "payment",
                "payment_intent": f"pi_{mark}",
                "payment_status": "paid",
                "status": "complete",
                "success_url": session.success_url,
            }
        },
    }


def _secret() -> str:
    return os.environ.get("STRIPE_WEBHOOK_SECRET", "").partition(",")[0].strip()


def _read_form(body: bytes) -> Mapping[str, str]:
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def _show_offer(session: SimulatedSession, token: str) -> Reply:
    texts = {
        "name": session.name,
        "credits": session.credits,
        "price": show_price(session.price_minor, session.currency),
        "currency": session.currency.upper(),
        "account": session.account,
        "token": token,
    }
    content = OFFER.substitute({name: html.escape(text) for name, text in texts.items()})
    return _page(200, "Simulated checkout", content, session)


def _show(status: int, title: str, said: str) -> Reply:
    return _page(status, title, f"<p>{html.escape(said)}</p>", None)


def _page(status: int, title: str, content: str, session: SimulatedSession | None) -> Reply:
    """The page with headers that let it run nothing and be framed nowhere.

    Why: browsers hold a form's redirect to form-action too, so the ways back are on its list.
    """
    urls = (session.success_url, session.cancel_url) if session else ()
    targets = " ".join(["'self'", *sorted({_origin(url) for url in urls})])
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action {targets}; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    page = PAGE.substitute(title=html.escape(title), style=STYLE, content=content)
    return status, headers, page.encode()


def _origin(url: str) -> str:
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc}"


def _go(url: str, session: SimulatedSession) -> Reply:
    """The way back, with Stripe's placeholder for the session filled in."""
    location = url.replace("{CHECKOUT_SESSION_ID}", quote(session.id))
    return 303, {"Location": location, "Cache-Control": "no-store"}, b""
