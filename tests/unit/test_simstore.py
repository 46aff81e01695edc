"""SimStore as a checker or a simulation uses it: commits, lag, cuts, snapshots and tokens."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from simulation.store import Commit, SimStore, UnsupportedError

TABLE = "t"
DEFINITION: dict[str, Any] = {
    "TableName": TABLE,
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
        {"AttributeName": "n", "AttributeType": "N"},
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by_number",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "n", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}


class Behind:
    """A lag that is always the same."""

    def __init__(self, commits: int) -> None:
        self.commits = commits
        self.asked: list[str] = []

    def behind(self, what: str) -> int:
        """So many commits."""
        self.asked.append(what)
        return self.commits


def put(sk: str, n: int | None = None, *, pk: str = "a", **more: Any) -> dict[str, Any]:
    """A slot that puts an item."""
    item: dict[str, Any] = {"pk": {"S": pk}, "sk": {"S": sk}}
    if n is not None:
        item["n"] = {"N": str(n)}
    return {"Put": {"TableName": TABLE, "Item": item, **more}}


def delete(sk: str, *, pk: str = "a") -> dict[str, Any]:
    """A slot that deletes an item."""
    return {"Delete": {"TableName": TABLE, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}}}


def write(store: SimStore, *slots: dict[str, Any], **more: Any) -> None:
    """A transaction."""
    store.transact_write_items(TransactItems=list(slots), **more)


def page(store: SimStore, **more: Any) -> dict[str, Any]:
    """A page of the partition a."""
    return store.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "a"}},
        **more,
    )


def listing(store: SimStore, **more: Any) -> list[tuple[str, str]]:
    """Sort keys and numbers of a page."""
    items = page(store, **more)["Items"]
    return [(item["sk"]["S"], item.get("n", {}).get("N", "")) for item in items]


def get(store: SimStore, sk: str, *, is_strong: bool = False) -> dict[str, Any] | None:
    """The item of the partition a."""
    key = {"pk": {"S": "a"}, "sk": {"S": sk}}
    return store.get_item(TableName=TABLE, Key=key, ConsistentRead=is_strong).get("Item")


def code_of(error: ClientError) -> str:
    """The error's code."""
    return str(error.response.get("Error", {}).get("Code"))


# ---- Commits


def test_every_commit_is_told_with_what_was_and_what_is() -> None:
    store = SimStore(DEFINITION)
    told: list[Commit] = []
    store.on_commit = told.append

    write(store, put("1", 1), put("2"))
    write(store, put("1", 2), delete("2"), delete("3"))

    assert [commit.number for commit in told] == [1, 2]
    assert store.commits == 2
    key = ("a", "1")
    assert told[0].puts[0][:2] == (key, None)
    assert told[1].puts[0][0] == key
    assert [image and image["n"] for image in told[1].puts[0][1:]] == [{"N": "1"}, {"N": "2"}]
    assert told[1].puts[1][1] == {"pk": {"S": "a"}, "sk": {"S": "2"}}
    assert told[1].puts[1][2] is None
    assert told[1].puts[2] == (("a", "3"), None, None)


def test_what_is_refused_or_only_checks_is_no_commit() -> None:
    store = SimStore(DEFINITION)
    write(store, put("1"))
    told: list[Commit] = []
    store.on_commit = told.append
    new: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}

    with pytest.raises(ClientError) as caught:
        write(store, put("2"), put("1", **new))
    check = {"TableName": TABLE, "Key": {"pk": {"S": "a"}, "sk": {"S": "9"}}, **new}
    write(store, {"ConditionCheck": check})

    assert code_of(caught.value) == "TransactionCanceledException"
    assert told == []
    assert [item["sk"]["S"] for item in store.items()] == ["1"]


def test_an_answer_may_be_changed_at_its_top_and_the_table_is_not() -> None:
    store = SimStore(DEFINITION)
    write(store, put("1", 1))

    for answer in (get(store, "1"), page(store)["Items"][0]):
        assert answer is not None
        answer["pk"] = {"S": "other"}
        del answer["n"]

    assert listing(store) == [("1", "1")]


# ---- Lag


