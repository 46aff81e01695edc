"""`make verify` on a running gateway: every ledger that the other tests left explains itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from local.engine import free_port
from tests.e2e.running_gateway import ROOT, RunningGateway

pytestmark = pytest.mark.e2e


def verify(port: int) -> subprocess.CompletedProcess[str]:
    """What `make verify` runs."""
    return subprocess.run(
        [sys.executable, "-m", "local.verify_running"],
        cwd=ROOT,
        env={**os.environ, "PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_running_system_verifies_all_its_accounts(
    gateway: RunningGateway, new_account: Callable[[], str]
) -> None:
    account = new_account()
    client = gateway.client()
    for number in range(5):
        body = {"account": account, "operation": "sms"}
        assert client.ask("POST", "/v1/deduct", body, idempotency_key=f"k{number}").status == 200

    asked = verify(gateway.port)

    assert asked.returncode == 0, asked
    facts = json.loads(asked.stdout)
    assert facts["accounts"] >= 1 and facts["entries"] >= 6
    assert (facts["findings"], facts["unexplained"], facts["is_finished"]) == (0, "0", True)
    answer = client.ask("GET", f"/v1/verify/{account}")
    assert (answer.status, answer.json["is_clean"], answer.json["entries"]) == (200, True, 6)


def test_nobody_at_the_port_is_said() -> None:
    asked = verify(free_port())

    assert asked.returncode == 2
    assert "start `make run`" in asked.stderr
