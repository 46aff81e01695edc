"""The npm package in clients/web: its client in Node, and its types held against code and API."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.openapi.document import build_document
from local.openapi.typescript import TYPES, write_types

ROOT = Path(__file__).parents[2]
WEB = ROOT / "clients" / "web"
MODULES = WEB / "modules"
CHECKS = ROOT / "tests" / "web"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not there")
IMPORTED = re.compile(r"""^(?:import|export)\b[^'"\n]*["']([^"']+)["'];$""", re.MULTILINE)
# What a class has, told by the class itself.
NAMES = """
import * as module from %s;
const found = {};
for (const [name, it] of Object.entries(module))
  if (typeof it === "function" && it.prototype)
    found[name] = Object.getOwnPropertyNames(it.prototype).filter((each) => each !== "constructor");
console.log(JSON.stringify(found));
"""


def package() -> Any:
    """package.json."""
    return json.loads((WEB / "package.json").read_text(encoding="utf-8"))


def run_node(*arguments: str) -> str:
    """What Node printed; it must succeed."""
    command = [str(NODE), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def declared_methods(text: str, name: str) -> set[str]:
    """The methods that a class of a .d.ts has."""
    body = re.search(rf"export class {name}\b[^{{]*\{{\n(.*?)\n\}}", text, re.DOTALL)
    assert body is not None, name
    return set(re.findall(r"^  (\w+)(?:<\w+>)?\(", body[1], re.MULTILINE)) - {"constructor"}


@needs_node
@pytest.mark.parametrize("part", ["client", "session"])
def test_the_client_and_a_pages_session_hold_in_node(part: str) -> None:
    run_node("--test", str(CHECKS / f"{part}.test.js"))


def test_the_types_of_requests_and_answers_are_the_apis() -> None:
    written = TYPES.read_text(encoding="utf-8")

    assert written == write_types(build_document()), "run make docs"


@needs_node
@pytest.mark.parametrize(
    ("module", "name"), [("client", "TollkeeperClient"), ("session", "Session")]
)
def test_every_method_is_declared_and_every_declared_method_is_there(
    module: str, name: str
) -> None:
    script = NAMES % json.dumps((MODULES / f"{module}.js").as_uri())
    found = json.loads(run_node("--input-type=module", "--eval", script))[name]

    declared = declared_methods((MODULES / f"{module}.d.ts").read_text(encoding="utf-8"), name)

    assert declared == set(found)


def test_every_element_is_imported_by_the_one_module_and_declared() -> None:
    elements = {path.stem for path in MODULES.glob("credit-*.js")}
    imported = set(
        re.findall(r'"\./(credit-[a-z]+)\.js"', (MODULES / "elements.js").read_text("utf-8"))
    )
    types = (MODULES / "elements.d.ts").read_text(encoding="utf-8")

    assert imported == elements
    assert elements == set(re.findall(r'^    "(credit-[a-z]+)": Credit\w+;$', types, re.MULTILINE))


def test_the_package_exports_what_is_there() -> None:
    exported = package()["exports"]

    for name, places in exported.items():
        paths: list[str] = [places] if isinstance(places, str) else list(places.values())
        for path in paths:
            assert "*" in path or (WEB / path).is_file(), name
    assert exported["."]["types"] == "./modules/client.d.ts"
    assert package()["files"] == ["modules", "README.md"]


def test_no_module_depends_on_another_package() -> None:
    assert "dependencies" not in package()
    for path in MODULES.glob("*.js"):
        for source in IMPORTED.findall(path.read_text("utf-8")):
            assert source.startswith("./"), f"{path.name}: {source}"


@pytest.mark.skipif(
    NODE is None or not (CHECKS / "node_modules" / "typescript").is_dir(),
    reason="make types installs TypeScript where npm is there",
)
def test_the_modules_and_what_an_app_writes_pass_the_type_check() -> None:
    compiler = CHECKS / "node_modules" / "typescript" / "bin" / "tsc"
    run_node(str(compiler), "--project", str(CHECKS / "tsconfig.json"))
