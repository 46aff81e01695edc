"""Texts that would run a script or break out of markup, were they not shown as text.

Every script in them sets `window.xss`; every element that they would make has the class `xss`.
"""

from __future__ import annotations

PAYLOADS = (
    "<script class=xss>xss=1</script>",
    "<SCRIPT class=xss>xss=1</SCRIPT>",
    "<scr<script>ipt class=xss>xss=1</scr</script>ipt>",
    "<script class=xss src=data:text/javascript,xss=1></script>",
    "<script class=xss src=//127.0.0.1:1/x.js></script>",
    "</script><script class=xss>xss=1</script>",
    "</style><script class=xss>xss=1</script>",
    "</title><script class=xss>xss=1</script>",
    "</textarea><script class=xss>xss=1</script>",
    "</template><img class=xss src=x onerror=xss=1>",
    "--><script class=xss>xss=1</script>",
    "]]><script class=xss>xss=1</script>",
    "<img class=xss src=x onerror=xss=1>",
    "<img class=xss src=x onerror='xss=1'",
    "<img class=xss src=`x` onerror=xss=1>",
    "<img/class=xss/src=x/onerror=xss=1>",
    "<IMG class=xss SRC=x ONERROR=xss=1>",
    "<img class=xss src=x:x onerror\n=\nxss=1>",
    '"><img class=xss src=x onerror=xss=1>',
    "'><img class=xss src=x onerror=xss=1>",
    "`><img class=xss src=x onerror=xss=1>",
    '" onmouseover=xss=1 class=xss "',
    "' onfocus=xss=1 autofocus class=xss '",
    '" style="animation-name:x" onanimationstart=xss=1 class=xss "',
    "<svg class=xss onload=xss=1>",
    "<svg class=xss/onload=xss=1//",
    "<svg class=xss><script>xss=1</script></svg>",
    "<svg class=xss><animate onbegin=xss=1 attributeName=x dur=1s>",
    "<svg class=xss><a xlink:href=javascript:xss=1><text>x</text></a></svg>",
    "<svg class=xss><foreignObject><iframe srcdoc='<script>parent.xss=1</script>'>",
    "<svg class=xss><use href='data:image/svg+xml,<svg id=x onload=xss=1/>#x'/></svg>",
    "<math class=xss><mtext><table><mglyph><style><!--</style><img src=x onerror=xss=1>",
    "<math class=xss href=javascript:xss=1>x</math>",
    "<iframe class=xss src=javascript:parent.xss=1></iframe>",
    "<iframe class=xss srcdoc='<script>parent.xss=1</script>'></iframe>",
    "<object class=xss data=javascript:xss=1></object>",
    "<embed class=xss src=javascript:xss=1>",
    "<a class=xss href=javascript:xss=1>x</a>",
    "<a class=xss href='java\tscript:xss=1'>x</a>",
    "javascript:xss=1",
    "JaVaScRiPt:xss=1//",
    "data:text/html,<script>opener.xss=1</script>",
    "<form class=xss action=javascript:xss=1><button>x</button></form>",
    "<button class=xss formaction=javascript:xss=1>x</button>",
    "<input class=xss onfocus=xss=1 autofocus>",
    "<details class=xss open ontoggle=xss=1>",
    "<body class=xss onload=xss=1>",
    "<video class=xss><source onerror=xss=1></video>",
    "<audio class=xss src=x onerror=xss=1>",
    "<marquee class=xss onstart=xss=1>",
    "<meta class=xss http-equiv=refresh content='0;url=javascript:xss=1'>",
    "<base class=xss href=//127.0.0.1:1/>",
    "<link class=xss rel=stylesheet href=//127.0.0.1:1/x.css>",
    "<style class=xss>*{background:url(//127.0.0.1:1/x)}</style>",
    "<credit-balance class=xss></credit-balance>",
    "<x class=xss onclick=xss=1 style=position:fixed;inset:0>",
    "{{constructor.constructor('xss=1')()}}",
    "${xss=1}",
    "&lt;img class=xss src=x onerror=xss=1&gt;",
    "\\u003cimg class=xss src=x onerror=xss=1\\u003e",
    "\u202e<img class=xss src=x onerror=xss=1>",
    "%3Cscript%3Exss=1%3C/script%3E",
    '{"__proto__":{"innerHTML":"<img src=x onerror=xss=1>"}}',
)

# What runs in the page: everything below a root, shadow roots too, that a payload would have made.
FIND_MADE = """
() => {
  const made = [];
  const walk = (root) => {
    for (const node of root.querySelectorAll("*")) {
      const urls = ["href", "src", "action", "formaction", "data", "xlink:href", "srcdoc"];
      const bad = urls.filter((name) => /^[\\s\\u0000-\\u001f]*(javascript|data:text|vbscript)/i
        .test(node.getAttribute(name) ?? ""));
      const handlers = [...node.attributes].filter(({ name }) => name.startsWith("on"));
      if (node.classList.contains("xss") || bad.length || handlers.length)
        made.push(node.outerHTML.slice(0, 200));
      if (node.shadowRoot) walk(node.shadowRoot);
    }
  };
  walk(document);
  return { made, ran: globalThis.xss ?? null };
}
"""

# The text of the page as it is shown, that of shadow roots included.
ALL_TEXT = """
() => {
  const texts = [];
  const walk = (root) => {
    for (const node of root.childNodes) {
      if (node.nodeType === 3) texts.push(node.data);
      if (node.shadowRoot) walk(node.shadowRoot);
      if (node.value && typeof node.value === "string") texts.push(node.value);
      walk(node);
    }
  };
  walk(document.body);
  return texts.join("\\n");
}
"""
