"""docs/openapi.json is written anew.

python -m local.openapi
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from local.openapi.document import build_document

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "openapi.json"


def write_document() -> str:
    """The document's text."""
    return json.dumps(build_document(), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """The document is written."""
    DOCUMENT.write_text(write_document(), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT.relative_to(ROOT)} is written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
