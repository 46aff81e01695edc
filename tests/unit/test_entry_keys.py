"""Keys are typed, so that nobody can take another's, and are shown without `#`."""

from __future__ import annotations

import pytest

from tollkeeper.domain.entries import EntryKey, caller_key, parse_id, read_key, show_key
from tollkeeper.domain.errors import InvalidError


@pytest.mark.parametrize(
    "text", ["user_1", "a", "auth0|5f7", "org:1@x.y", "A.b-C_d", "0" * 128, "user_2abc|x"]
)
def test_ids_of_common_auth_providers_are_taken_as_they_are(text: str) -> None:
    assert parse_id(text, "account") == text


@pytest.mark.parametrize(
    "text", ["", "a#b", "a b", "a/b", "a~b", "é", "a\n", "\n", "0" * 129, None, 5, True, ["a"]]
)
def test_anything_else_is_refused_and_names_its_member(text: object) -> None:
    with pytest.raises(InvalidError) as refusal:
        parse_id(text, "account")

    assert refusal.value.problems[0][0] == "account"


def test_a_callers_key_cannot_be_one_of_ours() -> None:
    for forged in ("t#reset:1:x", "s#purchase:p1", "c#k", "#"):
        with pytest.raises(InvalidError):
            caller_key(forged)
    assert caller_key("t") == "c#t"


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("c#msg_812", "msg_812"),
        ("t#expire:g1", "t~expire:g1"),
        ("s#purchase:p1", "s~purchase:p1"),
        ("t#reset:1:2026-12-01T00:00:00.000000Z", "t~reset:1:2026-12-01T00:00:00.000000Z"),
        ("h#hold_1#settle", "h~hold_1~settle"),
    ],
)
def test_a_key_is_read_as_it_is_shown(key: str, shown: str) -> None:
    assert show_key(EntryKey(key)) == shown
    assert read_key(shown) == key


def test_a_callers_key_may_be_said_with_its_type() -> None:
    assert read_key("c~msg_812") == read_key("msg_812") == "c#msg_812"


@pytest.mark.parametrize(
    "text", ["x~y", "~", "", "t~", "t~a#b", "c~a~b", "t~a b", "t~" + "a" * 201]
)
def test_what_was_never_shown_is_no_key(text: str) -> None:
    with pytest.raises(InvalidError):
        read_key(text)
