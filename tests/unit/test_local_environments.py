"""An execution environment runs one invocation at a time, as AWS Lambda's do."""

from __future__ import annotations

import io
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest

from local.environments import BusyError, FunctionError, FunctionPool
from local.template import Function

COUNTING = """
import itertools, threading
calls = itertools.count(1)
running = threading.Lock()
def handler(event, context):
    assert running.acquire(blocking=False), "two invocations in one environment"
    try:
        gate = event.get("wait")
        if gate:
            import gates
            gates.arrived.release()
            gates.opened.wait(10)
        return {"module": __name__, "call": next(calls), "request": context.aws_request_id}
    finally:
        running.release()
"""


class Gates(ModuleType):
    """What the handlers above import to say that they run, and to wait."""

    def __init__(self) -> None:
        super().__init__("gates")
        self.arrived = threading.Semaphore(0)
        self.opened = threading.Event()


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> Gates:
    """Gates that the handlers of one test go through."""
    module = Gates()
    monkeypatch.setitem(sys.modules, "gates", module)
    return module


def make_pool(
    tmp_path: Path,
    source: str,
    *,
    limit: int = 8,
    timeout_s: int = 10,
    handler: str = "handler.handler",
    log: io.StringIO | None = None,
) -> FunctionPool:
    (tmp_path / "handler.py").write_text(source, encoding="utf-8")
    function = Function(
        name="check",
        logical_id="CheckFunction",
        handler=handler,
        timeout_s=timeout_s,
        memory_mb=512,
        environment={},
    )
    return FunctionPool(function, code=tmp_path, limit=limit, log=log or io.StringIO())


def test_one_caller_after_another_finds_the_same_environment_warm(tmp_path: Path) -> None:
    pool = make_pool(tmp_path, COUNTING)

    answers = [cast("dict[str, int]", pool.invoke({})) for _ in range(3)]

    assert [answer["call"] for answer in answers] == [1, 2, 3]


def test_callers_at_once_get_an_environment_each(tmp_path: Path, gates: Gates) -> None:
    pool = make_pool(tmp_path, COUNTING)
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda: answers.append(pool.invoke({"wait": True})))
        for _ in range(4)
    ]

    for thread in threads:
        thread.start()
    for _ in threads:
        assert gates.arrived.acquire(timeout=10)
    gates.opened.set()
    for thread in threads:
        thread.join(10)

    modules = {cast("dict[str, str]", answer)["module"] for answer in answers}
    assert len(modules) == 4


def test_a_function_that_raises_is_an_error_and_its_traceback_is_logged(tmp_path: Path) -> None:
    log = io.StringIO()
    pool = make_pool(tmp_path, "def handler(event, context):\n    raise KeyError('x')\n", log=log)

    with pytest.raises(FunctionError) as caught:
        pool.invoke({})

    assert caught.value.error_type == "KeyError"
    assert "Traceback" in log.getvalue()


def test_even_a_function_that_exits_leaves_a_gateway_that_serves(tmp_path: Path) -> None:
    source = (
        "import sys\ndef handler(event, context):\n    return sys.exit(1) if event else 'fine'\n"
    )
    pool = make_pool(tmp_path, source, limit=1)

    with pytest.raises(FunctionError, match="SystemExit"):
        pool.invoke({"exit": True})

    assert pool.invoke({}) == "fine"


def test_a_handler_that_cannot_be_loaded_is_an_error_each_time(tmp_path: Path) -> None:
    pool = make_pool(tmp_path, "raise RuntimeError('no catalog')\n", limit=1)

    for _ in range(2):
        with pytest.raises(FunctionError, match="no catalog"):
            pool.invoke({})


def test_warming_says_at_start_what_the_first_request_would_have_found(tmp_path: Path) -> None:
    pool = make_pool(tmp_path, "raise RuntimeError('no catalog')\n")

    with pytest.raises(RuntimeError, match="no catalog"):
        pool.warm()


def test_a_missing_handler_is_named(tmp_path: Path) -> None:
    pool = make_pool(tmp_path, "x = 1\n", handler="handler.main")

    with pytest.raises(FunctionError, match="has no main"):
        pool.warm()


def test_a_function_out_of_time_is_an_error_and_its_environment_is_not_used_again(
    tmp_path: Path, gates: Gates
) -> None:
    pool = make_pool(tmp_path, COUNTING, limit=1, timeout_s=0)
    pool.warm()

    with pytest.raises(FunctionError, match="Timeout"):
        pool.invoke({"wait": True})

    # The next environment is cold, so it has the seconds of a cold start.
    answer = cast("dict[str, int]", pool.invoke({}))
    gates.opened.set()
    assert answer["call"] == 1


def test_callers_beyond_the_limit_wait_and_are_then_turned_away(
    tmp_path: Path, gates: Gates
) -> None:
    pool = make_pool(tmp_path, COUNTING, limit=1, timeout_s=0)
    holder = threading.Thread(target=lambda: pool.invoke({"wait": True}))
    holder.start()
    assert gates.arrived.acquire(timeout=10)

    with pytest.raises(BusyError):
        pool.invoke({})

    gates.opened.set()
    holder.join(10)


def test_events_and_answers_go_through_json_as_on_aws(tmp_path: Path) -> None:
    source = "def handler(event, context):\n    return {'seen': event, 'pair': (1, 2)}\n"

    assert make_pool(tmp_path, source).invoke({"a": [1]}) == {"seen": {"a": [1]}, "pair": [1, 2]}


def test_an_answer_that_is_not_json_is_an_error(tmp_path: Path) -> None:
    pool = make_pool(tmp_path, "def handler(event, context):\n    return {1, 2}\n")

    with pytest.raises(FunctionError, match="not JSON serializable"):
        pool.invoke({})


def test_an_answer_above_six_megabytes_is_an_error(tmp_path: Path) -> None:
    pool = make_pool(tmp_path, "def handler(event, context):\n    return 'x' * 7_000_000\n")

    with pytest.raises(FunctionError, match="ResponseTooLarge"):
        pool.invoke({})


def test_the_context_has_what_powertools_reads_of_it(tmp_path: Path) -> None:
    source = (
        "def handler(event, context):\n"
        "    return [context.function_name, context.memory_limit_in_mb,\n"
        "            context.invoked_function_arn, context.function_version,\n"
        "            context.log_group_name, 0 < context.get_remaining_time_in_millis() < 60_000]\n"
    )

    assert make_pool(tmp_path, source).invoke({}) == [
        "CheckFunction",
        512,
        "arn:aws:lambda:us-east-1:123456789012:function:CheckFunction",
        "$LATEST",
        "/aws/lambda/CheckFunction",
        True,
    ]
