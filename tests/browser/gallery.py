"""One page of an app with every element on it, as a framework would have put them there."""

from __future__ import annotations

from playwright.sync_api import Page, expect

ELEMENTS = (
    "credit-balance",
    "credit-costs",
    "credit-estimate",
    "credit-gate",
    "credit-history",
    "credit-limits",
    "credit-packs",
    "credit-usage",
)

BODY = """
<nav aria-label="Account"><credit-balance href="#packs">Credits</credit-balance></nav>
<h2>Balance</h2><credit-balance detailed buy-href="#packs"></credit-balance>
<h2>Cost</h2><credit-estimate operation="ai_tokens" model="gpt-4"></credit-estimate>
<credit-estimate compact operation="sms"></credit-estimate>
<h2>Ask</h2>
<credit-gate operation="{operation}" model="{model}" pricing-href="/pricing">
  <form><label>Message <textarea name="text"></textarea></label> <button>Send</button></form>
</credit-gate>
<h2>Usage</h2><credit-usage></credit-usage>
<h2>History</h2><credit-history></credit-history>
<h2 id="packs">Packs</h2><credit-packs></credit-packs>
<h2>Limits</h2><credit-limits></credit-limits>
<h2>What things cost</h2><credit-costs></credit-costs>
<script type="module">
  import {{ configure }} from "{api}/web/elements.js";
  globalThis.session = configure({{ api: "{api}", getToken: () => "{token}", live: false }});
</script>
"""


def gallery(api: str, *, token: str, operation: str = "ai_tokens", model: str = "gpt-4") -> str:
    """The html of the page: the account of the token, in every element."""
    return BODY.format(api=api, token=token, operation=operation, model=model)


def wait_for_gallery(page: Page) -> None:
    """Every element shows what it has, and none is waiting for an answer."""
    expect(page.locator("credit-packs article").first).to_be_visible()
    for name in ELEMENTS:
        expect(page.locator(name).locator("[aria-busy=true], .wait")).to_have_count(0)
