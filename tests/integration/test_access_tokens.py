"""Customer tokens: minted by a key, good for one account and a short time, kept nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.driving import Answered, Driver, FakeClock, FakeContext, load, read_answer
from tests.support.dumping import dump_table
from tests.support.keys import ask, is_let_in, issue
from tests.support.users import call_as
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.url_safe import from_url_safe, to_url_safe
from tollkeeper.edge import authorization
from tollkeeper.edge.routes import SCOPES
from tollkeeper.service.tokens import CustomerToken, mint_token

pytestmark = pytest.mark.moto

MINT = "POST /v1/tokens"
READ = "GET /v1/accounts/{id}"


def mint(driver: Driver, key: str, account: str = "user_1", **members: Any) -> Answered:
    """What the function answers to the key's request."""
    event = driver.event(MINT, {"account": account, **members}, headers={"host": "api.example"})
    event["requestContext"]["authorizer"]["lambda"] = ask(MINT, f"Bearer {key}")["context"]
    return read_answer(load("admin").handler(event, FakeContext()))


def token_of(driver: Driver, account: str = "user_1", **members: Any) -> str:
    """A token of the account's user."""
    return str(mint(driver, issue(driver, "token"), account, **members)["token"])


# ---- Minting


def test_s1_14_a_key_mints_a_token_that_opens_one_account(driver: Driver) -> None:
    before = dump_table()
    answer = mint(driver, issue(driver, "token", key="k"))
    minted = answer["token"]

    assert answer.status == 201
    assert answer.body == {
        "token": minted,
        "account": "user_1",
        "expires_at": "2026-11-20T12:15:00+00:00",
        "page_url": f"https://api.example/#token={minted}",
    }
    assert answer.headers["cache-control"] == "no-store"
    assert minted.startswith("tkc_dev_")
    assert ask(READ, f"Bearer {minted}") == {
        "isAuthorized": True,
        "context": {
            "principal": "user:user_1",
            "scopes": "",
            "account": "user_1",
            "expires_at": "2026-11-20T12:15:00+00:00",
        },
    }
    assert len(dump_table()) == len(before) + 1, "the key's own item and no other"


@pytest.mark.parametrize(("asked", "life_s"), [({}, 900), ({"expires_in_s": 60}, 60)])
def test_a_token_lives_as_long_as_was_asked(
    driver: Driver, clock: FakeClock, asked: dict[str, Any], life_s: int
) -> None:
    text = token_of(driver, **asked)

    clock.forward(seconds=life_s - 1)
    assert is_let_in(READ, text)
    clock.forward(seconds=1)
    assert not is_let_in(READ, text)


def test_a_token_ends_with_the_key_that_minted_it(driver: Driver, clock: FakeClock) -> None:
    key = issue(driver, "token", expires_at="2026-11-20T12:02:00Z")

    answer = mint(driver, key)

    assert answer["expires_at"] == "2026-11-20T12:02:00+00:00"
    clock.forward(minutes=2)
    assert not is_let_in(READ, answer["token"])


def test_a_token_that_was_minted_for_longer_ends_with_its_key_all_the_same(driver: Driver) -> None:
    key = issue(driver, "token", expires_at="2026-11-20T12:02:00Z").split("_")[2]
    longer = CustomerToken(AccountId("user_1"), datetime(2026, 11, 20, 13, tzinfo=UTC), key)

    text = mint_token(authorization.gatehouse(), longer).text

    assert ask(READ, f"Bearer {text}")["context"]["expires_at"] == "2026-11-20T12:02:00+00:00"


def test_revoking_the_key_ends_its_tokens(driver: Driver) -> None:
    key = issue(driver, "token")
    text, other = mint(driver, key)["token"], token_of(driver)

    driver.call("DELETE /v1/keys/{key_id}", path={"key_id": key.split("_")[2]})

    assert not is_let_in(READ, text)
    assert is_let_in(READ, other)


@pytest.mark.parametrize(
    ("headers", "site"),
    [
        ({"host": "api.example"}, "https://api.example"),
        ({"host": "127.0.0.1:8080", "x-forwarded-proto": "http"}, "http://127.0.0.1:8080"),
        ({"host": "api.example", "x-forwarded-proto": "https"}, "https://api.example"),
        ({}, None),
    ],
)
def test_the_page_is_where_the_request_came_to(
    driver: Driver, headers: dict[str, str], site: str | None
) -> None:
    answer = driver.call(MINT, {"account": "user_1"}, headers=headers)

    assert answer["page_url"] == (site and f"{site}/#token={answer['token']}")


def test_the_page_is_below_the_path_that_a_domain_maps_to_the_api(driver: Driver) -> None:
    event = driver.event(MINT, {"account": "user_1"}, headers={"host": "example.com"})
    event["rawPath"] = "/credits/v1/tokens"

    answer = read_answer(load("admin").handler(event, FakeContext()))

    assert answer["page_url"].startswith("https://example.com/credits/#token=tkc_")


