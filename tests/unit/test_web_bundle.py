"""Modules joined into one file: what it does and exports, and what is refused."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tollkeeper.edge.web_bundle import BundleError, join_modules
from tollkeeper.edge.web_squeeze import UnendedError, squeeze

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "clients/web/modules", ROOT / "functions/account_page/static")
SHIPPED = {path.name: path.read_bytes() for each in FOLDERS for path in each.glob("*.js")}
ENTRIES = [name for name in ("elements.js", "page.js", "operator.js") if name in SHIPPED]
NODE = shutil.which("node")


def join(entry: str = "a.js", **sources: str) -> str:
    """The joined file of modules that are named without their ending."""
    return join_modules({f"{n}.js": text.encode() for n, text in sources.items()}, entry).decode()


def run(script: str) -> str:
    """What the script prints in Node."""
    assert NODE is not None
    command = [NODE, "--input-type=module", "-e", script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(NODE is None, reason="no node")
def test_each_module_runs_once_after_what_it_imports_and_keeps_its_names() -> None:
    joined = join(
        a='import { say, count as many } from "./b.js";\nimport "./c.js";\nconst own = "a";\n'
        'say(own);\nsay(many());\nexport { last } from "./c.js";',
        b='const own = "b";\nexport function say(text) {\n  console.log(own, text);\n}\n'
        "export const count = () => own.length;\nexport class Unused {}\n",
        c='import { say } from "./b.js";\nlet own = "c";\nsay(own);\nconst end = 7;\n'
        "export { end as last };",
    )

    assert run(joined + "console.log(last)").splitlines() == ["b c", "b a", "b 1", "7"]


@pytest.mark.skipif(NODE is None, reason="no node")
def test_what_the_entry_hands_on_is_exported() -> None:
    joined = join(
        a='export * from "./b.js";\nexport { two as zwei } from "./b.js";\nexport const four = 4;',
        b="export const one = 1;\nexport const two = 2;\nexport async function three() {}",
    )

    assert joined.rstrip().endswith("export const{four,one,three,two,zwei}=$a;")
    assert run(joined + "console.log(one, two, zwei, four)") == "1 2 2 4"


@pytest.mark.parametrize(
    ("source", "squeezed"),
    [
        ("/** About. */\n  // a line\n  const a = 1; // end\n", "const a=1;"),
        ('const b = "/* stays */  // stays";', 'const b="/* stays */  // stays";'),
        ("const c = /** @type {any} */ (a);", "const c=(a);"),
        ("a = 1\nb = 2", "a=1\nb=2"),
        ("f(\n  a,\n  b,\n)", "f(a,b,)"),
        ("a + +b - -c", "a+ +b- -c"),
        ("return x\n  .y", "return x.y"),
        ("return / a  b'/.test(x) / 2", "return/ a  b'/.test(x)/2"),
        ("(x) => /[/ ' ]+/g.test(x)", "(x)=>/[/ ' ]+/g.test(x)"),
        ("x = a / b / c", "x=a/b/c"),
        ("t = `a  ${ b + `c  ${ d }` }  e  //`", "t=`a  ${ b + `c  ${ d }` }  e  //`"),
        ("t = `${ { a: '}' }.a }  x`  + 1", "t=`${ { a: '}' }.a }  x`+1"),
        ("t = `\\`  ${1}`", "t=`\\`  ${1}`"),
        ("css(`\n  a { b: c }\n  d`)", "css(`\na{b: c}d`)"),
        ("t = `\n  ${ a } ; b\n`", "t=`\n${ a } ; b\n`"),
        ("class A {\n  #b\n  static async c() {}\n}", "class A{#b\nstatic async c(){}}"),
        ("'it\\'s  one'  + x", "'it\\'s  one'+x"),
    ],
)
def test_only_what_no_program_needs_is_left_out(source: str, squeezed: str) -> None:
    assert squeeze(source) == squeezed + "\n"


@pytest.mark.parametrize("source", ["'a", '"a', "`a", "/* a", "`${a`", "x = /a"])
def test_what_does_not_end_is_refused(source: str) -> None:
    with pytest.raises(UnendedError):
        squeeze(source)


@pytest.mark.skipif(NODE is None, reason="no node")
@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_shipped_module_is_still_one_and_squeezed_twice_the_same(name: str) -> None:
    squeezed = squeeze(SHIPPED[name].decode())

    command = [str(NODE), "--check", "--input-type=module", "-"]
    subprocess.run(command, input=squeezed.encode(), check=True, capture_output=True)
    assert squeeze(squeezed) == squeezed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('import x from "./b.js";', "cannot be joined"),
        ('import * as x from "./b.js";', "cannot be joined"),
        ("export default 1;", "cannot be joined"),
        ("export const [a, b] = [1, 2];", "cannot be joined"),
        ("await 1;", "cannot be joined"),
        ('import { x } from "elsewhere";', "cannot be joined"),
        ('import "./missing.js";', "there is no missing.js"),
        ('import "./a.js";', "imports itself"),
    ],
)
def test_a_form_that_is_not_known_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(BundleError, match=re.escape(words)):
        join(a=text, b="export const x = 1;")


def test_an_import_while_it_runs_stays_a_file_of_its_own() -> None:
    joined = join(a='export async function f() {\n  await import("./b.js");\n}')

    assert 'await import("./b.js");' in joined


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_shipped_can_be_joined(entry: str) -> None:
    joined = join_modules(SHIPPED, entry)

    if NODE is not None:
        command = [NODE, "--check", "--input-type=module", "-"]
        subprocess.run(command, input=joined, check=True, capture_output=True)


def test_a_text_over_several_lines_is_a_style_sheet() -> None:
    """Indentation and lines that look like comments are left out of these too."""
    for name, content in SHIPPED.items():
        text = content.decode()
        for found in re.finditer(r"(css\(|)`([^`]*)`", text):
            if "\n" in found.group(2):
                assert found.group(1) == "css(", (name, found.group(2)[:60])
                assert "//" not in found.group(2), name
