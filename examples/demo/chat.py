"""The app's one metered function, and what its backend tells the page while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from examples.demo import providers
from examples.demo.characters import Character
from tollkeeper_client import ApiError, InsufficientCreditsError, Tollkeeper, current_run
from tollkeeper_client.runs import Run

Event = dict[str, object]


@dataclass(kw_only=True)
class Message:
    """What somebody wrote to a character; `run` is what it cost, once it was answered."""

    to: Character
    text: str
    fails: bool = False
    run: Run | None = None


def model_of(_account: str, message: Message) -> str | None:
    """The model that will answer."""
    return message.to.model


def service_of(_account: str, message: Message) -> str:
    """Whose model it is, for the stats."""
    return message.to.provider


Ask = Callable[[str, Message], Iterator[providers.Piece]]


def make_ask(tollkeeper: Tollkeeper, *, pause_s: float) -> Ask:
    """The function that asks a model. The decorator is all that its author adds for credits."""

    @tollkeeper.metered("chat_message", model=model_of, service=service_of, feature="chat")
    def ask(account: str, message: Message) -> Iterator[providers.Piece]:
        message.run = current_run()
        message.run.metadata["character"] = message.to.name
        if message.fails:
            raise providers.ProviderError("The provider is overloaded.")
        for piece in providers.stream(message.to, message.text):
            time.sleep(pause_s)
            yield piece

    return ask


def answer(tollkeeper: Tollkeeper, ask: Ask, account: str, message: Message) -> Iterator[Event]:
    """Events for the page: pieces of `text`, then one that is `done` or an `error`.

    Raises: InsufficientCreditsError before the first one, where the account cannot pay.
    """
    if message.to.model is None:
        yield {"text": message.to.reply_to(message.text)}
        yield {"done": True, "charged": 0}
        return
    try:
        for piece in ask(account, message):
            if words := providers.text_of(piece):
                yield {"text": words}
    except InsufficientCreditsError:
        raise
    except (providers.ProviderError, ApiError) as error:
        # Nothing was answered, so nothing is charged: what was set aside is back by now.
        now = tollkeeper.account(account)
        yield {"error": str(error), "available": now.available, "seq": now.raw.get("seq")}
        return
    settled = None if message.run is None else message.run.settlement
    if settled is None:
        # The charge waits in the client's journal; the balance follows when it is delivered.
        yield {"done": True, "charged": None}
        return
    told = {"charged": settled.charged, "available": settled.available, "seq": settled.seq}
    yield {"done": True, **told}
