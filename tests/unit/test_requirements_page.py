"""No row of the five products is said to be kept without a test that names it."""

from __future__ import annotations

from local.requirements_page import PAGE, find_tests, read_rows, write_page


def test_every_row_that_this_version_keeps_has_a_test_that_names_it() -> None:
    kept, _, _ = read_rows()
    tests = find_tests()

    assert [row for row in kept if row not in tests] == []


def test_every_row_that_a_test_names_exists() -> None:
    _, rows, _ = read_rows()

    assert [row for row in find_tests() if row not in rows] == []


def test_the_page_is_what_its_sources_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == write_page(), "run: make docs"
