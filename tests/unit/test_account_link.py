"""The local link to the account page: a token of the account it names, in the fragment."""

from __future__ import annotations

import json

import pytest

from local.account_link import PATH, AccountLink
from local.wire import Answer, Request


def ask(path: str, method: str = "GET") -> Request:
    """A request of a browser on this machine."""
    return Request(
        method=method,
        target=path,
        protocol="HTTP/1.1",
        headers=(("host", "127.0.0.1:8080"), ("cookie", "a=b")),
        body=b"",
        source_ip="127.0.0.1",
    )


class FakeApi:
    """An API that mints tokens, or refuses to."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    def respond(self, request: Request) -> Answer:
        """The answer, whatever is asked."""
        self.asked.append(request)
        return self.answer


MINTED = Answer(status=201, body=json.dumps({"token": "tkc_dev_a.b"}).encode())


@pytest.mark.parametrize("account", ["user_1", "auth0|abc", "a:b@c.example"])
def test_it_leads_to_the_page_with_a_token_of_the_account(account: str) -> None:
    api, link = FakeApi(MINTED), AccountLink()
    link.open(api.respond, key="tk_dev_1_2")

    answer = link.respond(ask(PATH + account), PATH + account)

    assert (answer.status, dict(answer.headers)["Location"]) == (303, "/#token=tkc_dev_a.b")
    assert dict(answer.headers)["Cache-Control"] == "no-store"
    (asked,) = api.asked
    assert (asked.method, asked.target) == ("POST", "/v1/tokens")
    assert json.loads(asked.body) == {"account": account}
    assert asked.header("authorization") == "Bearer tk_dev_1_2"
    assert asked.header("cookie") is None


def test_what_the_api_says_against_it_is_the_answer() -> None:
    refused = Answer(status=422, body=b'{"code": "invalid"}')
    link = AccountLink()
    link.open(FakeApi(refused).respond, key="tk_dev_1_2")

    assert link.respond(ask(PATH + "a#b"), PATH + "a#b") == refused


def test_only_a_get_is_answered_and_nothing_before_there_is_an_api() -> None:
    link = AccountLink()

    assert link.respond(ask(PATH + "user_1"), PATH + "user_1").status == 404
    link.open(FakeApi(MINTED).respond, key="tk_dev_1_2")
    assert link.respond(ask(PATH + "user_1", "POST"), PATH + "user_1").status == 404


def test_it_serves_its_own_paths() -> None:
    link = AccountLink()

    assert link.serves("/_local/account/user_1")
    assert not link.serves("/_local/accounts")
    assert not link.serves("/v1/accounts/user_1")
