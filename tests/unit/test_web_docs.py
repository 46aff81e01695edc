"""docs/web.md says what the elements have: attributes, events, colours, parts and methods."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "clients" / "web" / "modules"
PAGE = (ROOT / "docs" / "web.md").read_text(encoding="utf-8")
SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in MODULES.glob("*.js")}
ELEMENTS = sorted(name for name in SOURCES if name.startswith("credit-"))
ASKED = re.compile(r"""(?:getAttribute|hasAttribute|#named)\(\s*"([a-z-]+)\"""")
# Modules that an element reads attributes by.
READERS = {
    "credit-packs": ("purchase",),
    "credit-gate": ("purchase", "credit-estimate"),
    "credit-usage": ("words",),
    "credit-history": ("words",),
    "credit-costs": ("words",),
}
RUN = {"operation", "model", "quantity", "feature", "subtype", "provider", "usage", "resource"}


def section(title: str) -> str:
    """The text below a heading."""
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def documented() -> dict[str, set[str]]:
    """The attributes of each element, by the table."""
    found: dict[str, set[str]] = {}
    names: list[str] = []
    for line in section("The elements").splitlines():
        if not line.startswith("| ") or line.startswith("| element"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0].startswith("all three"):
            names = ["credit-usage", "credit-history", "credit-costs"]
        elif cells[0]:
            names = re.findall(r"`(credit-[a-z]+)`", cells[0])
        given = set(re.findall(r"`([a-z-]+)`", cells[1]))
        if "run's attributes" in cells[1]:
            given |= {*RUN, "local"}
        for name in names:
            found.setdefault(name, set()).update(given)
    return found


@pytest.mark.parametrize("element", ELEMENTS)
def test_the_table_has_every_attribute_that_an_element_reads(element: str) -> None:
    texts = [SOURCES[name] for name in (element, *READERS.get(element, ()))]
    read = {name for text in texts for name in ASKED.findall(text)} - {"lang", "data-free"}
    observed = re.search(r"observedAttributes = \[([^\]]*)\]", SOURCES[element])
    read |= set(re.findall(r'"([a-z-]+)"', observed[1])) if observed else set()
    if any("success-url" in text for text in texts):
        read |= {"success-url", "cancel-url"}
    if element in {"credit-gate", "credit-estimate"}:
        read |= RUN
    if element == "credit-gate":
        read -= {"compact"}

    told = documented()[element]

    assert read - told == set()
    assert told - read <= {"no-cost"}


def test_the_table_of_events_has_every_event() -> None:
    fired = {
        name for text in SOURCES.values() for name in re.findall(r'fire\("(credit-\w+)"', text)
    }
    told = set(re.findall(r"^\| `(credit-\w+)` \|", section("Events"), re.MULTILINE))

    assert told == fired


def test_the_table_of_colours_has_every_variable_and_part() -> None:
    used = {name for text in SOURCES.values() for name in re.findall(r"--tollkeeper-[a-z-]+", text)}
    told = set(re.findall(r"`(--tollkeeper-[a-z-]+)`", section("Colours")))
    parts = {name for text in SOURCES.values() for name in re.findall(r'part: "(\w+)"', text)}

    assert told == used
    for part in parts:
        assert f"`{part}`" in section("Colours"), part


def test_every_method_of_the_client_that_is_told_is_there() -> None:
    told = set(re.findall(r"`(\w+)\(", section("The client")))

    assert told
    for name in told:
        assert re.search(rf"^  (?:async )?{name}\(", SOURCES["client"], re.MULTILINE), name
