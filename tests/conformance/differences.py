"""Where an engine is known to answer otherwise than SimStore, by the names in docs/engines.md.

A case that is not listed and differs fails, and so does one that is listed and does not differ
any more.
"""

from __future__ import annotations

Named = dict[str, tuple[str, ...]]

INDEX_KEY_SIZES = ("put of an index key of 2049 bytes", "put of an index sort key of 1025 bytes")
STARTS_OUTSIDE = (
    "query from another partition",
    "query from outside its range",
    "query from before its range",
)
# What AWS refuses before it looks at the item, because an operand can never be of that type.
LITERAL_TYPES = ("between two types", "less than a boolean", "a type that is none")

DYNOXIDE: Named = {
    "bad expressions cancel": (
        "a value that is not used",
        "a value that is not there",
        "a name that is not used",
        "a name that is not there",
        "names without an expression",
        "values without an expression",
        "a reserved word",
        "an empty condition",
        "a comparison without its end",
        "two comparators",
        "a letter that is none",
        "an unknown function",
        "a function of too many",
        "a function of a value",
        "parentheses around parentheses",
        "a value's name without a colon",
    ),
    "bad sets cancel": ("put of an empty set", "put of a set with a member twice"),
    "null false refused": ("put of null false",),
    "index key sizes unmeasured": INDEX_KEY_SIZES,
    "conditions beside a bad key": ("a key that does not fit beside a failed condition",),
    "lenient expressions": (
        "a value that is not looked at is not there",
        "no values in the values",
        "a function in capitals",
        "an attribute against itself",
        "contains itself",
    ),
    "literals judged late": (
        *LITERAL_TYPES,
        "between in the wrong order",
        "begins with a number",
    ),
    "start keys unchecked": STARTS_OUTSIDE,
    "key values unchecked": (
        "an empty beginning",
        "a partition of another type",
        "a range of another type",
        "an empty partition key",
        "an empty sort key",
        "index by the beginning of a number",
    ),
}

MINISTACK: Named = {
    "half keys written": (
        "put without its sort key",
        "check of half a key",
        "a key that does not fit beside a put",
    ),
    "long keys refused at once": (
        "put with a key of 2049 bytes",
        "put with a sort key of 1025 bytes",
    ),
    "null false refused": ("put of null false",),
    "index key sizes unmeasured": INDEX_KEY_SIZES,
    "lenient expressions": (
        "a check without condition",
        "no values in the values",
        "a letter that is none",
        "an unknown function",
        "a function in capitals",
        "an attribute against itself",
        "get of an empty list",
        "filter on the key",
    ),
    "literals judged late": LITERAL_TYPES,
    "start keys unchecked": ("query from more than a key", "query from a key of another type"),
    "any condition on a key": ("either", "not a range", "not equal", "contains"),
    "size and begins_with of any type": (
        "the size of a number",
        "a number that begins with a letter",
    ),
    "filters see what no index has": ("index filtered by what it has not",),
    "tokens compare spelling": ("a token again", "a token again in other spelling"),
}

MOTO: Named = {
    "tokens ignored": ("a token again", "a token for another write", "a token of 37 letters"),
    "numbers kept as written": (
        "put of a document",
        "put of the largest number",
        "put of the smallest number",
        "put of a number in other spelling",
        "put of zero in other spelling",
        "a token again in other spelling",
        "a token of a refused write",
    ),
    "no key after a full last page": ("query up to the last item",),
    "values unchecked": (
        "put of an empty set",
        "put of a set with a member twice",
        "put of a value of two types",
        "put of 39 digits",
        "put of a larger number",
        "put of an index key of another type",
        "put of an index key that is null",
        "put of an empty binary index key",
        "delete of a key of another type",
        "get with a key of another type",
        "get with a key of 2049 bytes",
    ),
    "sizes counted otherwise": ("put of the largest item", "4 MB"),
    "reasons of its own": (
        "put without its sort key",
        "put of null false",
        "put of a word as a number",
        "put of an empty number",
        "put of a number with a space",
        "put of infinity",
        "put of a smaller number",
        "a key that does not fit beside a put",
        "a value that is no number",
        "the size of nothing",
        "the size of a number",
        "less than another type",
        "between two types",
        "less than a boolean",
    ),
    "bad keys refused at once": (
        "put with a key of another type",
        "put with a key of 2049 bytes",
        "put with a sort key of 1025 bytes",
        "check of half a key",
        "put of an index key of 2049 bytes",
        "put of an index sort key of 1025 bytes",
    ),
    "conditions beside a bad key": ("a key that does not fit beside a failed condition",),
    "errors of its own": (
        "put of no value",
        "a value that is not there",
        "a value that is not looked at is not there",
        "a name that is not there",
        "a comparison without its end",
        "two comparators",
        "a letter that is none",
        "an unknown function",
        "a function in capitals",
        "a function of too many",
        "a function of a value",
        "a value's name without a colon",
        "get with a key of no type",
        "query of no items",
        "query from half a key",
        "query from a key of another type",
        "either",
        "not a range",
        "not equal",
        "one of these",
        "a range of another type",
        "index from half a key",
        "index by the beginning of a number",
    ),
    "lenient expressions": (
        "no slots",
        "a check without condition",
        "a value that is not used",
        "values without an expression",
        "an empty condition",
        "an attribute against itself",
        "contains itself",
        "between in the wrong order",
        "begins with a number",
        "a type that is none",
        "filter on the key",
    ),
    "start keys unchecked": (*STARTS_OUTSIDE, "query from more than a key"),
    "key conditions unchecked": (
        "a range in the wrong order",
        "the value first",
        "three conditions",
        "a partition of another type",
        "a value too many",
    ),
    "true is one": ("true against one",),
    "missing index is no resource": ("index that is not there",),
}

DIFFERENCES: dict[str, Named] = {"dynoxide": DYNOXIDE, "ministack": MINISTACK, "moto": MOTO}


def listed(engine: str) -> dict[str, str]:
    """The name of the difference, for each case that is listed for the engine."""
    named = DIFFERENCES[engine]
    return {case: name for name, cases in named.items() for case in cases}
