"""Who one can talk to in the demo, and what they say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Character:
    """Somebody to talk to; `provider` speaks the dialect of the model's own provider.

    Shape: a character whose `operation` is local runs on the reader's machine and costs nothing.
    """

    id: str
    name: str
    about: str
    provider: str
    model: str | None
    replies: tuple[str, ...]
    operation: str = "chat_message"

    def reply_to(self, text: str) -> str:
        """The same text gets the same reply."""
        return self.replies[sum(map(ord, text)) % len(self.replies)]


CHARACTERS = (
    Character(
        id="ada",
        name="Ada",
        about="A mathematician. Thinks long, costs the most.",
        provider="openai",
        model="gpt-4",
        replies=(
            "Let us begin with what we know. A sum that is done in another order has the same "
            "result, and yet the order decides how much paper you need. So I would first sort the "
            "steps by what they share, then do each shared step once, and write its result down "
            "where every other step can find it. What is left is usually short enough to do by "
            "hand. Where it is not, we have at least learned which part deserves an engine.",
            "Imagine a weaver's card with holes: it does not know what a flower is, and the loom "
            "makes flowers from it all the same. Your question is like that card. If we state it "
            "so plainly that nothing needs to be understood, then a machine can work on it, and "
            "you and I are free to look at what comes out. Shall we write down the first three "
            "cards together and see which holes they need?",
            "I have tried it with small numbers, which costs little and teaches much. With one it "
            "is trivial, with two it is dull, and with three something new appears: a pair that "
            "belongs to nobody. That pair is the whole difficulty. Once you decide who owns it, "
            "every larger case follows by itself. I should be glad to show you four and five, but "
            "you will find that you can already do them alone.",
        ),
    ),
    Character(
        id="basil",
        name="Basil",
        about="A cook. Practical, and one eighth of the price.",
        provider="anthropic",
        model="claude-sonnet-4-5",
        replies=(
            "Salt the water until it tastes of the sea, and start with cold oil: garlic that warms "
            "up slowly gives its taste and does not turn bitter. Keep a cup of the water in which "
            "the pasta cooked. It is what binds oil and cheese into a sauce, and nobody who has "
            "used it once goes back to cream. Ten minutes, one pan, one pot.",
            "Buy fewer things and better ones. For tonight: two leeks, a piece of butter, white "
            "beans and the end of a loaf. Cut the leeks thick, leave them in the butter until they "
            "colour, then add the beans and a spoon of vinegar. The bread goes under it. If you "
            "have a lemon, its skin goes over it, and then it is a dish for guests.",
        ),
    ),
    Character(
        id="iris",
        name="Iris",
        about="A guide for travellers. Quick and cheap.",
        provider="google",
        model="gemini-2.5-flash",
        replies=(
            "Take the slow train along the coast and sit on the left. Get off where the others "
            "stay seated: there is a path from the station to the water, twenty minutes through "
            "gardens, and at its end a bench that belongs to nobody before noon.",
            "Three days are enough if you stay in one quarter. Walk it in the morning, sleep at "
            "midday, and walk it again at night: it will be two cities. Leave the museum for rain.",
        ),
    ),
    Character(
        id="notebook",
        name="Notebook",
        about="Runs on your own machine. Always 0 credits.",
        provider="local",
        model=None,
        operation="notebook",
        replies=("Noted. It stays on this machine.",),
    ),
)

BY_ID = {each.id: each for each in CHARACTERS}
