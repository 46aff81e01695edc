"""The house style, as far as a program can keep it. Each message names what to do instead."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOLLKEEPER = "layers/core/tollkeeper/"
PURE = (TOLLKEEPER + "domain/", TOLLKEEPER + "service/", TOLLKEEPER + "store/")
LONGEST_FUNCTION = 60
LONGEST_FILE = 400
LONGEST_LINE = 100
LONGEST_HANDLER = 40
MOST_POSITIONAL = 4
PRAGMA = re.compile(r"  # (type|pyright|noqa)\b.*$")
NO_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "shared", "misc", "base"}

FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for room in ("layers/core", "functions", "local", "simulation", "clients")
    for path in (ROOT / room).rglob("*.py")
    if "node_modules" not in path.parts
)
HANDLERS = [file for file in FILES if re.fullmatch(r"functions/\w+/handler\.py", file)]


@lru_cache(maxsize=500)
def read(file: str) -> str:
    """The file's text."""
    return (ROOT / file).read_text(encoding="utf-8")


@lru_cache(maxsize=500)
def parse(file: str) -> ast.Module:
    """The file as a tree."""
    return ast.parse(read(file), filename=file)


# ---- Sizes


def lines_of_code(node: ast.AST) -> int:
    """From the first line to the last, blank lines and comments and all."""
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    return (node.end_lineno or node.lineno) - node.lineno + 1


