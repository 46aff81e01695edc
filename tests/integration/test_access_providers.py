"""Auth providers: their keys are asked for seldom, and each preset says what theirs must say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.driving import Driver, FakeClock
from tests.support.forgetting import forget
from tests.support.keys import ask, is_let_in, issue
from tests.support.provider import Provider, choose, ec_key, public_jwk, rsa_key
from tollkeeper.domain.errors import BusyError, TollkeeperError
from tollkeeper.edge.jwks import LARGEST_SET_BYTES
from tollkeeper.edge.routes import SCOPES

READ = "GET /v1/accounts/{id}"
DENIED: dict[str, Any] = {"isAuthorized": False, "context": {}}

# ---- The provider's keys


def test_keys_are_fetched_once_an_hour(provider: Provider, clock: FakeClock) -> None:
    for _ in range(5):
        assert is_let_in(READ, provider.token())
    assert len(provider.asked) == 1

    clock.forward(minutes=59, seconds=59)
    assert is_let_in(READ, provider.token())
    assert len(provider.asked) == 1

    clock.forward(seconds=1)
    assert is_let_in(READ, provider.token())
    assert len(provider.asked) == 2


def test_a_new_key_is_found_and_strange_ones_are_asked_for_once_a_minute(
    provider: Provider, clock: FakeClock
) -> None:
    assert is_let_in(READ, provider.token())
    provider.keys.append(public_jwk(rsa_key(2), "new"))
    fresh = provider.token(key=rsa_key(2), header={"kid": "new"})

    assert not is_let_in(READ, fresh), "a minute has not passed since the last request"
    clock.forward(minutes=1)
    assert is_let_in(READ, fresh)
    for number in range(50):
        assert not is_let_in(READ, provider.token(header={"kid": f"strange{number}"}))
    assert len(provider.asked) == 2


def test_a_key_that_the_provider_took_back_ends_within_the_hour(
    provider: Provider, clock: FakeClock
) -> None:
    assert is_let_in(READ, provider.token())
    del provider.keys[0]

    clock.forward(hours=1)

    assert not is_let_in(READ, provider.token())


@pytest.mark.parametrize("trouble", ["500", "no json", "redirect", "too large", "no keys", "list"])
def test_a_provider_in_trouble_is_believed_by_its_last_keys_for_a_day(
    provider: Provider, clock: FakeClock, trouble: str
) -> None:
    assert is_let_in(READ, provider.token())
    make_trouble(provider, trouble)

    clock.forward(hours=1)
    assert is_let_in(READ, provider.token())
    assert is_let_in(READ, provider.token())
    assert len(provider.asked) == 2, "the failure is not repeated within a minute"

    clock.forward(hours=22, minutes=59)
    assert is_let_in(READ, provider.token())
    clock.forward(minutes=1)
    with pytest.raises(BusyError):
        ask(READ, f"Bearer {provider.token()}")

    provider.status, provider.raw, provider.headers = 200, None, {}
    clock.forward(minutes=1)
    assert is_let_in(READ, provider.token())


@pytest.mark.parametrize("trouble", ["500", "no json", "redirect", "too large", "no keys", "list"])
def test_without_keys_the_authorizer_fails_and_lets_nobody_in(
    provider: Provider, trouble: str
) -> None:
    """Not a refusal: API Gateway would keep that for a minute, for a token that is good."""
    make_trouble(provider, trouble)

    for _ in range(3):
        with pytest.raises(BusyError):
            ask(READ, f"Bearer {provider.token()}")
    assert provider.asked == ["/.well-known/jwks.json"], "and nothing was followed"


def make_trouble(provider: Provider, trouble: str) -> None:
    """The provider answers something that is no set of keys."""
    good = json.dumps({"keys": provider.keys}).encode()
    if trouble == "500":
        provider.status = 500
    elif trouble == "no json":
        provider.raw = b"<html>"
    elif trouble == "redirect":
        provider.status, provider.headers = 302, {"location": provider.url + "/elsewhere"}
    elif trouble == "too large":
        provider.raw = good + b" " * LARGEST_SET_BYTES
    elif trouble == "no keys":
        provider.raw = b'{"keys": []}'
    else:
        provider.raw = b"[" + good + b"]"


def test_a_provider_that_does_not_answer_is_no_way_in(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, jwks_url="http://127.0.0.1:9/jwks.json")

    with pytest.raises(BusyError):
        ask(READ, f"Bearer {provider.token()}")


@pytest.mark.parametrize(
    "changed",
    [
        {"alg": "HS256"},
        {"alg": "RS512"},
        {"use": "enc"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "OKP"},
        {"d": "AQAB"},
        {"kid": 1},
        {"kid": ""},
        {"kid": None},
        {"n": "AQAB"},
        {"n": 5},
        {"e": ""},
    ],
    ids=str,
)
def test_a_key_that_no_token_may_be_signed_with_is_left_out(
    provider: Provider, changed: dict[str, object]
) -> None:
    provider.keys[0] |= changed

    assert ask(READ, f"Bearer {provider.token()}") == DENIED
    assert is_let_in(READ, provider.token(key=ec_key(), algorithm="ES256", header={"kid": "two"}))


def test_a_short_key_is_not_believed(provider: Provider) -> None:
    weak = rsa_key(1, 1024)
    provider.keys[0] = public_jwk(weak, "one")

    assert ask(READ, f"Bearer {provider.token(key=weak)}") == DENIED


# ---- Presets and settings


def test_clerk_asks_for_the_party_and_a_session_that_is_not_pending(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    parties = "https://app.example, https://admin.example"
    choose(monkeypatch, preset="clerk", parties=parties, audience="")
    good: dict[str, Any] = {"azp": "https://app.example", "without": ("aud",)}

    assert is_let_in(READ, provider.token(**good))
    assert is_let_in(READ, provider.token(**good | {"azp": "https://admin.example"}))
    assert not is_let_in(READ, provider.token(**good | {"azp": "https://evil.example"}))
    assert not is_let_in(READ, provider.token(without=("aud",)))
    assert not is_let_in(READ, provider.token(**good | {"sts": "pending"}))
    assert is_let_in(READ, provider.token(**good | {"sts": "active"}))
    by_curve = provider.token(key=ec_key(), algorithm="ES256", header={"kid": "two"}, **good)
    assert not is_let_in(READ, by_curve)


def test_firebase_needs_the_project_alone(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = provider.url + "/jwk"
    choose(monkeypatch, preset="firebase", issuer="", audience="my-project", jwks_url=keys)
    issuer = "https://securetoken.google.com/my-project"

    assert is_let_in(READ, provider.token(iss=issuer, aud="my-project"))
    assert not is_let_in(READ, provider.token(iss=issuer, aud="other-project"))
    assert not is_let_in(READ, provider.token(iss=issuer + "2", aud="my-project"))
    assert provider.asked == ["/jwk"]


def test_supabase_takes_those_who_are_signed_in(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = provider.url + "/auth/v1"
    choose(monkeypatch, preset="supabase", issuer=issuer + "/", audience="")
    by_curve: dict[str, Any] = {"key": ec_key(), "algorithm": "ES256", "header": {"kid": "two"}}

    assert is_let_in(READ, provider.token(**by_curve, iss=issuer, aud="authenticated"))
    assert not is_let_in(READ, provider.token(**by_curve, iss=issuer, aud="anon"))
    assert not is_let_in(READ, provider.token(**by_curve, iss=issuer))
    assert provider.asked == ["/auth/v1/.well-known/jwks.json"]


def test_cognito_takes_access_tokens_of_the_apps_clients(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, preset="cognito", audience="", parties="client_a")
    good: dict[str, Any] = {"token_use": "access", "client_id": "client_a", "without": ("aud",)}

    assert is_let_in(READ, provider.token(**good))
    assert not is_let_in(READ, provider.token(**good | {"client_id": "client_b"}))
    assert not is_let_in(READ, provider.token(**good | {"token_use": "id"}))
    assert not is_let_in(READ, provider.token(token_use="access", aud="client_a"))
    assert not is_let_in(READ, provider.token(token_use="access", azp="client_a"))


@pytest.mark.parametrize("given", ["", "/"])
def test_auth0_says_its_issuer_with_a_slash(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    choose(monkeypatch, preset="auth0", issuer=provider.url + given, audience="https://api.example")

    assert is_let_in(READ, provider.token(iss=provider.url + "/", aud="https://api.example"))
    assert not is_let_in(READ, provider.token(iss=provider.url, aud="https://api.example"))
    assert not is_let_in(READ, provider.token(iss=provider.url + "/", aud="client_a"))
    assert provider.asked == ["/.well-known/jwks.json"]


@pytest.mark.parametrize(
    "settings",
    [
        {"preset": "okta"},
        {"preset": "clerk"},
        {"preset": "cognito"},
        {"preset": "firebase", "audience": ""},
        {"preset": "auth0", "audience": "", "parties": "client_a"},
        {"audience": ""},
        {"issuer": ""},
        {"issuer": "http://evil.example"},
        {"issuer": "https://name@evil.example"},
        {"issuer": "https://a.example?x=1"},
        {"issuer": "https://a.example#x"},
        {"issuer": "file:///etc/passwd"},
        {"issuer": "https://"},
        {"issuer": "https://[a"},
        {"issuer": "tenant.auth0.com"},
        {"jwks_url": "http://127.0.0.1.evil.example/jwks"},
        {"jwks_url": "http://169.254.169.254/latest"},
    ],
    ids=str,
)
def test_settings_that_make_no_policy_let_nobody_in_by_a_token(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, driver: Driver, settings: dict[str, str]
) -> None:
    key = issue(driver, *SCOPES)
    choose(monkeypatch, **settings)

    with pytest.raises(TollkeeperError):
        ask(READ, f"Bearer {provider.token()}")
    assert not provider.asked
    assert is_let_in(READ, key), "service keys need none of it"


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_only_one_machine_believes_a_provider_on_loopback(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    monkeypatch.setenv("STAGE", stage)
    forget()

    with pytest.raises(TollkeeperError, match="OIDC_ISSUER must be an https URL"):
        ask(READ, f"Bearer {provider.token()}")


def test_without_a_preset_no_token_of_a_provider_gets_in(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, preset="")

    assert ask(READ, f"Bearer {provider.token()}") == DENIED
    assert not provider.asked


def test_a_provider_that_trickles_is_given_up(
    provider: Provider, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part comes in time, and all of them never end."""
    ticking = iter(range(0, 1000, 3))
    monkeypatch.setattr(clock, "monotonic_s", lambda: float(next(ticking)))
    provider.raw = b" " * (LARGEST_SET_BYTES - 1)

    with pytest.raises(BusyError):
        ask(READ, f"Bearer {provider.token()}")
