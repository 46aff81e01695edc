"""JSON at the border: read strictly, written exactly, hashed by what it means."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollkeeper.domain.errors import MalformedError, TooLargeError
from tollkeeper.edge.wire import Amount, hash_request, read_json, write_json

D = Decimal


# ---- Reading


def test_numbers_are_read_exactly() -> None:
    members = read_json(b'{"a": 0.1, "b": 1e2, "c": 12345678901234567890.123456789, "d": 7}')

    assert members == {
        "a": D("0.1"),
        "b": D("1e2"),
        "c": D("12345678901234567890.123456789"),
        "d": 7,
    }
    assert type(members["d"]) is int


def test_unicode_is_read_as_it_is() -> None:
    raw = '{"é": "漢字 🎈 \\ud83c\\udf88 \\u0000"}'.encode()

    assert read_json(raw) == {"é": "漢字 🎈 🎈 \x00"}


@pytest.mark.parametrize("depth", [1, 10, 31])
def test_thirty_two_levels_fit(depth: int) -> None:
    lists = b'{"a": ' + b"[" * depth + b"]" * depth + b"}"
    objects = b'{"a":' * depth + b"{}" + b"}" * depth

    assert read_json(lists)
    assert read_json(objects)


@pytest.mark.parametrize("depth", [32, 33, 1000, 10_000, 30_000])
@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_deeper_is_malformed(depth: int, opens: bytes, closes: bytes) -> None:
    raw = b'{"a":' + opens * depth + (b"1" if opens != b"[" else b"") + closes * depth + b"}"
    if len(raw) > 65_536:
        raw = raw[:65_536]

    with pytest.raises(MalformedError):
        read_json(raw)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "JSON"),
        (b"nope", "JSON"),
        (b"{", "JSON"),
        (b'{"a": 1,}', "JSON"),
        (b'{"a": 01}', "JSON"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": [Infinity]}', "Infinity"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1} {"b": 2}', "JSON"),
        (b'{"a": "\n"}', "JSON"),
        (b"\xff", "UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "UTF-8"),
        (b'{"a": "\\ud800"}', "UTF-8"),
        (b'{"\\udc00": 1}', "UTF-8"),
        (b'{"a": [{"b": "\\ud800x"}]}', "UTF-8"),
        (b"\xef\xbb\xbf{}", "JSON"),
        (b"null", "object"),
        (b"[]", "object"),
        (b'"a"', "object"),
        (b"1", "object"),
        (b"true", "object"),
        (b'{"a": 1, "a": 1}', "twice"),
        (b'{"x": {"a": 1, "b": 2, "\\u0061": 1}}', "twice"),
        (b'{"a": ' + b"9" * 101 + b"}", "digits"),
        (b'{"a": -' + b"9" * 5000 + b"}", "digits"),
        (b'{"a": 0.' + b"0" * 100 + b"}", "digits"),
        (b'{"a": 1e' + b"9" * 30 + b"}", "range"),
    ],
)
def test_what_is_no_object_of_ours_is_malformed_and_says_why(raw: bytes, says: str) -> None:
    with pytest.raises(MalformedError, match=says):
        read_json(raw)


def test_a_body_of_more_than_64_kilobytes_is_too_large() -> None:
    fits = b'{"a": "' + b"x" * (65_536 - 9) + b'"}'

    assert read_json(fits)
    with pytest.raises(TooLargeError, match="65537 bytes"):
        read_json(fits + b" ")


def test_a_long_name_that_stands_twice_is_cut_in_the_answer() -> None:
    name = b"x" * 10_000

    with pytest.raises(MalformedError) as caught:
        read_json(b'{"' + name + b'": 1, "' + name + b'": 2}')

    assert len(caught.value.detail) < 200


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(
    st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))
)
def test_no_bytes_do_anything_but_be_read_or_be_refused(raw: bytes) -> None:
    try:
        assert isinstance(read_json(raw), dict)
    except MalformedError as error:
        assert error.detail


# ---- Writing


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-(10**30), "-1" + "0" * 30),
        (Amount(1_500_000), "1.5"),
        (Amount(-1), "-0.000001"),
        (Amount(10**15), "1000000000"),
        (D("0.10"), "0.10"),
        (D("1E+3"), "1E+3"),
        (D("NaN"), "null"),
        ("é\n\x00</script>", '"\\u00e9\\n\\u0000</script>"'),
        ([], "[]"),
        ((), "[]"),
        ({}, "{}"),
        ({"a": [1, {"b": None}], "c": Amount(0)}, '{"a":[1,{"b":null}],"c":0}'),
    ],
)
def test_values_are_written_exactly(value: object, text: str) -> None:
    assert write_json(value) == text
    json.loads(text)


@pytest.mark.parametrize("value", [0.5, float("nan"), b"x", {1}, object()])
def test_a_float_or_a_stranger_is_never_written(value: object) -> None:
    with pytest.raises(TypeError, match="no place in an answer"):
        write_json({"a": [value]})


EXACT: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.text(max_size=8)
    | st.decimals(-(10**9), 10**9, places=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=200, derandomize=True, database=None, deadline=None)
@given(st.dictionaries(st.text(max_size=4), EXACT, max_size=4))
def test_what_is_written_reads_as_it_was(value: dict[str, Any]) -> None:
    assert read_json(write_json(value).encode()) == value


# ---- Hashing


def hash_of(raw: str, route: str = "POST /v1/deduct", account: str = "user_1") -> str:
    """The digest of a body as it was sent."""
    return hash_request(route, account, read_json(raw.encode()))


def test_a_hash_says_its_version_and_is_short() -> None:
    assert hash_of("{}").startswith("1:")
    assert len(hash_of("{}")) == 26


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": 2}', '{ "b":2,"a":1 }'),
        ('{"a": 25}', '{"a": 25.0}'),
        ('{"a": 25}', '{"a": 2.5e1}'),
        ('{"a": 1.5}', '{"a": 1.50}'),
        ('{"a": 0}', '{"a": -0.0}'),
        ('{"a": 0}', '{"a": 0e50}'),
        ('{"a": 1e60}', '{"a": 1' + "0" * 60 + "}"),
        ('{"a": 1e-60}', '{"a": 0.' + "0" * 59 + "1}"),
        ('{"a": 1e500}', '{"a": 10e499}'),
        ('{"a": "é"}', '{"a": "\\u00e9"}'),
        ('{"a": 1, "response_time_ms": 5}', '{"a": 1}'),
        ('{"a": 1, "metadata": {"try": 2}}', '{"a": 1, "metadata": {}}'),
    ],
)
def test_the_same_request_has_the_same_hash_however_it_is_written(one: str, other: str) -> None:
    assert hash_of(one) == hash_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1}', '{"a": 2}'),
        ('{"a": 1}', '{"b": 1}'),
        ('{"a": 1}', '{"a": "1"}'),
        ('{"a": 1}', '{"a": true}'),
        ('{"a": 0}', '{"a": false}'),
        ('{"a": null}', "{}"),
        ('{"a": [1, 2]}', '{"a": [2, 1]}'),
        ('{"a": 1}', '{"a": -1}'),
        ('{"a": 1.5}', '{"a": -1.5}'),
        ('{"a": 1e500}', '{"a": 1e501}'),
        ('{"a": 1e-500}', '{"a": 0}'),
        ('{"a": 1e999999999}', '{"a": 1e999999998}'),
        ('{"a": 1.' + "0" * 40 + "1}", '{"a": 1}'),
        ('{"a": 1.' + "0" * 40 + "1}", '{"a": 1.' + "0" * 40 + "2}"),
        ('{"usage": {"metadata": 1}}', '{"usage": {}}'),
    ],
)
def test_another_request_has_another_hash(one: str, other: str) -> None:
    assert hash_of(one) != hash_of(other)


def test_route_and_account_are_part_of_the_request() -> None:
    hashes = {
        hash_of("{}"),
        hash_of("{}", route="POST /v1/other"),
        hash_of("{}", account="user_2"),
        hash_request("POST /v1/deduct user_1", "", {}),
    }

    assert len(hashes) == 4


@settings(max_examples=200, derandomize=True, database=None, deadline=None)
@given(
    st.decimals(allow_nan=False, allow_infinity=False),
    st.decimals(allow_nan=False, allow_infinity=False),
)
def test_two_numbers_have_one_hash_exactly_where_they_are_equal(
    one: Decimal, other: Decimal
) -> None:
    same = hash_request("r", "a", {"n": one}) == hash_request("r", "a", {"n": other})

    assert same == (one == other)
