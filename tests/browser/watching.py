"""What a page must not do unnoticed: errors, refused content, requests that fail."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Page, Request, Response

# A violation is told by an event; the page reports it in the words that `Watch` looks for.
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`csp violation: ${event.violatedDirective} ${event.blockedURI} ` +
    `${event.sourceFile ?? ""}:${event.lineNumber} ${event.sample ?? ""}`);
});
"""

# A response has a line of its own; a socket that a navigation cut off did not fail.
_IS_TOLD_ELSEWHERE = re.compile(
    "Failed to load resource|WebSocket is closed before the connection is established"
)


@dataclass(kw_only=True)
class Watch:
    """Collects what went wrong on the pages of a test, one line each.

    Shape of a line: `response 404 GET http://...`, `failed GET http://... net::...`,
    `console error: ...`, `console warning: ...`, `page error: ...`. A 402 is an ordinary answer.
    """

    lines: list[str] = field(default_factory=list[str])
    requests: list[str] = field(default_factory=list[str])
    _allowed: list[re.Pattern[str]] = field(default_factory=list[re.Pattern[str]])

    def allow(self, pattern: str) -> None:
        """Lines that the pattern finds are expected in this test."""
        self._allowed.append(re.compile(pattern))

    def follow(self, page: Page) -> None:
        """What happens on the page is noted from now on."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.lines.append(f"page error: {error}"))
        page.on("requestfailed", self._on_failed)
        page.on("response", self._on_response)
        page.on("request", lambda request: self.requests.append(f"{request.method} {request.url}"))

    def unexpected(self) -> list[str]:
        """The lines that nobody allowed."""
        return [line for line in self.lines if not any(each.search(line) for each in self._allowed)]

    def count(self, pattern: str) -> int:
        """How many requests were made of which `METHOD url` has the pattern."""
        return len([line for line in self.requests if re.search(pattern, line)])

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _IS_TOLD_ELSEWHERE.search(message.text):
            self.lines.append(f"console {message.type}: {message.text}")

    def _on_failed(self, request: Request) -> None:
        # A request that a navigation or an element's removal cut off did not fail.
        if request.failure != "net::ERR_ABORTED":
            self.lines.append(f"failed {request.method} {request.url} {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and response.status != 402:
            request = response.request
            self.lines.append(f"response {response.status} {request.method} {request.url}")
