"""Parameters of the simulated Stripe's API: read whole, typed, and nothing else is taken."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.stripe.api import KEPT_S, respond
from local.stripe.calls import CALLS
from local.stripe.parameters import FLAG, MAP, TEXT, WHOLE, read_form, read_parameters
from local.stripe.refusals import StripeRefusedError
from local.stripe.state import StripeState

NOW = 1_795_000_000
HEADERS = {"Authorization": "Bearer sk_test_local"}
SPEC: dict[str, Any] = {
    "mode!": ("a", "b"),
    "lines": [{"price!": TEXT, "quantity": WHOLE}],
    "metadata": MAP,
    "live": FLAG,
    "expand": [TEXT],
}


def test_a_form_with_brackets_is_read_with_its_types() -> None:
    form = read_form(
        "mode=a&lines[0][price]=p1&lines[1][price]=p2&lines[1][quantity]=3"
        "&metadata[plan]=x%26y&live=true&expand[]=charge&expand[]=customer"
    )

    assert read_parameters(form, SPEC) == {
        "mode": "a",
        "lines": [{"price": "p1"}, {"price": "p2", "quantity": 3}],
        "metadata": {"plan": "x&y"},
        "live": True,
        "expand": ["charge", "customer"],
    }


@pytest.mark.parametrize(
    ("form", "param", "code"),
    [
        ("", "mode", "parameter_missing"),
        ("mode=a&extra=1", "extra", "parameter_unknown"),
        ("mode=a&lines[0][price]=p&lines[0][x]=1", "lines[0][x]", "parameter_unknown"),
        ("mode=a&lines[0][quantity]=1", "lines[0][price]", "parameter_missing"),
        ("mode=c", "mode", ""),
        ("mode=a&mode=b", "mode", ""),
        ("mode[x]=a", "mode", ""),
        ("mode=a&mode[x]=a", "mode[x]", ""),
        ("mode=a&lines=x", "lines", ""),
        ("mode=a&lines[1][price]=p", "lines", ""),
        ("mode=a&lines[0][price]=", "lines[0][price]", "parameter_invalid_empty"),
        ("mode=a&lines[0][price]=p&lines[0][quantity]=1.5", "", "parameter_invalid_integer"),
        ("mode=a&live=1", "live", ""),
        (f"mode=a&metadata[{'k' * 41}]=v", "", ""),
        (f"mode=a&metadata[k]={'v' * 501}", "metadata[k]", ""),
        ("mode=a&" + "&".join(f"metadata[k{n}]=v" for n in range(51)), "metadata", ""),
        ("mode=a&a[b][c][d][e][f][g][h][i]=1", "", ""),
        ("mode=a&[x]=1", "[x]", ""),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(form: str, param: str, code: str) -> None:
    with pytest.raises(StripeRefusedError) as refused:
        read_parameters(read_form(form), SPEC)

    error = refused.value.error
    assert (refused.value.status, error["type"]) == (400, "invalid_request_error")
    assert error.get("code", "") == code
    assert not param or error["param"] == param


@given(
    st.lists(st.tuples(st.text(alphabet="ab[]0%=\x00é", max_size=12), st.text(max_size=6))),
    st.sampled_from(CALLS),
)
def test_no_form_breaks_a_call(pairs: list[tuple[str, str]], call: Any) -> None:
    text = "&".join(f"{quote(name, safe='[]')}={quote(value)}" for name, value in pairs)
    path = call.path.replace("{id}", "x_1")
    target = f"{path}?{text}" if call.method == "GET" else path

    status, headers, body = respond(
        StripeState(), NOW, method=call.method, target=target, headers=HEADERS, body=text.encode()
    )

    assert status in (200, 400, 404)
    assert headers["Content-Type"] == "application/json"
    assert ("error" in json.loads(body)) is (status != 200)


def create_customer(state: StripeState, now: int, key: str, body: bytes = b"name=Ada") -> Any:
    """The status, the header that says it is a repeat, and the answer."""
    status, headers, answer = respond(
        state,
        now,
        method="POST",
        target="/v1/customers",
        headers={**HEADERS, "Idempotency-Key": key},
        body=body,
    )
    return status, headers.get("Idempotent-Replayed"), json.loads(answer)


def test_a_key_answers_the_same_for_a_day_and_is_then_forgotten() -> None:
    state = StripeState()

    first = create_customer(state, NOW, "k")
    again = create_customer(state, NOW + KEPT_S - 1, "k")
    later = create_customer(state, NOW + KEPT_S, "k")

    assert (first[1], again[1], later[1]) == (None, "true", None)
    assert first[2] == again[2]
    assert later[2]["id"] != first[2]["id"]


def test_parameters_that_were_refused_keep_no_key() -> None:
    state = StripeState()

    refused = create_customer(state, NOW, "k", b"unknown=1")
    taken = create_customer(state, NOW, "k")

    assert (refused[0], taken[0]) == (400, 200)
    assert create_customer(state, NOW, "k" * 256)[0] == 400


def test_an_event_says_which_request_made_it() -> None:
    state = StripeState()

    create_customer(state, NOW, "k")

    assert state.events[0]["request"]["idempotency_key"] == "k"
    assert state.request_key is None
