"""The pages and their files as API Gateway gets them: caching, packing and policy."""

from __future__ import annotations

import base64
import gzip
import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from local.gateway import as_answer
from tests.support.driving import FakeContext, load
from tests.support.forgetting import forget
from tollkeeper.domain.errors import InvalidError, NotFoundError
from tollkeeper.domain.return_urls import ReturnPolicy
from tollkeeper.edge.checkout_routes import read_returns
from tollkeeper.edge.etags import is_known
from tollkeeper.edge.http import Request
from tollkeeper.edge.page_settings import read_links
from tollkeeper.edge.problems import describe
from tollkeeper.edge.settings import Settings
from tollkeeper.edge.web_files import accepts_gzip

ROOT = Path(__file__).parents[2]
PAGE, FILES = "GET /", "GET /web/{file+}"


def ask(route: str = PAGE, *, file: str | None = None, **headers: str) -> dict[str, Any]:
    """What the function answers."""
    event: dict[str, Any] = {
        "routeKey": route,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {"requestId": "request-1"},
    }
    if file is not None:
        event["pathParameters"] = {"file": file}
    return load("account_page").handler(event, FakeContext())


def text_of(answer: dict[str, Any]) -> str:
    """The body, unpacked."""
    if not answer["isBase64Encoded"]:
        return str(answer["body"])
    return gzip.decompress(base64.b64decode(answer["body"])).decode()


def version_of_the_page() -> str:
    """The digest that the page names its files by."""
    found = re.search(r"web/([0-9a-f]{16})/page\.bundle\.js", text_of(ask()))
    assert found is not None
    return found.group(1)


