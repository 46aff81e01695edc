"""docs/openapi.json is written anew, and clients/web/modules/api.d.ts with it.

python -m local.openapi
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from local.openapi.document import build_document
from local.openapi.typescript import TYPES, write_types

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "openapi.json"


def write_document() -> str:
    """The document's text."""
    return json.dumps(build_document(), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """The document and the types are written."""
    TYPES.write_text(write_types(build_document()), encoding="utf-8")
    DOCUMENT.write_text(write_document(), encoding="utf-8")
    for path in (DOCUMENT, TYPES):
        sys.stdout.write(f"{path.relative_to(ROOT)} is written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
