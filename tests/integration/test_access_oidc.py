"""The app's own tokens: what its auth provider signed gets in, and nothing else does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tests.support.driving import Driver, FakeClock
from tests.support.keys import ask, is_let_in, issue
from tests.support.provider import Provider, choose, ec_key, public_jwk, rsa_key, to_segment
from tollkeeper.edge.routes import ROUTES

READ = "GET /v1/accounts/{id}"
DENIED: dict[str, Any] = {"isAuthorized": False, "context": {}}


# ---- What gets in


def test_s1_14_the_apps_own_token_opens_its_users_account(provider: Provider) -> None:
    answer = ask(READ, f"Bearer {provider.token()}")

    assert answer == {
        "isAuthorized": True,
        "context": {
            "principal": "user:user_1",
            "scopes": "",
            "account": "user_1",
            "expires_at": datetime(2026, 11, 20, 12, 10, 30, tzinfo=UTC).isoformat(),
        },
    }


def test_both_kinds_of_keys_are_believed(provider: Provider) -> None:
    by_curve = provider.token(key=ec_key(), algorithm="ES256", header={"kid": "two"})

    assert is_let_in(READ, provider.token())
    assert is_let_in(READ, by_curve)


def test_a_users_token_opens_the_accounts_own_routes_and_no_other(provider: Provider) -> None:
    text = provider.token()

    opened = {key for key in ROUTES if is_let_in(key, text)}

    assert opened == {key for key, route in ROUTES.items() if route.is_own}


def test_service_keys_get_in_as_before(provider: Provider, driver: Driver) -> None:
    text = issue(driver, "read")

    assert is_let_in(READ, text)
    assert not provider.asked


@pytest.mark.parametrize("audience", ["tollkeeper", ["other", "tollkeeper"]])
def test_a_token_for_us_among_others_gets_in(provider: Provider, audience: object) -> None:
    assert is_let_in(READ, provider.token(aud=audience))


@pytest.mark.parametrize(
    "account", ["auth0|65f0", "user_2abCD", "a" * 128, "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"]
)
def test_the_account_is_what_the_claim_says(provider: Provider, account: str) -> None:
    assert ask(READ, f"Bearer {provider.token(sub=account)}")["context"]["account"] == account


def test_a_custom_issuer_is_compared_as_it_was_given(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, issuer=provider.url + "/realm/")

    assert is_let_in(READ, provider.token(iss=provider.url + "/realm/"))
    assert not is_let_in(READ, provider.token(iss=provider.url + "/realm"))
    assert provider.asked == ["/realm/.well-known/jwks.json"]


def test_another_claim_can_name_the_account(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, account_claim="https://app.example/org")
    text = provider.token(**{"https://app.example/org": "org_7"})

    assert ask(READ, f"Bearer {text}")["context"]["account"] == "org_7"
    assert not is_let_in(READ, provider.token())


# ---- What does not


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": ""},
        {"iss": None},
        {"iss": ["{url}"]},
        {"without": ("iss",)},
        {"aud": "other"},
        {"aud": ""},
        {"aud": []},
        {"aud": ["other"]},
        {"aud": {"tollkeeper": 1}},
        {"aud": "tollkeeper "},
        {"without": ("aud",)},
        {"without": ("exp",)},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": None},
        {"exp": -1},
        {"exp": 10**30},
        {"exp": []},
        {"without": ("sub",)},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
        {"sub": ["user_1"]},
        {"sub": "user#1"},
        {"sub": "me"},
        {"sub": "."},
        {"sub": ".."},
        {"sub": "user 1"},
        {"sub": "usér"},
        {"sub": "a" * 129},
        {"sub": "user_1\n"},
        {"sub": "../user_2"},
        {"header": {"typ": "logout+jwt"}},
        {"header": {"typ": "dpop+jwt"}},
        {"header": {"kid": "nobody"}},
        {"header": {"kid": ""}},
        {"header": {"kid": "../two"}},
        {"header": {"kid": "one\x00"}},
        {"header": {"kid": "https://evil.example/jwks.json"}},
        {"header": {"kid": "two"}},
        {"header": {"crit": ["exp"]}},
        {"header": {"b64": False, "crit": ["b64"]}},
    ],
    ids=str,
)
def test_a_claim_or_header_that_is_not_right_is_denied(
    provider: Provider, changes: dict[str, Any]
) -> None:
    text = json.dumps(changes).replace("{url}", provider.url)

    assert ask(READ, f"Bearer {provider.token(**json.loads(text))}") == DENIED


@pytest.mark.parametrize(
    ("claim", "seconds", "is_in"),
    [
        ("exp", -30, False),
        ("exp", -29, True),
        ("exp", -3600, False),
        ("nbf", 30, True),
        ("nbf", 31, False),
        ("iat", 30, True),
        ("iat", 31, False),
    ],
)
def test_time_is_kept_with_half_a_minute_of_leeway(
    provider: Provider, clock: FakeClock, claim: str, seconds: int, is_in: bool
) -> None:
    at = int(clock.now().timestamp()) + seconds

    assert is_let_in(READ, provider.token(**{claim: at})) is is_in


def test_an_unsigned_token_is_denied(provider: Provider) -> None:
    header, claims, _ = provider.token().split(".")
    none = to_segment({"alg": "none", "typ": "JWT", "kid": "one"})

    for forged in (
        f"{none}.{claims}.",
        f"{none}.{claims}",
        f"{to_segment({'alg': 'None', 'kid': 'one'})}.{claims}.",
        f"{to_segment({'kid': 'one'})}.{claims}.",
        f"{header}.{claims}.",
        f"{header}.{claims}.AAAA",
    ):
        assert ask(READ, f"Bearer {forged}") == DENIED, forged


def test_the_public_key_is_no_secret_of_a_signature(provider: Provider) -> None:
    """Whoever takes a public key for the secret of HS256 would believe everybody."""
    public = rsa_key().public_key()
    forms = [
        public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        json.dumps(provider.keys[0]).encode(),
        provider.keys[0]["n"].encode(),
        b"\x00" * 32,
    ]
    _, claims, _ = provider.token().split(".")

    for secret in forms:
        for name in ("HS256", "HS384", "HS512"):
            head = to_segment({"alg": name, "typ": "JWT", "kid": "one"})
            digest = jwt.get_algorithm_by_name(name).sign(f"{head}.{claims}".encode(), secret)
            assert ask(READ, f"Bearer {head}.{claims}.{to_segment(digest)}") == DENIED


@pytest.mark.parametrize("name", ["RS384", "RS512", "PS256", "ES256K", "EdDSA", "HS256"])
def test_an_algorithm_that_is_not_the_providers_is_denied(provider: Provider, name: str) -> None:
    key: object = rsa_key()
    if name == "ES256K":
        key = ec.generate_private_key(ec.SECP256K1())
    if name == "EdDSA":
        key = ed25519.Ed25519PrivateKey.generate()
    if name == "HS256":
        key = "a secret of thirty-two characters or more"
    text = jwt.encode(
        jwt.decode(provider.token(), options={"verify_signature": False}),
        key,  # pyright: ignore[reportArgumentType]
        algorithm=name,
        headers={"kid": "one"},
    )

    assert ask(READ, f"Bearer {text}") == DENIED


def test_somebody_elses_key_under_a_known_id_is_denied(provider: Provider) -> None:
    assert ask(READ, f"Bearer {provider.token(key=rsa_key(2))}") == DENIED
    text = provider.token(key=ec_key(2), algorithm="ES256", header={"kid": "two"})
    assert ask(READ, f"Bearer {text}") == DENIED


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_the_token_brings_itself_is_not_looked_at(
    provider: Provider, member: str
) -> None:
    """The caller's own key, or where it would be found."""
    own = public_jwk(rsa_key(2), "one")
    brought = own if member == "jwk" else [own["n"]] if member == "x5c" else provider.url + "/own"
    text = provider.token(key=rsa_key(2), header={member: brought})

    assert ask(READ, f"Bearer {text}") == DENIED
    assert set(provider.asked) == {"/.well-known/jwks.json"}


