"""The bus's rules on one machine: what matches reaches its function, with bounded patience."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from local import events_rules
from local.environments import FunctionError
from local.events_rules import ATTEMPTS, RuleTargets
from local.template import Rule, read_template

PATTERN = {"source": ["tollkeeper"], "detail-type": ["credits.top_up_due"]}
RULES = (Rule(name="Due", function="top_up", pattern=PATTERN),)


@dataclass
class Pool:
    """A function that fails so many times, then takes what it is given."""

    failures: int = 0
    got: list[object] = field(default_factory=list[object])
    taken: threading.Event = field(default_factory=threading.Event)

    def invoke(self, event: Mapping[str, object]) -> object:
        """The event is taken. Raises: FunctionError."""
        self.got.append(event["detail-type"])
        if self.failures:
            self.failures -= 1
            raise FunctionError(error_type="Error", message="it failed")
        self.taken.set()
        return {}


def an_event(type_: str = "credits.top_up_due") -> dict[str, object]:
    """An event of the local bus."""
    return {"source": "tollkeeper", "detail-type": type_, "detail": {"account": "user_1"}}


def targets(pool: Pool, log: list[str]) -> RuleTargets:
    """The rules' targets, without a pause between tries."""
    return RuleTargets(RULES, pools={"top_up": pool}, log=log.append, pause_s=0)


def test_what_matches_reaches_the_function_and_nothing_else_does() -> None:
    pool, log = Pool(), list[str]()
    made = targets(pool, log)

    made.reach(an_event("charge.recorded"))
    made.reach(an_event())

    assert pool.taken.wait(5)
    assert pool.got == ["credits.top_up_due"] and log == []


def test_a_failure_is_tried_again_as_lambda_does() -> None:
    pool, log = Pool(failures=ATTEMPTS - 1), list[str]()

    assert targets(pool, log).deliver("top_up", an_event())
    assert len(pool.got) == ATTEMPTS and log == []


def test_what_fails_each_time_is_given_up_with_a_line() -> None:
    pool, log = Pool(failures=99), list[str]()

    assert not targets(pool, log).deliver("top_up", an_event())
    assert len(pool.got) == ATTEMPTS
    assert log[0].startswith("given up: credits.top_up_due for top_up")


def test_one_event_too_many_is_left_out_with_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_rules, "MOST_WAITING", 1)
    log: list[str] = []
    made = targets(Pool(), log)
    monkeypatch.setattr(made, "_start", lambda: None)

    made.reach(an_event())
    made.reach(an_event())

    assert log == ["left out: an event for top_up; too many are waiting"]


def test_the_templates_own_rule_is_followed() -> None:
    (rule,) = read_template().rules

    assert (rule.name, rule.function) == ("Due", "top_up")
    assert rule.pattern["detail-type"] == ["credits.top_up_due", "spend.refused"]
