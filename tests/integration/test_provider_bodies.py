"""Every recorded provider body goes through deduct and is charged for the right tokens."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.driving import Driver, verify_ledger

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "usage"
GOLDEN = ROOT / "tests" / "golden" / "usage_golden.json"
FILES = (
    "openai_chat_compatible",
    "openai_responses",
    "anthropic_messages",
    "google_gemini",
    "bedrock_converse",
    "cohere_v2",
    "other",
)
OF_ITERATIONS = {"claude-sonnet-4-6", "claude-sonnet-5", "claude-opus-4-8", "claude-fable-5"}
# What deduct refuses, line by line, with the code. Every body of these files is understood.
REFUSED: dict[tuple[str, int], str] = {}

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the recorded provider bodies are not beside this checkout"
)

D = Decimal


def read_bodies(file: str) -> list[dict[str, Any]]:
    """The bodies of a file in order, their numbers exact."""
    lines = (DATA / f"{file}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line, parse_float=Decimal)["body"] for line in lines]


def name_model(body: dict[str, Any]) -> str | None:
    """The model that the body names."""
    return body.get("model") or body.get("modelVersion")


def stated_total(body: dict[str, Any]) -> int | None:
    """The provider's own total, where it gives one and it is not short of its parts."""
    usage: dict[str, Any] = body.get("usage") or body.get("usageMetadata") or body["meta"]
    if "billed_units" in usage:
        return sum(int(units) for units in usage["billed_units"].values())
    totals = (usage.get(name) for name in ("total_tokens", "totalTokenCount", "totalTokens"))
    return next((int(total) for total in totals if total is not None), None)


def anthropic_total(body: dict[str, Any]) -> int:
    """Anthropic gives no total: input, both caches and output, of all iterations."""
    usage = body["usage"]
    rows: list[dict[str, Any]] = usage.get("iterations") or [usage]
    names = (
        "input_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "output_tokens",
    )
    return sum(int(row.get(name) or 0) for row in rows for name in names)


@pytest.fixture
def pricing_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalog with one price for every model that the files name: 1 credit per 1,000 tokens."""
    named = (name_model(body) or "unnamed" for file in FILES for body in read_bodies(file))
    models = {model.casefold() for model in named} | OF_ITERATIONS
    patterns = ", ".join(json.dumps(model) for model in sorted(models))
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(
        f"""
[account]
default_plan = "free"
[plans.free]
name = "Free"
allocation = 1000000
[operations.tokens]
name = "Tokens"
rule = "per_1k_tokens"
[[operations.tokens.models]]
name = "everything"
credits = 1
patterns = [{patterns}]
""",
        encoding="utf-8",
    )
    monkeypatch.setenv("CATALOG_PATH", str(catalog))


@pytest.mark.usefixtures("pricing_all")
@pytest.mark.parametrize("file", FILES)
def test_s0_06_every_recorded_body_is_charged_for_each_of_its_tokens_once(
    driver: Driver, file: str
) -> None:
    golden = {
        case["line"]: case["pools"]
        for case in json.loads(GOLDEN.read_text(encoding="utf-8"))["cases"]
        if case["file"] == f"{file}.jsonl"
    }
    checked = 0
    spent = D(0)
    for line, body in enumerate(read_bodies(file), start=1):
        members: dict[str, Any] = {} if name_model(body) else {"model": "unnamed"}

        answer = driver.deduct("user_1", "tokens", f"line-{line}", usage=body, **members)

        if (file, line) in REFUSED:
            assert (answer.status, answer["code"]) == (422, REFUSED[file, line])
            continue
        assert answer.status == 200, (line, answer.text)
        path = {"id": "user_1", "key": f"line-{line}"}
        entry = driver.call("GET /v1/accounts/{id}/entries/{key}", path=path)
        tokens: dict[str, int] = entry["tokens"] or {}
        charged = D(answer["charged"])
        spent += charged
        assert charged == D(sum(tokens.values())) / 1000
        total = anthropic_total(body) if file == "anthropic_messages" else stated_total(body)
        assert total is None or sum(tokens.values()) == total, (line, tokens, body)
        if line in golden:
            assert tokens == {name: count for name, count in golden[line].items() if count}, line
            checked += 1
    assert checked == len(golden) > 0
    assert driver.stats("user_1")["totals"]["credits"] == spent
    verify_ledger(driver, "user_1")


def read_json(file: str) -> dict[str, Any]:
    """A file of cases, its numbers exact."""
    return json.loads((DATA / f"{file}.json").read_text(encoding="utf-8"), parse_float=Decimal)


@pytest.mark.usefixtures("pricing_all")
def test_documented_examples_in_tokens_are_charged_for_each_of_them_once(driver: Driver) -> None:
    examples = read_json("openai_spec_examples")["examples"]
    in_tokens = [example["usage"] for example in examples if "seconds" not in example["usage"]]
    assert len(in_tokens) == 11

    for number, usage in enumerate(in_tokens):
        answer = driver.deduct("user_1", "tokens", f"doc-{number}", usage=usage, model="unnamed")

        assert answer.status == 200, answer.text
        assert D(answer["charged"]) == D(usage["total_tokens"]) / 1000
        assert answer["warnings"] == []


@pytest.mark.usefixtures("pricing_all")
def test_iterations_and_streams_are_charged_for_all_their_tokens_once(driver: Driver) -> None:
    bodies = [case["body"] for case in read_json("anthropic_iterations")["cases"]]
    for stream in read_json("streaming")["streams"]:
        usages = stream["usage_in_stream_order"]
        bodies.append({"model": "claude-sonnet-5", "usage": usages[-1]})
        bodies.append({"events": [{"model": "claude-sonnet-5", "usage": each} for each in usages]})

    charged: list[Decimal] = []
    for number, body in enumerate(bodies):
        answer = driver.deduct("user_1", "tokens", f"it-{number}", usage=body)

        assert answer.status == 200, answer.text
        charged.append(D(answer["charged"]))

    assert charged[:3] == [D(anthropic_total(body)) / 1000 for body in bodies[:3]]
    assert charged[3::2] == charged[4::2]
    assert charged[3::2] == [D(anthropic_total(body)) / 1000 for body in bodies[3::2]]
    verify_ledger(driver, "user_1")