def test_a_token_with_any_part_changed_is_denied(provider: Provider) -> None:
    header, claims, mac = provider.token().split(".")
    other = to_segment({"iss": provider.url, "aud": "tollkeeper", "sub": "user_2", "exp": 10**10})

    for forged in (
        f"{header}.{other}.{mac}",
        f"{header}.{claims}.{mac[:-4]}",
        f"{header}.{claims}.{mac[::-1]}",
        f"{header}.{claims}.{mac}.{mac}",
        f".{header}.{claims}.{mac}",
        f"{header}..{mac}",
        f"..{mac}",
        "..",
        "e30.e30.",
        f"{header}.{claims}.{mac} ",
        f"{header}.{claims}.{mac}x",
    ):
        is_same = forged.strip() == f"{header}.{claims}.{mac}"
        assert is_let_in(READ, forged) is is_same, forged


def test_a_huge_token_is_denied_before_anything_is_read(provider: Provider) -> None:
    deep = to_segment(b'{"alg":"RS256","kid":"one","x":' + b"[" * 3000 + b"]" * 3000 + b"}")

    for huge in ("ey." * 100_000, "eyJ" + "A" * 9000 + ".e30.AA", f"{deep}.e30.AA", "é.é.é"):
        assert ask(READ, f"Bearer {huge}") == DENIED
    assert not provider.asked


def test_the_id_of_a_key_is_part_of_no_address(provider: Provider) -> None:
    for kid in ("../../secrets", "one/../../x", "http://127.0.0.1:1/x", "%2e%2e", "a" * 257):
        assert ask(READ, f"Bearer {provider.token(header={'kid': kid})}") == DENIED
    assert provider.asked in ([], ["/.well-known/jwks.json"])