@pytest.mark.parametrize("account", [".", "..", "me", "a b", "", "a#b"])
def test_an_account_that_no_browser_could_ask_for_has_no_token(
    driver: Driver, account: str
) -> None:
    answer = driver.call(MINT, {"account": account})

    assert (answer.status, answer["errors"][0]["member"]) == (422, "account")


def test_a_user_mints_no_token(driver: Driver) -> None:
    answer = call_as(driver, "user_1", MINT, {"account": "user_1"})

    assert (answer.status, answer["code"]) == (403, "forbidden")


# ---- What is no token


def test_a_token_with_any_part_changed_is_denied(driver: Driver) -> None:
    text = token_of(driver)
    head, _, mac = text.rpartition(".")
    said = json.loads(from_url_safe(head.removeprefix("tkc_dev_")))
    others = [
        "tkc_dev_" + to_url_safe(json.dumps(said | change).encode())
        for change in ({"account": "user_2"}, {"expires_at": 10**10}, {"key": "other"})
    ]

    for forged in (
        *(f"{other}.{mac}" for other in others),
        f"{head}.{mac[:-1]}",
        f"{head}.{mac}x",
        f"{head}.{mac.swapcase()}",
        f"{head}.",
        head,
        f"{head}.{mac}.{mac}",
        f"{head}=.{mac}",
        text.replace("tkc_dev", "tkc_test"),
        text.replace("tkc_dev", "tkc_live"),
        text.replace("tkc_", "tk_"),
        text.replace("tkc_", "TKC_"),
        text.removeprefix("tkc_dev_"),
        "tkc_dev_.",
        "tkc_dev_",
        "tkc_",
        "tkc_dev_e30." + mac,
        text + "é",
        text + "A" * 1000,
    ):
        assert not is_let_in(READ, forged), forged
    assert is_let_in(READ, text)


def test_a_token_of_another_stack_or_stage_is_denied(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = token_of(driver)

    monkeypatch.setenv("KEY_PEPPER", "another pepper")
    authorization.gatehouse.cache_clear()
    assert not is_let_in(READ, text)
    monkeypatch.setenv("KEY_PEPPER", "pepper-for-tests")
    monkeypatch.setenv("STAGE", "prod")
    authorization.gatehouse.cache_clear()
    authorization.read_settings.cache_clear()
    assert not is_let_in(READ, text)


def test_a_service_keys_digest_signs_no_token(driver: Driver) -> None:
    """What the table keeps of keys is of no use to whoever reads the table."""
    issue(driver, "token")
    digests = [item["digest"]["S"] for (pk, _), item in dump_table().items() if pk == "K"]
    head = token_of(driver).rpartition(".")[0]

    for digest in digests:
        for mac in (digest, to_url_safe(bytes.fromhex(digest))):
            assert not is_let_in(READ, f"{head}.{mac}")


def test_a_key_that_may_not_mint_has_no_tokens(driver: Driver) -> None:
    """Such a one was never answered; a key whose scope is taken away has none either."""
    weak = issue(driver, *(SCOPES - {"token"})).split("_")[2]
    for key in (weak, "nobody", ""):
        soon = driver.clock.now() + timedelta(minutes=5)
        text = mint_token(
            authorization.gatehouse(), CustomerToken(AccountId("user_1"), soon, key)
        ).text
        assert not is_let_in(READ, text), key


def test_keys_and_tokens_load_no_library_of_signatures() -> None:
    """A cold authorizer is ready sooner; such a library is for a provider's token alone."""
    code = (
        "import sys\n"
        "from functions.authorizer.handler import handler\n"
        "from tollkeeper.edge import authorization\n"
        "from tollkeeper.service.keys import Gatehouse\n"
        "class Ring:\n"
        "    def read_key(self, key_id): return None\n"
        "from tollkeeper.edge.wiring import SystemClock, SystemIds\n"
        "house = Gatehouse(Ring(), SystemClock(), SystemIds(), 'pepper', 'tk_dev')\n"
        "authorization.gatehouse = lambda: house\n"
        "for text in ('tk_dev_a_b', 'tkc_dev_a.b'):\n"
        "    event = {'headers': {'authorization': 'Bearer ' + text}, 'routeKey': 'GET /v1/keys'}\n"
        "    assert handler(event, None) == {'isAuthorized': False, 'context': {}}\n"
        "print(sorted({'jwt', 'cryptography', 'tollkeeper.edge.oidc'} & set(sys.modules)))"
    )
    environment = {**os.environ, "OIDC_PRESET": "custom", "TABLE_NAME": "none"}

    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[2],
        check=True,
    )

    assert ran.stdout.splitlines()[-1] == "[]"