def functions(file: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method."""
    for node in ast.walk(parse(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def tell(problems: Iterator[str]) -> None:
    """Nothing, where there are none; else all of them at once."""
    found = list(problems)
    assert not found, "\n" + "\n".join(found)


def test_files_and_lines_are_short() -> None:
    def problems() -> Iterator[str]:
        for file in FILES:
            lines = read(file).splitlines()
            if len(lines) > LONGEST_FILE:
                yield f"{file} has {len(lines)} lines: split it by what it is about"
            for number, line in enumerate(lines, 1):
                if len(PRAGMA.sub("", line)) > LONGEST_LINE:
                    yield f"{file}:{number} is {len(line)} characters long: break it"

    tell(problems())


def test_functions_are_short_and_name_their_arguments() -> None:
    def problems() -> Iterator[str]:
        for file in FILES:
            for function in functions(file):
                where = f"{file}:{function.lineno} {function.name}"
                size = lines_of_code(function)
                if size > LONGEST_FUNCTION:
                    yield f"{where} has {size} lines: give its parts names"
                arguments = [*function.args.posonlyargs, *function.args.args]
                given = len([each for each in arguments if each.arg not in ("self", "cls")])
                if given > MOST_POSITIONAL and not file.startswith("local/"):
                    yield f"{where} takes {given}: put `*,` before most of them"

    tell(problems())


def test_a_handler_is_a_page() -> None:
    def problems() -> Iterator[str]:
        for file in HANDLERS:
            tree = parse(file)
            if len(code_lines(file)) > LONGEST_HANDLER:
                yield f"{file}: move what is not one service call to the edge"
            for node in ast.walk(tree):
                if isinstance(node, ast.Try):
                    yield f"{file}:{node.lineno}: the edge translates errors"
                if isinstance(node, ast.BinOp | ast.AugAssign):
                    yield f"{file}:{node.lineno}: a handler does not compute; the domain does"

    tell(problems())
    assert len(HANDLERS) >= 9


def code_lines(file: str) -> list[str]:
    """The lines that are neither blank nor a comment nor part of a docstring."""
    documented = {
        number
        for node in ast.walk(parse(file))
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node)
        for number in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }
    return [
        line
        for number, line in enumerate(read(file).splitlines(), 1)
        if line.strip() and not line.strip().startswith("#") and number not in documented
    ]


# ---- Docstrings and names


def owners(file: str) -> Iterator[ast.Module | ast.ClassDef]:
    """The module and its public classes."""
    for node in ast.walk(parse(file)):
        is_class = isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        if isinstance(node, ast.Module) or (is_class and isinstance(node, ast.ClassDef)):
            yield node


def test_what_is_public_says_what_holds_afterwards() -> None:
    def problems() -> Iterator[str]:
        for file in FILES:
            tree = parse(file)
            if tree.body and not ast.get_docstring(tree):
                yield f"{file}: say in its first line what the file is about"
            for owner in owners(file):
                for node in owner.body:
                    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                        continue
                    said = ast.get_docstring(node)
                    where = f"{file}:{node.lineno} {node.name}"
                    if not node.name.startswith("_") and not said:
                        yield f"{where}: its first line says what holds afterwards"
                    if said and not said.splitlines()[0].rstrip().endswith((".", ":")):
                        yield f"{where}: end its first line with a dot"

    tell(problems())


def test_files_are_named_after_one_thing() -> None:
    def problems() -> Iterator[str]:
        for file in FILES:
            words = {word for part in Path(file).with_suffix("").parts for word in part.split("_")}
            if words & NO_NAMES:
                yield f"{file}: name it after what it is about, as DESIGN's glossary does"

    tell(problems())


# ---- Bans


@dataclass(frozen=True)
class Ban:
    """What may not stand in some rooms, where it may, and what to write instead."""

    pattern: str
    instead: str
    rooms: tuple[str, ...] = ("layers/", "functions/", "local/")
    but: tuple[str, ...] = ()


WIRING = TOLLKEEPER + "edge/wiring.py"
NAMES = [
    Ban(r"float", "money.parse_micro, or Decimal: a float is not exact", PURE),
    Ban(r"round", "money.ceil_div or floor_div: they say which way", PURE),
    Ban(r"print", "observability.log_fact; sys.stdout.write in local/"),
    Ban(
        r"os\.(environ|getenv|putenv)",
        "edge/settings.py, which reads the environment once",
        but=(TOLLKEEPER + "edge/settings.py", TOLLKEEPER + "edge/page_settings.py", "local/"),
    ),
    Ban(
        r"((datetime\.)?datetime|date)\.(now|utcnow|today)|time\.(time|time_ns|monotonic|sleep)",
        "the Clock of the world, and `now` as an argument in the domain",
        but=(WIRING, "local/"),
    ),
    Ban(r"\w+\.now|now", "`now` as an argument: the domain has no clock", (PURE[0],)),
    Ban(
        r"uuid\.uuid[14]|uuid[14]|random\.\w+|secrets\.(token_\w+|randb\w+|choice)|os\.urandom",
        "the IdSource of the world",
        but=(WIRING, "local/"),
    ),
    Ban(r"eval|exec|__import__|globals", "what you mean, written out"),
    Ban(r"\w+(\.\w+)*\.scan", "a key, an index or a page: no Scan outside verify", PURE),
]
IMPORTS = [
    Ban(
        r"stripe",
        "edge/stripe_client.py, in a gateway: no other function may load Stripe's SDK",
        but=tuple(
            f"{TOLLKEEPER}edge/stripe_{name}.py"
            for name in ("client", "gateway", "cards", "refunds")
        ),
    ),
    Ban(
        r"boto3|botocore|aiobotocore",
        "store/client.py, which is the seam below the store",
        but=(
            TOLLKEEPER + "store/client.py",
            TOLLKEEPER + "store/ledger.py",
            TOLLKEEPER + "edge/bus.py",
            TOLLKEEPER + "edge/event_api.py",
            WIRING,
            "local/",
        ),
    ),
    Ban(r"pydantic|aws_lambda_powertools", "dataclasses: these stay at the border", PURE),
    Ban(r"aws_xray_sdk|requests|httpx", "the standard library"),
    Ban(
        r"random|uuid|secrets",
        "the IdSource of the world",
        but=(WIRING, "local/"),
    ),
    Ban(r"os|sys|time|logging|socket|subprocess|threading", "an argument", (PURE[0],)),
]


def holds(ban: Ban, file: str) -> bool:
    """The ban is in force in this file."""
    return file.startswith(ban.rooms) and not file.startswith(ban.but or ("\0",))


def dotted(node: ast.AST) -> str:
    """`a.b.c` for a name or an attribute of one; else nothing."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            owner = dotted(value)
            return f"{owner}.{name}" if owner else ""
        case _:
            return ""


def used_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """What is called, and attributes of the environment that are read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, dotted(node.func)
        elif isinstance(node, ast.Attribute) and dotted(node).startswith("os."):
            yield node.lineno, dotted(node)


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The packages that are imported, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]


def broken(tree: ast.Module, file: str) -> list[str]:
    """Each ban that the file breaks, with its place and the replacement."""
    found: list[str] = []
    for bans, uses in ((NAMES, used_names(tree)), (IMPORTS, imported(tree))):
        for line, name in uses:
            for ban in bans:
                if name and holds(ban, file) and re.fullmatch(ban.pattern, name):
                    found.append(f"{file}:{line}: instead of {name} use {ban.instead}")
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            found.append(f"{file}:{node.lineno}: instead of a bare except name what you expect")
    return found


def test_nothing_banned_is_used() -> None:
    tell(problem for file in FILES for problem in broken(parse(file), file))


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("domain/money.py", "x = float('1')"),
        ("domain/money.py", "x = round(1.5)"),
        ("domain/roll.py", "x = datetime.now(UTC)"),
        ("service/commit.py", "x = datetime.datetime.utcnow()"),
        ("service/commit.py", "time.sleep(1)"),
        ("edge/http.py", "x = os.environ['A']"),
        ("edge/http.py", "import os\nx = os.getenv('A')"),
        ("edge/http.py", "print('x')"),
        ("edge/http.py", "try:\n    pass\nexcept:\n    pass"),
        ("edge/http.py", "import stripe"),
        ("edge/http.py", "def f():\n    from stripe import Webhook"),
        ("edge/http.py", "import boto3"),
        ("service/keys.py", "from botocore.exceptions import ClientError"),
        ("service/keys.py", "import secrets"),
        ("service/keys.py", "x = uuid.uuid4()"),
        ("service/keys.py", "from pydantic import BaseModel"),
        ("domain/account.py", "import os"),
        ("store/ledger.py", "x = self._client.scan()"),
    ],
)
def test_the_bans_bite(file: str, line: str) -> None:
    assert broken(ast.parse(line), TOLLKEEPER + file)


def test_the_bans_leave_alone_what_may_stand() -> None:
    allowed = {
        TOLLKEEPER + "edge/settings.py": "import os\nx = os.environ['A']",
        WIRING: "import secrets\nx = datetime.now(UTC)",
        TOLLKEEPER + "store/client.py": "import botocore.config",
        TOLLKEEPER + "domain/account.py": "from datetime import datetime\nx = now",
        "local/run.py": "import os\nx = os.environ['A']\ntime.sleep(1)",
    }

    for file, text in allowed.items():
        assert broken(ast.parse(text), file) == [], file
