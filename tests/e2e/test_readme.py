"""The README's commands do what it says they do."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.running_gateway import RunningGateway

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of that language."""
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_its_first_two_commands_are_run_and_test() -> None:
    commands = [line.split("#")[0].strip() for line in blocks("sh")[0].splitlines()]

    assert commands == ["make run", "make test"]


def test_every_make_target_that_it_names_exists() -> None:
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", README, re.M))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    missing = [name for name in sorted(named) if not re.search(rf"^{name}\b.*:", makefile, re.M)]

    assert missing == []


def test_every_page_that_it_links_exists() -> None:
    linked = re.findall(r"\]\(([a-zA-Z./-]+)\)", README)

    assert linked
    assert [page for page in linked if not (ROOT / page).exists()] == []


def test_its_curl_commands_charge_what_it_says(gateway: RunningGateway) -> None:
    told = blocks("sh")[1].replace("curl -s", 'curl -s -w "\\n%{http_code}\\n\\n"')
    result = subprocess.run(
        ["bash", "-ec", told],
        env={
            "TOLLKEEPER_URL": gateway.url,
            "TOLLKEEPER_KEY": gateway.key,
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    answers = [part.splitlines() for part in result.stdout.strip().split("\n\n")]

    assert [answer[-1] for answer in answers] == ["200"] * 4
    shown = json.loads(blocks("json")[0])
    deducted = json.loads(answers[1][0])
    assert deducted.keys() == shown.keys()
    assert {name: deducted[name] for name in shown if name != "price_version"} == {
        name: shown[name] for name in shown if name != "price_version"
    }


def test_its_checkout_opens_a_page_that_can_be_paid(gateway: RunningGateway) -> None:
    told = next(block for block in blocks("sh") if "/v1/checkout" in block)
    result = subprocess.run(
        ["bash", "-ec", told],
        env={
            "TOLLKEEPER_URL": gateway.url,
            "TOLLKEEPER_KEY": gateway.key,
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    opened = json.loads(result.stdout)
    client = gateway.client()

    page = opened["checkout_url"].removeprefix(gateway.url)
    paid = client.ask("POST", page, b"action=pay")

    assert (paid.status, paid.headers["location"]) == (303, f"{gateway.url}/_local/stripe")
    bought = client.ask("GET", f"/v1/purchases/{opened['purchase_id']}").json
    assert bought["status"] == "paid"
    shown = re.search(r"payments\s+(\S+)", README)
    assert shown is not None
    listed = client.ask("GET", "/" + shown.group(1).partition("8080/")[2])
    assert b"Refund half" in listed.body


def test_the_lines_that_it_shows_are_those_that_make_run_prints(gateway: RunningGateway) -> None:
    shown = [re.split(r"\s{2,}|=", line.strip())[0] for line in blocks("text")[0].splitlines()]

    printed = gateway.log()

    assert [line for line in shown if line not in printed] == []


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 150