@pytest.mark.parametrize("behind", [0, 1, 2, 3, 99])
def test_a_read_that_lags_sees_the_table_of_an_earlier_commit(behind: int) -> None:
    lag = Behind(behind)
    store = SimStore(DEFINITION, lag=lag)
    write(store, put("1", 1), put("2", 2))
    write(store, put("1", 9), delete("2"))
    write(store, put("3", 3))
    tables = [
        [("1", "9"), ("3", "3")],
        [("1", "9")],
        [("1", "1"), ("2", "2")],
        [],
    ]
    expected = tables[min(behind, 3)]

    assert listing(store) == expected
    assert listing(store, IndexName="by_number") == sorted(expected, key=lambda row: int(row[1]))
    first = get(store, "1")
    assert (first and first["n"]["N"]) == dict(expected).get("1")
    assert listing(store, ConsistentRead=True) == tables[0]
    strong = get(store, "1", is_strong=True)
    assert strong is not None and strong["n"]["N"] == "9"
    assert lag.asked == ["item", "index", "item"]


def test_a_lag_ends_where_the_kept_commits_end() -> None:
    store = SimStore(DEFINITION, lag=Behind(50), kept_commits=2)
    for number in range(5):
        write(store, put("1", number))

    assert listing(store) == [("1", "2")]


STEPS = st.lists(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("123"), st.integers(-2, 3)),
        min_size=1,
        max_size=3,
        unique_by=lambda step: step[:2],
    ),
    max_size=8,
)


def slots_of(step: list[tuple[str, str, int]]) -> list[dict[str, Any]]:
    """Puts, with an item in the index where its number is at least 0, and deletes below -1."""
    return [
        delete(sk, pk=pk) if n < -1 else put(sk, n if n >= 0 else None, pk=pk) for pk, sk, n in step
    ]


def seen(store: SimStore) -> list[Any]:
    """Everything that reads can see."""
    return [
        listing(store),
        listing(store, IndexName="by_number", ScanIndexForward=False),
        [get(store, sk) for sk in "123"],
    ]


@given(STEPS, st.integers(0, 9))
def test_lagging_is_reading_before_the_last_commits(steps: Any, behind: int) -> None:
    store = SimStore(DEFINITION)
    history = [seen(store)]
    for step in steps:
        write(store, *slots_of(step))
        history.append(seen(store))

    store.lag = Behind(behind)

    assert seen(store) == history[max(0, len(history) - 1 - behind)]


# ---- Snapshots


@given(STEPS, STEPS, STEPS)
def test_what_was_dumped_can_be_restored_any_number_of_times(a: Any, b: Any, c: Any) -> None:
    store = SimStore(DEFINITION, lag=Behind(1))
    for step in a:
        write(store, *slots_of(step))
    dump, then, count = store.dump(), seen(store), store.commits
    everything = list(store.items())

    for steps in (b, c):
        for step in steps:
            write(store, *slots_of(step))
        store.restore(dump)

        assert seen(store) == then
        assert store.commits == count
        assert list(store.items()) == everything


# ---- Pages


def test_pages_end_before_they_are_too_large_and_go_on_behind() -> None:
    store = SimStore(DEFINITION, page_bytes=100)
    for number in range(5):
        write(store, put(f"{number}" + "x" * 40, number))

    pages: list[list[str]] = []
    more: dict[str, Any] = {}
    for _ in range(5):
        answer = page(store, **more)
        pages.append([item["sk"]["S"][0] for item in answer["Items"]])
        if "LastEvaluatedKey" not in answer:
            break
        more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    assert pages == [["0", "1"], ["2", "3"], ["4"]]


def test_an_item_larger_than_a_page_is_one() -> None:
    store = SimStore(DEFINITION, page_bytes=10)
    write(store, put("1" * 50), put("2"))

    first = page(store)

    assert len(first["Items"]) == 1
    assert first["LastEvaluatedKey"] == {"pk": {"S": "a"}, "sk": {"S": "1" * 50}}