class TestPages:
    @pytest.mark.parametrize("route", [PAGE, "GET /operator"])
    def test_a_page_is_html_that_is_asked_for_anew_each_time(self, route: str) -> None:
        answer = ask(route)

        assert answer["statusCode"] == 200
        assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
        assert answer["headers"]["Cache-Control"] == "no-cache"
        assert text_of(answer).startswith("<!doctype html>")
        assert "{{" not in text_of(answer)

    @pytest.mark.parametrize("route", [PAGE, "GET /operator"])
    def test_a_page_has_no_script_or_style_of_its_own(self, route: str) -> None:
        page = text_of(ask(route))

        assert re.findall(r"<script\b(?![^>]*\bsrc=)", page) == []
        assert re.findall(r"<style\b|\sstyle=|\son\w+=|javascript:", page) == []

    def test_every_file_that_the_page_names_is_there_and_kept_for_a_year(self) -> None:
        names = re.findall(r'(?:href|src)="web/([^"]+)"', text_of(ask()))

        assert len(names) == 3
        for name in names:
            answer = ask(FILES, file=name)
            assert answer["statusCode"] == 200, name
            assert "immutable" in answer["headers"]["Cache-Control"], name

    def test_the_operator_says_title_colour_links_and_whether_costs_are_shown(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = version_of_the_page()
        assert "no-cost" not in text_of(ask())
        monkeypatch.setenv("PAGE_TITLE", 'Ada & <Sons> "AI"')
        monkeypatch.setenv("PAGE_COLOR", "#0f766e")
        monkeypatch.setenv("PAGE_COST", "off")
        links = 'Pricing=https://a.example/p?x="1",Bad=javascript:alert(1),Help=mailto:h@a.example'
        monkeypatch.setenv("PAGE_LINKS", links)
        forget()

        page = text_of(ask())

        assert "<title>Ada &amp; &lt;Sons&gt; &quot;AI&quot;</title>" in page
        assert '<li><a href="https://a.example/p?x=&quot;1&quot;">Pricing</a></li>' in page
        assert '<li><a href="mailto:h@a.example">Help</a></li>' in page
        assert "javascript:" not in page
        assert '<credit-usage heading="" no-cost>' in page
        style = text_of(ask(FILES, file="page.css"))
        assert "--tollkeeper-accent:#0f766e;--tollkeeper-on-accent:#fff" in style
        assert version_of_the_page() != plain, "else a browser would keep the old colour"

    @pytest.mark.parametrize("color", ["red", "#12345", "#1234567", "#fff;}", "url(x)"])
    def test_a_colour_of_another_form_changes_nothing(
        self, monkeypatch: pytest.MonkeyPatch, color: str
    ) -> None:
        before = text_of(ask(FILES, file="page.css"))
        monkeypatch.setenv("PAGE_COLOR", color)
        forget()

        assert text_of(ask(FILES, file="page.css")) == before

    def test_a_light_colour_gets_dark_letters(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PAGE_COLOR", "#FACC15")
        forget()

        assert "--tollkeeper-on-accent:#111" in text_of(ask(FILES, file="page.css"))

    def test_links_of_another_form_are_left_out(self) -> None:
        assert read_links("") == ()
        assert read_links("nothing, =https://a.example,X=ftp://a, Y = https://b.example") == ()
        assert read_links("Z=https://b.example ,") == (("Z", "https://b.example"),)


class TestFiles:
    def test_a_module_is_a_script_that_other_origins_may_load(self) -> None:
        answer = ask(FILES, file="elements.js")

        assert answer["headers"]["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer["headers"]["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer["headers"]["Cache-Control"] == "public, max-age=300"

    def test_every_module_and_page_file_is_served_and_no_other(self) -> None:
        names = {
            path.name
            for folder in ("clients/web/modules", "functions/account_page/static")
            for path in (ROOT / folder).iterdir()
        }
        served = {n for n in names if n.endswith((".js", ".css", ".svg"))}

        for name in sorted(names):
            status = ask(FILES, file=name)["statusCode"]
            assert status == (200 if name in served else 404), name

    def test_no_name_stands_for_two_files(self) -> None:
        modules = {path.name for path in (ROOT / "clients/web/modules").iterdir()}
        pages = {path.name for path in (ROOT / "functions/account_page/static").iterdir()}

        assert not modules & pages
        assert not any(name.endswith(".bundle.js") for name in modules | pages)

    def test_a_file_of_another_deployment_is_todays_and_is_not_kept(self) -> None:
        pinned = ask(FILES, file=f"{version_of_the_page()}/page.bundle.js")
        other = ask(FILES, file=f"{'0' * 16}/page.bundle.js")

        assert pinned["headers"]["Cache-Control"] == "public, max-age=31536000, immutable"
        assert other["headers"]["Cache-Control"] == "no-cache"
        assert text_of(other) == text_of(pinned)

    @pytest.mark.parametrize(
        "file",
        [
            "",
            "nothing.js",
            "index.html",
            "../handler.py",
            "..%2fhandler.py",
            "..\\handler.py",
            "/etc/passwd",
            "....//handler.py",
            "client.js\x00.css",
            "client.d.ts",
            "CLIENT.JS",
            f"{'0' * 16}/../handler.py",
            f"{'0' * 16}/{'0' * 16}/client.js",
            "x/client.js",
            "a" * 10_000,
            "\u202ejs.tneilc",
        ],
    )
    def test_any_other_path_is_a_problem(self, file: str) -> None:
        answer = ask(FILES, file=file)
        status, problem = describe(NotFoundError("There is no such page or file."), "request-1")

        assert answer["statusCode"] == status == 404
        assert json.loads(answer["body"]) == problem
        assert answer["headers"]["Content-Type"] == "application/problem+json"
        assert answer["headers"]["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        "route", ["GET /v1/accounts/{id}", "POST /", "", "$default", "GET /web"]
    )
    def test_another_route_is_a_problem_too(self, route: str) -> None:
        assert ask(route)["statusCode"] == 404
        assert ask(FILES)["statusCode"] == 404


class TestCaching:
    def test_what_the_browser_has_is_not_sent_again(self) -> None:
        first = ask(accept_encoding="gzip")
        again = ask(accept_encoding="gzip", if_none_match=first["headers"]["ETag"])

        assert (again["statusCode"], again["body"]) == (304, "")
        assert again["headers"]["ETag"] == first["headers"]["ETag"]
        assert again["headers"]["Cache-Control"] == first["headers"]["Cache-Control"]

    def test_a_strong_etag_names_one_form_only(self) -> None:
        packed, plain = ask(accept_encoding="gzip"), ask()

        assert packed["headers"]["ETag"] != plain["headers"]["ETag"]
        assert packed["headers"]["Vary"] == "Accept-Encoding, Origin"
        other = ask(if_none_match=packed["headers"]["ETag"])
        assert other["statusCode"] == 200

    @pytest.mark.parametrize(
        ("header", "known"),
        [
            ('"a"', True),
            ('W/"a"', True),
            ('"b", "a"', True),
            ("*", True),
            ('"b"', False),
            ("", False),
        ],
    )
    def test_if_none_match_is_read_as_http_says(self, header: str, *, known: bool) -> None:
        assert is_known('"a"', header) is known

    @pytest.mark.parametrize(
        ("header", "packed"),
        [
            ("gzip, deflate, br, zstd", True),
            ("br;q=1, gzip;q=0.8", True),
            ("*", True),
            ("GZIP", True),
            ("gzip;q=0", False),
            ("gzip;q=0.000, br", False),
            ("br", False),
            ("identity", False),
            ("", False),
            ("xgzip", False),
        ],
    )
    def test_it_is_packed_where_the_browser_takes_it(self, header: str, *, packed: bool) -> None:
        assert accepts_gzip(header) is packed

    @pytest.mark.parametrize("name", ["accept_encoding", "if_none_match"])
    def test_a_long_header_costs_no_time(self, name: str) -> None:
        began = time.process_time()
        for filler in (" ", ",", "gzip;", "W/", '"'):
            ask(**{name: f"gzip{filler * 9_900}x"})

        assert time.process_time() - began < 1

    def test_api_gateway_sends_the_packed_bytes_themselves(self) -> None:
        sent = as_answer(ask(FILES, file="elements.bundle.js", accept_encoding="gzip"))

        assert dict(sent.headers)["Content-Encoding"] == "gzip"
        assert gzip.decompress(sent.body).decode() == text_of(ask(FILES, file="elements.bundle.js"))


class TestPolicy:
    def test_the_policy_lets_only_own_files_and_the_own_api_in(self) -> None:
        policy = ask()["headers"]["Content-Security-Policy"]

        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "connect-src 'self';" in policy
        for word in ("unsafe", "*", "http:", "https:", "blob:"):
            assert word not in policy, word
        for rule in ("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"):
            assert rule in policy
        assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy

    @pytest.mark.parametrize(
        ("url", "allowed"),
        [
            ("wss://x.appsync-realtime-api.eu-west-1.amazonaws.com/event/realtime", True),
            ("ws://127.0.0.1:8080/_live/event/realtime", True),
            ("", False),
            ("https://x.example/", False),
            ("wss://x.example; script-src *", False),
        ],
    )
    def test_live_updates_may_come_from_their_own_place(
        self, monkeypatch: pytest.MonkeyPatch, url: str, *, allowed: bool
    ) -> None:
        monkeypatch.setenv("LIVE_SOCKET_URL", url)
        forget()

        policy = ask()["headers"]["Content-Security-Policy"]

        origin = "/".join(url.split("/")[:3])
        assert f"connect-src 'self' {origin}".strip() + ";" in policy if allowed else True
        assert allowed or "connect-src 'self';" in policy

    def test_every_answer_says_what_browsers_must_not_do(self) -> None:
        for answer in (ask(), ask(FILES, file="client.js"), ask(FILES, file="nothing")):
            headers = answer["headers"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert headers["Strict-Transport-Security"] == "max-age=31536000"


class TestSize:
    def test_a_first_visit_transfers_at_most_sixty_kilobytes(self) -> None:
        page = ask(accept_encoding="gzip")
        sizes = {"page": len(base64.b64decode(page["body"]))}
        for name in (*re.findall(r'(?:href|src)="web/([^"]+)"', text_of(page)), "live.js"):
            answer = ask(FILES, file=name, accept_encoding="gzip")
            sizes[name] = len(base64.b64decode(answer["body"]))

        assert sum(sizes.values()) < 45_000, sizes

    def test_all_elements_together_are_below_25_kilobytes(self) -> None:
        answer = ask(FILES, file="elements.bundle.js", accept_encoding="gzip")

        assert len(base64.b64decode(answer["body"])) < 25_000

    def test_the_function_loads_neither_pydantic_nor_powertools_nor_boto(self) -> None:
        """An instance that a visitor waits for starts with little."""
        program = (
            "import sys; sys.path[:0] = ['layers/core', 'functions/account_page']; import handler; "
            "print([n for n in ('pydantic', 'aws_lambda_powertools', 'botocore') "
            "if n in sys.modules])"
        )
        command = [sys.executable, "-c", program]
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

        assert answer.stdout.strip() == "[]"


class TestReturns:
    """A customer who pays on the page comes back to it, whatever the stack's list says."""

    def returns(self, stage: Literal["dev", "local"], domain: str | None) -> ReturnPolicy:
        """Where a checkout may lead that came by that domain."""
        context = {} if domain is None else {"domainName": domain}
        event = {"requestContext": context, "headers": {"host": "evil.example"}}
        settings = Settings(table_name="t", stage=stage, return_urls="https://app.example.com")
        return read_returns(Request(event, datetime(2026, 11, 20, tzinfo=UTC)), settings)

    def test_the_apis_own_domain_is_allowed_as_api_gateway_names_it(self) -> None:
        policy = self.returns("dev", "x.execute-api.eu-west-1.amazonaws.com")

        policy.refuse_others("https://x.execute-api.eu-west-1.amazonaws.com/?a=b", "success_url")
        policy.refuse_others("https://app.example.com/paid", "success_url")
        for other in ("https://evil.example/", "http://x.execute-api.eu-west-1.amazonaws.com/"):
            with pytest.raises(InvalidError):
                policy.refuse_others(other, "success_url")

    def test_a_request_without_a_domain_and_one_machine_have_their_list_alone(self) -> None:
        for policy in (self.returns("dev", None), self.returns("local", "127.0.0.1")):
            assert policy.origins == ("https://app.example.com",)
