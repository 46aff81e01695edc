"""Whatever is asked of the handlers, whenever, the answers and the ledger are the model's."""

from __future__ import annotations

from .calling import Calling
from .holding import Holding
from .limiting import Limiting
from .operating import Operating
from .paying import Paying
from .pricing import Pricing
from .reading import Reading


class HandlersMachine(Calling, Holding, Limiting, Operating, Paying, Pricing, Reading):
    """Everybody at once."""


TestHandlers = HandlersMachine.TestCase
