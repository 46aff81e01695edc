"""The client's pages say what it does: their code runs, in its order, against the real system."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import tollkeeper_client
from tests.clients.answers_of_providers import anthropic_events, openai_chat, openai_chunks
from tests.e2e.running_gateway import RunningGateway, StartGateway
from tollkeeper_client import Tollkeeper

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
README = ROOT / "clients" / "python" / "README.md"
PAGES = [README, ROOT / "docs" / "client.md"]
USAGE = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}


def create(*, stream: bool = False, **_: Any) -> Any:
    """What the provider of the pages answers."""
    return iter(openai_chunks(None, None, USAGE)) if stream else openai_chat(20, 5)


async def events() -> AsyncIterator[dict[str, Any]]:
    """What the other provider of the pages streams."""
    for event in anthropic_events({"input_tokens": 5, "output_tokens": 1}, {"output_tokens": 9}):
        yield event


def run_page(page: Path) -> dict[str, Any]:
    """Every Python block of the page, one after the other, in one module."""
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    provider = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))
    module: dict[str, Any] = {"openai": provider, "anthropic_events": events}
    for block in blocks:
        exec(compile(block, page.name, "exec"), module)  # noqa: S102 - the pages are ours.
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_code_of_the_page_runs_and_is_charged(
    page: Path,
    start_gateway: StartGateway,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running: RunningGateway = start_gateway("pages")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOLLKEEPER_URL", running.url)
    monkeypatch.setenv("TOLLKEEPER_KEY", running.key)

    module = run_page(page)

    for name in ("tollkeeper", "patient"):
        if isinstance(module.get(name), Tollkeeper):
            module[name].close()
    with Tollkeeper(running.url, running.key) as client:
        account = client.account("user_1")
        assert account.totals["spent"] > 0
        assert account.holds == ()


def test_every_error_and_option_that_a_page_names_exists() -> None:
    public = set(tollkeeper_client.__all__)
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named = set(re.findall(r"\b([A-Z]\w+Error)\b", text))
        assert named <= public, page


def test_pages_link_to_what_exists() -> None:
    for page in PAGES:
        for linked in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / linked).exists(), linked


def test_the_package_says_what_it_needs_and_that_it_is_typed() -> None:
    project = (ROOT / "clients" / "python" / "pyproject.toml").read_text(encoding="utf-8")

    assert 'dependencies = ["httpx>=0.27,<1"]' in project
    assert (ROOT / "clients/python/src/tollkeeper_client/py.typed").exists()


def test_the_package_stands_on_httpx_and_the_standard_library_alone() -> None:
    sources = (ROOT / "clients/python/src").rglob("*.py")
    found = {
        name
        for source in sources
        for name in re.findall(r"^\s*(?:from|import) (\w+)", source.read_text("utf-8"), re.M)
    }

    assert found - set(sys.stdlib_module_names) == {"httpx", "tollkeeper_client"}
