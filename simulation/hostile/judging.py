"""What must hold of the answer to a hostile request, and of the table after it."""

from __future__ import annotations

from typing import Any

from simulation.hostile.attacks import READERS, Attack
from simulation.hostile.target import Target
from simulation.store import Dump
from tests.support.contract import assert_documented
from tests.support.driving import Answered, read_answer
from tollkeeper.edge.problems import PROBLEMS
from tollkeeper.edge.routes import ROUTES

LARGEST_PROBLEM = 8_000
ACCOUNT = "GET /v1/accounts/{id}"
HISTORY = "GET /v1/accounts/{id}/entries"
ENTRY = "GET /v1/accounts/{id}/entries/{key}"
READ_BACK = (ACCOUNT, HISTORY, "GET /v1/accounts/{id}/stats", "GET /v1/verify/{id}")


class BrokenError(Exception):
    """An answer or the table is not as it must be."""


class Judge:
    """Sends attacks and judges them. `has_changed`: the last one was taken, and wrote."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.has_changed = False
        self.compared = 0
        self._last: Dump = target.store.dump()
        self._written: dict[tuple[str, str], None] = {}

    def judge(self, attack: Attack) -> Answered | None:
        """The answer; None where the authorizer denied the request.

        Raises: BrokenError with what is wrong.
        """
        self.has_changed = False
        if attack.kind == "keys":
            self._ask_authorizer(attack)
            return None
        function = attack.function or ROUTES[attack.route].function
        answer = read_answer(self.target.invoke(function, attack.event))
        self._judge_answer(attack, answer)
        if answer.status >= 400:
            self._judge_refusal(answer)
        else:
            self._judge_writes(attack)
        if self.target.commits:
            self.has_changed = True
            self._written |= dict.fromkeys(self.target.written())
            self._last = self.target.store.dump()
        return answer

    def take_back(self) -> None:
        """The table is as before the first attack; what was taken until now could be read.

        Raises: BrokenError.
        """
        self.compare()
        self.read_back()
        self.target.take_back()
        self._last = self.target.store.dump()

    def compare(self) -> None:
        """The whole table is what the last request that was taken left.

        Raises: BrokenError. Why: what a commit reports is not the only way to see a change.
        """
        self.compared += 1
        now = self.target.digest()
        self.target.store.restore(self._last)
        if now != self.target.digest():
            raise BrokenError("the table is not what the last accepted request left")

    def _ask_authorizer(self, attack: Attack) -> None:
        answer = self.target.invoke("authorizer", attack.event)
        if answer != {"isAuthorized": False, "context": {}} or self.target.commits:
            raise BrokenError(f"the authorizer answered {answer}, wrote {self.target.written()}")

    def _judge_answer(self, attack: Attack, answer: Answered) -> None:
        text = answer.text[:300]
        if answer.status >= 500 and not (attack.may_be_busy and answer.status == 503):
            raise BrokenError(f"{answer.status}: {text} {self.target.logs.failures[-1:]}")
        if attack.must_refuse and answer.status < 400:
            raise BrokenError(f"it was taken: {answer.status} {text}")
        if attack.route:
            _hold_to_document(attack.route, answer)

    def _judge_refusal(self, answer: Answered) -> None:
        if PROBLEMS[answer["code"]].status != answer.status:
            raise BrokenError(f"{answer['code']} with {answer.status}")
        if len(answer.text) > LARGEST_PROBLEM or "Traceback" in answer.text:
            raise BrokenError(f"the refusal is too talkative: {answer.text[:300]}")
        if self.target.commits:
            raise BrokenError(f"a refusal wrote {self.target.written()}: {answer.text[:200]}")

    def _judge_writes(self, attack: Attack) -> None:
        written = self.target.written()
        if written and (attack.route.startswith("GET ") or attack.route in READERS):
            raise BrokenError(f"a reader wrote {written}")
        owners = {pk for pk, _ in written if pk.startswith("A#")}
        if attack.owner and not owners <= {f"A#{attack.owner}", f"A#{attack.also}"}:
            raise BrokenError(f"a request for {attack.owner} wrote to {owners}")
        if attack.must_not_grant and any(sk.startswith("E#") for _, sk in written):
            raise BrokenError(f"it brought credits: {written}")

    def read_back(self) -> None:
        """All that was taken since the last time can be read, and explains every credit.

        Raises: BrokenError.
        """
        written = list(self._written)
        self._written.clear()
        for pk in dict.fromkeys(pk for pk, _ in written if pk.startswith("A#")):
            path = {"id": pk.removeprefix("A#")}
            for route in READ_BACK:
                answer = self._read(route, path)
                if route.startswith("GET /v1/verify") and answer["is_clean"] is not True:
                    raise BrokenError(f"verify found {answer.text[:600]}")
            self._read(HISTORY, path, headers={"accept": "text/csv"})
        for pk, sk in written:
            if sk.startswith("E#c#"):
                path = {"id": pk.removeprefix("A#"), "key": sk.removeprefix("E#c#")}
                self._read(ENTRY, path)

    def _read(self, route: str, path: dict[str, str], **facts: Any) -> Answered:
        event = self.target.driver.event(route, path=path, **facts)
        answer = read_answer(self.target.invoke(ROUTES[route].function, event))
        if answer.status != 200 or self.target.commits:
            raise BrokenError(f"{route} of {path} answers {answer.status} {answer.text[:300]}")
        _hold_to_document(route, answer)
        return answer


def _hold_to_document(route: str, answer: Answered) -> None:
    try:
        assert_documented(route, answer)
    except AssertionError as error:
        raise BrokenError(f"not documented: {error}") from None
