"""What a function answers becomes what API Gateway makes of it in response format 2.0."""

from __future__ import annotations

import base64
import json

import pytest

from local.gateway import as_answer


@pytest.mark.parametrize(
    ("result", "status", "headers", "body"),
    [
        (
            {"statusCode": 201, "body": "x"},
            201,
            [("Content-Type", "text/plain;charset=UTF-8")],
            "x",
        ),
        ({"statusCode": "404"}, 404, [], ""),
        ({"statusCode": 200, "body": None}, 200, [], ""),
        (
            {"statusCode": 200, "headers": {"content-type": "text/csv", "n": 1}, "body": "a"},
            200,
            [("content-type", "text/csv"), ("n", "1")],
            "a",
        ),
        (
            {"statusCode": 200, "headers": {"Content-Length": "99", "Connection": "close"}},
            200,
            [],
            "",
        ),
        (
            {"statusCode": 200, "cookies": ["a=1", "b=2"]},
            200,
            [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")],
            "",
        ),
        ({"hello": 1}, 200, [("Content-Type", "application/json")], '{"hello": 1}'),
        ("plain", 200, [("Content-Type", "application/json")], "plain"),
        ([1], 200, [("Content-Type", "application/json")], "[1]"),
        (None, 200, [("Content-Type", "application/json")], "null"),
    ],
)
def test_an_answer_is_read_as_response_format_2(
    result: object, status: int, headers: list[tuple[str, str]], body: str
) -> None:
    answer = as_answer(result)

    assert answer.status == status
    assert list(answer.headers) == headers
    assert answer.body.decode() == body


def test_a_base64_answer_is_decoded() -> None:
    body = base64.b64encode(b"\x00\xff").decode()

    assert as_answer({"statusCode": 200, "body": body, "isBase64Encoded": True}).body == b"\x00\xff"


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "ok"},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": 700},
        {"statusCode": None},
        {"statusCode": 200, "body": "é", "isBase64Encoded": True},
    ],
)
def test_an_answer_that_is_not_well_formed_is_an_internal_error(result: object) -> None:
    answer = as_answer(result)

    assert answer.status == 500
    assert json.loads(answer.body) == {"message": "Internal Server Error"}
