"""Requests are read within limits and answers are written whole."""

from __future__ import annotations

import io

import pytest

from local.wire import (
    BODY_MAX_BYTES,
    HEAD_MAX_BYTES,
    Answer,
    BadRequestError,
    Request,
    encode_answer,
    message_answer,
    read_request,
)


def read(data: bytes, *, continued: list[bool] | None = None) -> Request | None:
    told = [] if continued is None else continued
    return read_request(
        io.BytesIO(data), source_ip="127.0.0.1", send_continue=lambda: told.append(True)
    )


def parsed(data: bytes) -> Request:
    request = read(data)
    assert request is not None
    return request


def refusal(data: bytes) -> int:
    with pytest.raises(BadRequestError) as caught:
        read(data)
    return caught.value.status


def test_a_request_keeps_its_method_target_headers_and_body() -> None:
    request = parsed(
        b"POST /v1/check?a=%20 HTTP/1.1\r\nHost: x\r\nX-Two:  a b \r\nx-two: c\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )

    assert (request.method, request.raw_path, request.query) == ("POST", "/v1/check", "a=%20")
    assert request.headers == (
        ("host", "x"),
        ("x-two", "a b"),
        ("x-two", "c"),
        ("content-length", "2"),
    )
    assert request.header("x-two") == "a b,c"
    assert request.body == b"{}"


def test_the_end_of_the_stream_is_no_request() -> None:
    assert read(b"") is None


def test_one_empty_line_before_a_request_is_passed_over() -> None:
    assert parsed(b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n").method == "GET"


def test_chunks_are_put_together_and_trailers_are_dropped() -> None:
    request = parsed(
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;note=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n"
    )

    assert request.body == b"abc0123456789"


def test_a_client_that_waits_for_permission_gets_it_before_its_body_is_read() -> None:
    continued: list[bool] = []

    read(
        b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
        continued=continued,
    )

    assert continued == [True]


def test_a_client_that_waits_with_a_body_too_large_gets_no_permission() -> None:
    continued: list[bool] = []
    head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"

    with pytest.raises(BadRequestError):
        read(head + b"Content-Length: %d\r\n\r\n" % (BODY_MAX_BYTES + 1), continued=continued)

    assert continued == []


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\nxx", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nxx", 400),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"0\r\n\r\n",
            400,
        ),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", 417),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10485761\r\n\r\n", 413),
        (b"GET /" + b"a" * HEAD_MAX_BYTES + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * HEAD_MAX_BYTES + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: aaaaaaaaaaaaa\r\n" * 1000 + b"\r\n", 431),
    ],
)
def test_what_is_no_request_is_refused_with_its_status(data: bytes, status: int) -> None:
    assert refusal(data) == status


def test_an_absolute_target_loses_its_origin() -> None:
    assert parsed(b"GET http://x:1/v1/packs?a HTTP/1.1\r\nHost: x\r\n\r\n").target == "/v1/packs?a"


@pytest.mark.parametrize(
    ("data", "keeps_open"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_a_connection_stays_open_as_the_protocol_says(data: bytes, keeps_open: bool) -> None:
    assert parsed(data).keeps_open is keeps_open


def test_an_answer_is_one_piece_with_its_length() -> None:
    answer = Answer(status=200, headers=(("X-A", "1"),), body=b"hello")

    assert encode_answer(answer, method="GET", keep_open=True) == (
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"
    )


def test_an_answer_to_head_has_the_length_and_no_body() -> None:
    payload = encode_answer(Answer(status=200, body=b"hello"), method="HEAD", keep_open=False)

    assert payload.endswith(b"Content-Length: 5\r\nConnection: close\r\n\r\n")


def test_an_answer_without_content_has_neither() -> None:
    payload = encode_answer(Answer(status=204), method="OPTIONS", keep_open=True)

    assert b"Content-Length" not in payload


def test_a_header_that_would_break_its_line_is_never_written() -> None:
    answer = Answer(status=200, headers=(("X-A", "1\r\nSet-Cookie: stolen=1"),))

    with pytest.raises(ValueError, match="not a header"):
        encode_answer(answer, method="GET", keep_open=True)


def test_the_gateway_s_own_answers_are_a_message() -> None:
    assert message_answer(404).body == b'{"message":"Not Found"}'
