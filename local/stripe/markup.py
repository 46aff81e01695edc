"""Pages without a script: every text escaped, every button a form, and a policy that says so."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Mapping
from string import Template
from urllib.parse import parse_qs, urlsplit

from local.wire import Answer

LARGEST_FORM_BYTES = 16 * 1024

STYLE = """
:root{--ink:#1d2733;--soft:#56616e;--line:#dfe3e8;--paper:#fff;--ground:#f5f6f8;--blue:#0b57d0;
--green:#12633a;--red:#a3261b;--amber:#7a4d00}
*{box-sizing:border-box}
body{font:1rem/1.5 system-ui,sans-serif;margin:0;color:var(--ink);background:var(--ground)}
main{max-width:46rem;margin:0 auto;padding:1.5rem 1rem 4rem}
main.narrow{max-width:27rem}
h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.05rem;margin:2.25rem 0 .75rem}
p{margin:.5rem 0}
.soft{color:var(--soft);font-size:.925rem}
.card{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;padding:1rem;
margin:0 0 .75rem}
.row{display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:baseline;
justify-content:space-between}
.big{font-size:1.2rem;font-weight:650;font-variant-numeric:tabular-nums}
.state{font-size:.85rem;font-weight:600;color:var(--soft)}
.good{color:var(--green)}.bad{color:var(--red)}.open{color:var(--amber)}
code,.id{font:.85rem/1.4 ui-monospace,monospace;overflow-wrap:anywhere;color:var(--soft)}
pre{overflow-x:auto;background:var(--ground);border-radius:.4rem;padding:.75rem;
font:.85rem/1.5 ui-monospace,monospace;margin:.5rem 0 0}
form{display:flex;flex-wrap:wrap;gap:.5rem;margin:.75rem 0 0}
form.tall{flex-direction:column}
button{font:inherit;font-size:.95rem;padding:.45rem .9rem;border:1px solid #b8c0ca;
border-radius:.45rem;background:var(--paper);color:var(--ink);cursor:pointer;text-align:left}
button.main{background:var(--blue);border-color:var(--blue);color:#fff;font-weight:600;
padding:.7rem 1rem;text-align:center}
button.now{border-color:var(--blue);color:var(--blue);font-weight:600}
button:hover{filter:brightness(.96)}
button:focus-visible,a:focus-visible,summary:focus-visible{outline:3px solid #f29900;
outline-offset:2px}
a{color:var(--blue)}
dl{margin:1rem 0}dt{color:var(--soft);font-size:.925rem}
dd{margin:0 0 .75rem;font-weight:600;overflow-wrap:anywhere}
summary{cursor:pointer;padding:.35rem 0}
.said{border-left:4px solid var(--amber);padding:.6rem .9rem;background:var(--paper);
border-radius:.3rem;margin:1rem 0;overflow-wrap:anywhere}
ul{list-style:none;padding:0;margin:.5rem 0}
li{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;padding:.3rem 0;
border-top:1px solid var(--line)}
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main class="$width">
$content
</main>
</body>
</html>
""")


def text(value: object) -> str:
    """The value as it may stand in a page, wherever it came from."""
    return html.escape(str(value))


def fill(template: str, **values: object) -> str:
    """The template with each value escaped; what ends with `_html` is markup already."""
    made = {name: str(v) if name.endswith("_html") else text(v) for name, v in values.items()}
    return Template(template).substitute(made)


def buttons(
    id_: str, *choices: tuple[str, str], first: str = "", shape: str = "", fields: str = ""
) -> str:
    """A form with a button for each (action, label); `first` is the class of the first one."""
    made = [
        fill(
            '<button name="action" value="$action"$class_html>$label</button>',
            action=action,
            label=label,
            class_html=f' class="{first}"' if first and number == 0 else "",
        )
        for number, (action, label) in enumerate(choices)
    ]
    opening = fill('<form method="post"$shape_html>', shape_html=f' class="{shape}"' * bool(shape))
    hidden = fill('<input type="hidden" name="id" value="$id">', id=id_)
    return f"{opening}{hidden}{fields}{''.join(made)}</form>"


def notice(said: str) -> str:
    """A sentence that stands out; nothing where there is none."""
    return fill('<p class="said" role="status">$said</p>', said=said) if said else ""


def page(
    title: str,
    content: str,
    *,
    status: int = 200,
    goes_to: Iterable[str] = (),
    is_narrow: bool = False,
) -> Answer:
    """The page, which can run nothing, load nothing and be framed nowhere.

    `goes_to` are the addresses that its forms may lead to besides its own.
    Why: browsers hold a form's redirect to form-action too, so the ways back are on its list.
    """
    targets = " ".join(["'self'", *sorted({origin(url) for url in goes_to if url})])
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        (
            "Content-Security-Policy",
            f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action {targets}; "
            "base-uri 'none'; frame-ancestors 'none'",
        ),
        ("Cache-Control", "no-store"),
        # Why: with "no-referrer" a browser would send its forms with the origin "null".
        ("Referrer-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
    )
    width = "narrow" if is_narrow else "wide"
    made = PAGE.substitute(title=text(title), style=STYLE, content=content, width=width)
    return Answer(status=status, headers=headers, body=made.encode())


def go(url: str) -> Answer:
    """The browser goes there next, and asks with GET."""
    return Answer(status=303, headers=(("Location", url), ("Cache-Control", "no-store")))


def origin(url: str) -> str:
    """Scheme, host and port of an address."""
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc}"


def read_fields(body: bytes) -> Mapping[str, str]:
    """The fields of a form, each by its first value; none of what is no form."""
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}
