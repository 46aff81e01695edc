"""Credits as integers of micro-credits, and the only two roundings there are."""

from __future__ import annotations

from decimal import Decimal

from tollkeeper.domain.errors import InvalidError

MICRO = 1_000_000
LARGEST_MICROCREDITS = 10**15
PICO_PER_USD = 10**12
LONGEST_AMOUNT = 40


def parse_micro(value: object, member: str, *, allow_zero: bool = False) -> int:
    """The amount as an exact integer of millionths; anything inexact or out of range is refused.

    Shape: an int, a Decimal, or a string of digits with at most six decimals.
    Raises: InvalidError naming the member.
    Units: millionths of whatever the member counts (credits, minutes, documents).
    """
    micro = _scale(_parse_decimal(value, member), member)
    if micro < 0 or (micro == 0 and not allow_zero):
        raise InvalidError(member, "must be greater than 0")
    if micro > LARGEST_MICROCREDITS:
        raise InvalidError(member, "must not be greater than 1000000000")
    return micro


def _parse_decimal(value: object, member: str) -> Decimal:
    """A finite Decimal of bounded length, so that no later step can be slow or inexact."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise InvalidError(member, "must be a number or a string of digits")
    if isinstance(value, str) and (len(value) > 32 or not _is_plain_number(value)):
        raise InvalidError(member, "must be a plain decimal number such as 12 or 0.5")
    amount = Decimal(value)
    if not amount.is_finite():
        raise InvalidError(member, "must be a finite number")
    if amount.adjusted() > 12:
        raise InvalidError(member, "must not be greater than 1000000000")
    if len(amount.as_tuple().digits) > LONGEST_AMOUNT:
        raise InvalidError(member, "has more digits than any amount")
    return amount


def _scale(amount: Decimal, member: str) -> int:
    """The amount in exact millionths.

    Why: a Decimal's own arithmetic rounds at 28 digits, which would hide a seventh decimal.
    """
    sign, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int), "the amount is finite"
    micro, rest = int("".join(map(str, digits))), 0
    places = exponent + 6
    if places >= 0:
        micro *= 10**places
    else:
        micro, rest = divmod(micro, 10 ** min(-places, LONGEST_AMOUNT + 1))
    if rest:
        raise InvalidError(member, "has more than six decimals")
    return -micro if sign else micro


def _is_plain_number(text: str) -> bool:
    whole, _, decimals = text.removeprefix("-").partition(".")
    digits = whole + decimals
    return bool(whole) and digits.isascii() and digits.isdigit() and not text.endswith(".")


def show_micro(micro: int) -> str:
    """The amount as a decimal with at most six places and no trailing zeros: `1.5`, `-3`, `0`."""
    return show_scaled(micro, 6)


def show_usd(picousd: int) -> str:
    """The dollars as an exact decimal string with no trailing zeros."""
    return show_scaled(picousd, 12)


def show_scaled(amount: int, places: int) -> str:
    """The amount over 10^places as an exact decimal with no trailing zeros."""
    sign = "-" if amount < 0 else ""
    whole, part = divmod(abs(amount), 10**places)
    decimals = f"{part:0{places}d}".rstrip("0") if places else ""
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def ceil_div(numerator: int, denominator: int) -> int:
    """The quotient rounded up: the one rounding of a charge.

    Why: a charge is never less than what was used, by at most one micro-credit.
    """
    return -(-numerator // denominator)


def floor_div(numerator: int, denominator: int) -> int:
    """The quotient rounded down, for what is shown as affordable or as a percentage."""
    return numerator // denominator


_ZERO_DECIMALS = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
ZERO_DECIMAL_CURRENCIES = frozenset(_ZERO_DECIMALS.split())
THREE_DECIMAL_CURRENCIES = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])


def minor_digits(currency: str) -> int:
    """How many decimals the currency's smallest unit has.

    Source: Stripe's lists of zero-decimal and three-decimal currencies.
    """
    if currency in ZERO_DECIMAL_CURRENCIES:
        return 0
    return 3 if currency in THREE_DECIMAL_CURRENCIES else 2


def show_price(price_minor: int, currency: str) -> str:
    """The price in the currency's main unit with all its decimals: `10.00`, `1500`."""
    digits = minor_digits(currency)
    if digits == 0:
        return str(price_minor)
    whole, part = divmod(price_minor, 10**digits)
    return f"{whole}.{part:0{digits}d}"
