"""SimStore: as much of DynamoDB as the store uses, in memory, and deterministic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from simulation.store.conditions import check_use, projected_names
from simulation.store.errors import (
    FlawError,
    InvalidError,
    UnsupportedError,
    make_cancelled,
    make_error,
)
from simulation.store.pages import fits_page, key_of, places_of, seen_in, shown
from simulation.store.reading import QUERY, read_query
from simulation.store.schema import position_of_key, read_schema
from simulation.store.table import Commit, Snapshot, Table
from simulation.store.values import Image
from simulation.store.writing import (
    LONGEST_TOKEN,
    MOST_SLOTS,
    NoTableError,
    Slot,
    Tokens,
    check_together,
    read_slot,
)

PAGE_BYTES = 1024 * 1024
KEPT_COMMITS = 500
GET = frozenset(
    {"TableName", "Key", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"}
)
WRITE = frozenset({"TransactItems", "ClientRequestToken"})


class Lag(Protocol):
    """How far behind the table an eventually consistent read is."""

    def behind(self, what: str) -> int:
        """How many commits ago the read sees. Shape: `what` is item or index."""
        ...


@dataclass(frozen=True, slots=True)
class Dump:
    """A whole store at a moment."""

    snapshot: Snapshot
    tokens: dict[str, tuple[float, list[Slot]]]


class SimStore:
    """A table in memory that answers like the low-level DynamoDB client. For one thread.

    Every call takes effect wholly inside the call. What a read answers with may be kept, and its
    top level changed, but not the values in it: they are the table's own. `cut` says after how
    many items a page ends though it has room (None: it does not); `on_commit` is called after
    each commit; `now` is the time in seconds, which only tokens need.
    """

    def __init__(
        self,
        definition: Mapping[str, Any],
        *,
        now: Callable[[], float] | None = None,
        lag: Lag | None = None,
        cut: Callable[[], int | None] | None = None,
        page_bytes: int = PAGE_BYTES,
        kept_commits: int = KEPT_COMMITS,
    ) -> None:
        self.schema = read_schema(definition)
        self.lag = lag
        self.cut = cut
        self.now = now or (lambda: 0.0)
        self.on_commit: Callable[[Commit], object] | None = None
        self._page_bytes = page_bytes
        self._table = Table(self.schema, kept_commits=kept_commits)
        self._tokens = Tokens()

    @property
    def commits(self) -> int:
        """How many commits there were. Units: the first is 1."""
        return self._table.commits

    def items(self) -> Iterator[Image]:
        """Every item, a partition after the other. The images are the table's own."""
        return self._table.images()

    def dump(self) -> Dump:
        """The store as it is. Cost: one step for each partition and token."""
        return Dump(self._table.snapshot(), self._tokens.dump())

    def restore(self, dump: Dump) -> None:
        """The store is as it was at the dump, which can be restored any number of times."""
        self._table.restore(dump.snapshot)
        self._tokens.restore(dump.tokens)

    def get_item(self, **request: Any) -> dict[str, Any]:
        """One item. Raises: ClientError, UnsupportedError."""
        if not request.keys() <= GET:
            raise UnsupportedError(f"GetItem with {sorted(request.keys() - GET)}")
        self._check_table(request["TableName"], "GetItem")
        try:
            key = position_of_key(self.schema.keys, request["Key"])
            names = _projection(request)
        except (FlawError, InvalidError) as error:
            raise make_error("ValidationException", str(error), "GetItem") from error
        behind = self._behind("item") if not request.get("ConsistentRead") else 0
        table = self._table
        image = table.get_before(key, behind) if behind else table.get(key)
        if image is None:
            return {}
        if names is None:
            return {"Item": dict(image)}
        return {"Item": {name: value for name, value in image.items() if name in names}}

    def query(self, **request: Any) -> dict[str, Any]:
        """One page of items. Raises: ClientError, UnsupportedError."""
        if not request.keys() <= QUERY:
            raise UnsupportedError(f"Query with {sorted(request.keys() - QUERY)}")
        self._check_table(request["TableName"], "Query")
        try:
            query = read_query(self.schema, request)
        except InvalidError as error:
            raise make_error("ValidationException", str(error), "Query") from error
        behind = 0
        if not query.is_strong:
            behind = self._behind("item" if query.index is None else "index")
        partition = self._table.partition(query.index, query.partition, behind=behind)
        images = [partition.images[place] for place in places_of(partition, query)]
        held = fits_page(images, query.index, page_bytes=self._page_bytes)
        cut = self.cut() if self.cut is not None else None
        if cut is not None:
            held = min(held, max(1, cut))
        is_limited = query.limit is not None and len(images) >= query.limit
        is_cut = held < len(images) or (cut is not None and cut <= len(images) and bool(images))
        images = images[:held]
        kept = images
        if query.filter is not None:
            kept = [image for image in images if query.filter.holds(seen_in(image, query.index))]
        answer: dict[str, Any] = {"Count": len(kept), "ScannedCount": len(images)}
        if not query.is_count:
            answer["Items"] = [shown(image, query) for image in kept]
        if images and (is_limited or is_cut):
            answer["LastEvaluatedKey"] = key_of(self.schema, query.index, images[-1])
        return answer

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """All writes, or none. Raises: ClientError, UnsupportedError."""
        if not request.keys() <= WRITE:
            raise UnsupportedError(f"TransactWriteItems with {sorted(request.keys() - WRITE)}")
        token = request.get("ClientRequestToken")
        try:
            slots = self._read_slots(request["TransactItems"], token)
        except InvalidError as error:
            raise make_error("ValidationException", str(error), "TransactWriteItems") from error
        except NoTableError as error:
            raise _no_table("TransactWriteItems") from error
        if any(slot.flaw for slot in slots):
            raise make_cancelled([_flaw_of(slot) for slot in slots])
        now = self.now()
        if token is not None and self._was_done(token, now, slots):
            return {}
        self._check_conditions(slots)
        changes = [(slot.key, slot.image) for slot in slots if slot.kind != "ConditionCheck"]
        if token is not None:
            self._tokens.keep(token, now, slots)
        if changes:
            commit = self._table.commit(changes)
            if self.on_commit is not None:
                self.on_commit(commit)
        return {}

    def refuses(self, **request: Any) -> bool:
        """The transaction would be cancelled now by one of its conditions. Nothing is written."""
        slots = self._read_slots(request["TransactItems"], None)
        try:
            self._check_conditions(slots)
        except ClientError:
            return True
        return False

    def _read_slots(self, given: list[dict[str, Any]], token: str | None) -> list[Slot]:
        if not 1 <= len(given) <= MOST_SLOTS:
            bound = "less than or equal to 100" if given else "greater than or equal to 1"
            raise InvalidError(
                "1 validation error detected: Value at 'transactItems' failed to satisfy "
                f"constraint: Member must have length {bound}"
            )
        if token is not None and not 1 <= len(token) <= LONGEST_TOKEN:
            bound = "less than or equal to 36" if token else "greater than or equal to 1"
            raise InvalidError(
                f"1 validation error detected: Value '{token}' at 'clientRequestToken' failed to "
                f"satisfy constraint: Member must have length {bound}"
            )
        slots = [read_slot(self.schema, slot) for slot in given]
        check_together(slots)
        return slots

    def _was_done(self, token: str, now: float, slots: list[Slot]) -> bool:
        """Whether the token's request was this one. Raises: ClientError where it was another."""
        before = self._tokens.find(token, now)
        if before is None:
            return False
        if before != slots:
            raise make_error(
                "IdempotentParameterMismatchException",
                "The client request token was used before with other parameters.",
                "TransactWriteItems",
            )
        return True

    def _check_conditions(self, slots: list[Slot]) -> None:
        reasons: list[dict[str, Any]] | None = None
        for number, slot in enumerate(slots):
            if slot.condition is None:
                continue
            old = self._table.get(slot.key)
            if slot.condition.holds(old):
                continue
            if reasons is None:
                reasons = [{"Code": "None"} for _ in slots]
            reasons[number] = {
                "Code": "ConditionalCheckFailed",
                "Message": "The conditional request failed",
            }
            if slot.shows_old and old is not None:
                reasons[number]["Item"] = dict(old)
        if reasons is not None:
            raise make_cancelled(reasons)

    def _behind(self, what: str) -> int:
        return 0 if self.lag is None else self.lag.behind(what)

    def _check_table(self, name: str, operation: str) -> None:
        if name != self.schema.table:
            raise _no_table(operation)


def _flaw_of(slot: Slot) -> dict[str, Any]:
    return {"Code": "ValidationError", "Message": slot.flaw} if slot.flaw else {"Code": "None"}


def _no_table(operation: str) -> Exception:
    return make_error("ResourceNotFoundException", "Requested resource not found", operation)


def _projection(request: Mapping[str, Any]) -> frozenset[str] | None:
    aliases: Mapping[str, str] = request.get("ExpressionAttributeNames") or {}
    text = request.get("ProjectionExpression")
    if text is None:
        if aliases:
            raise InvalidError(
                "ExpressionAttributeNames can only be specified when using expressions"
            )
        return None
    names, used = projected_names(text, tuple(sorted(aliases.items())))
    check_use(values={}, aliases=aliases, used_values=frozenset(), used=used)
    return names
