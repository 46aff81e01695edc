"""`make catalog-diff` on a running gateway: what its ledger would cost under another catalog."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest

from local.engine import free_port
from tests.e2e.running_gateway import ROOT, StartGateway

pytestmark = pytest.mark.e2e


def diff(port: int, catalog: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """What `make catalog-diff` runs."""
    return subprocess.run(
        [sys.executable, "-m", "local.catalog_diff", "--new", str(catalog), "--json", *more],
        cwd=ROOT,
        env={**os.environ, "PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_running_ledger_is_priced_under_another_catalog(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    gateway = start_gateway()
    client = gateway.client()
    for number in range(3):
        body = {"account": "user_1", "operation": "sms"}
        assert client.ask("POST", "/v1/deduct", body, idempotency_key=f"k{number}").status == 200
    folder = tmp_path / "catalog"
    copytree(ROOT / "layers/catalog", folder)

    asked = diff(gateway.port, folder / "catalog.toml")

    assert asked.returncode == 0, asked
    found = json.loads(asked.stdout)
    assert (found["total"]["charges"], found["total"]["change"]) == (3, "0")


def test_nobody_at_the_port_is_said() -> None:
    asked = diff(free_port(), ROOT / "layers/catalog/catalog.toml")

    assert asked.returncode == 2
    assert "start `make run`" in asked.stderr