@pytest.mark.parametrize("room", ["table", "index"])
@pytest.mark.parametrize("is_forward", [True, False])
@pytest.mark.parametrize("limit", [None, 3])
def test_cut_pages_together_are_the_whole(room: str, is_forward: bool, limit: int | None) -> None:
    store = SimStore(DEFINITION)
    for number in range(7):
        write(store, put(f"{number}", number // 2))
    asked: dict[str, Any] = {"ScanIndexForward": is_forward}
    if room == "index":
        asked["IndexName"] = "by_number"
    whole = listing(store, **asked)
    if limit is not None:
        asked["Limit"] = limit

    for cut in (1, 2, 7, 50):
        store.cut = lambda cut=cut: cut
        found: list[tuple[str, str]] = []
        more: dict[str, Any] = {}
        for _ in range(9):
            answer = page(store, **asked, **more)
            assert len(answer["Items"]) <= min(cut, limit or 99)
            found += [(item["sk"]["S"], item["n"]["N"]) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        assert found == whole


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ({"pk": {"S": "b"}, "sk": {"S": "1"}}, "outside query boundaries"),
        ({"pk": {"S": "a"}}, "The provided starting key is invalid"),
        ({"pk": {"S": "a"}, "sk": {"N": "1"}}, "does not match the schema"),
    ],
)
def test_a_page_starts_at_a_key_of_its_own(start: dict[str, Any], said: str) -> None:
    store = SimStore(DEFINITION)
    write(store, put("1"), put("2"))

    with pytest.raises(ClientError, match=said):
        page(store, ExclusiveStartKey=start)


def test_the_index_is_in_the_order_of_its_numbers() -> None:
    store = SimStore(DEFINITION)
    for sk, n in (("1", 10), ("2", 9), ("3", -1), ("4", 100)):
        write(store, put(sk, n))
    write(store, put("5"))

    numbers = [int(n) for _, n in listing(store, IndexName="by_number")]

    assert numbers == [-1, 9, 10, 100]
    assert all(one < two for one, two in pairwise(numbers))


# ---- Tokens


def test_a_token_is_good_for_ten_minutes_after_its_write() -> None:
    now = [0.0]
    store = SimStore(DEFINITION, now=lambda: now[0])
    token = {"ClientRequestToken": "one"}

    write(store, put("1", 1), **token)
    write(store, delete("1"))
    now[0] = 599.9
    write(store, put("1", 1), **token)
    assert listing(store) == []
    with pytest.raises(ClientError) as caught:
        write(store, put("1", 2), **token)
    assert code_of(caught.value) == "IdempotentParameterMismatchException"

    now[0] = 600.0
    write(store, put("1", 2), **token)
    assert listing(store) == [("1", "2")]


def test_restoring_forgets_tokens_that_came_later() -> None:
    store = SimStore(DEFINITION)
    dump = store.dump()
    write(store, put("1", 1), ClientRequestToken="one")
    store.restore(dump)

    write(store, put("1", 2), ClientRequestToken="one")

    assert listing(store) == [("1", "2")]


# ---- What it has not


@pytest.mark.parametrize(
    ("call", "request_"),
    [
        ("get_item", {"Key": {}, "AttributesToGet": ["x"]}),
        ("get_item", {"Key": {"pk": {"S": "a"}, "sk": {"S": "1"}}, "ProjectionExpression": "m.x"}),
        ("query", {"KeyConditions": {}}),
        ("query", {"ReturnConsumedCapacity": "TOTAL"}),
        ("transact_write_items", {"TransactItems": [], "ReturnConsumedCapacity": "TOTAL"}),
        ("transact_write_items", {"TransactItems": [{"Update": {"TableName": TABLE}}]}),
        ("transact_write_items", {"TransactItems": [put("1", Expected={})]}),
    ],
)
def test_what_it_has_not_is_said_and_not_guessed(call: str, request_: dict[str, Any]) -> None:
    store = SimStore(DEFINITION)
    table = {} if call == "transact_write_items" else {"TableName": TABLE}

    with pytest.raises(UnsupportedError):
        getattr(store, call)(**table, **request_)


def test_another_table_is_not_there() -> None:
    store = SimStore(DEFINITION)
    key = {"pk": {"S": "a"}, "sk": {"S": "1"}}

    with pytest.raises(ClientError) as caught:
        store.get_item(TableName="other", Key=key)

    assert code_of(caught.value) == "ResourceNotFoundException"
