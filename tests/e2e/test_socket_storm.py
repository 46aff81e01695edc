"""Processes and threads against the real system, while its parts are killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.engine import dynoxide, ministack
from tests.e2e.socket_storm import Plan, Report, Storm

pytestmark = pytest.mark.e2e


def tell(report: Report) -> str:
    """What was found, and how to run it again."""
    plan = report.plan
    again = f"--engine {plan.engine} --seed {plan.seed} --seconds {plan.seconds:.0f}"
    found = "\n".join(report.violations[:20])
    return f"{len(report.violations)}; python -m tests.e2e.socket_storm {again}\n{found}"


@pytest.mark.skipif(
    dynoxide(data=Path(), port=1) is None, reason="npm has no dynoxide for this machine"
)
def test_whatever_is_killed_every_acknowledged_answer_is_in_the_ledger_once(
    tmp_path: Path,
) -> None:
    plan = Plan(engine="dynoxide", seed=20, seconds=22, answers_least=250)

    report = Storm(plan, tmp_path).run()

    assert report.violations == [], tell(report)
    assert set(report.faults) == set(plan.kinds)
    assert report.charges_acknowledged > 50
    assert report.unheard > 0


@pytest.mark.skipif(
    ministack(data=Path(), port=1) is None, reason="python -m local.install --all installs it"
)
def test_on_ministack_the_gateway_may_be_killed_and_nothing_is_lost(tmp_path: Path) -> None:
    plan = Plan(
        engine="ministack", seed=21, seconds=8, processes=2, threads=2, cold=20, answers_least=80
    )

    report = Storm(plan, tmp_path).run()

    assert report.violations == [], tell(report)
    assert set(report.faults) == set(plan.kinds)
    assert report.charges_acknowledged > 10
