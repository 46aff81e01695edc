"""Deliveries that Stripe did not sign just now, or that pay something else: none brings credits."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from simulation.hostile.attacks import Attack, Maker
from simulation.hostile.corpus import stripe_objects
from simulation.hostile.mutations import open_up, spoil_bytes, spoil_value, write
from simulation.hostile.payments import fresh
from simulation.hostile.target import SECRET, Target
from tests.support.payments import COMPLETED, EXPIRED, FAILED, SUCCEEDED, WEBHOOK
from tollkeeper.edge.stripe_signature import TOLERANCE_S, sign

TYPES = (COMPLETED, SUCCEEDED, FAILED, EXPIRED)


@dataclass(frozen=True, slots=True)
class Signed:
    """What a forger starts from: a body that would be taken, and its right header."""

    raw: bytes
    header: str


def _event(random: Random, target: Target) -> bytes:
    """An event that would move credits if it were signed, or one of Stripe's recorded ones."""
    recorded, chance = stripe_objects(), random.random()
    if recorded and chance < 0.2:
        value: Any = random.choice(recorded) | {"id": f"evt_{random.randrange(10**12)}"}
    elif chance < 0.7:
        value = fresh(random, target)
    else:
        value = target.stripe.report(
            target.purchase, random.choice(TYPES), at=target.driver.clock.now()
        )
    return json.dumps(value).encode()


def _digest(time: str, raw: bytes, secret: str = SECRET, how: Any = hashlib.sha256) -> str:
    return hmac.new(secret.encode(), time.encode() + b"." + raw, how).hexdigest()


def forged(random: Random, target: Target) -> Attack:
    """A delivery that looks like Stripe's and is not."""
    raw = _event(random, target)
    now = target.driver.clock.now()
    signed = Signed(raw, sign(raw, secret=SECRET, at=now))
    time = str(int(now.timestamp()))
    makers = (_other_secret, _other_body, _other_time, _other_scheme, _spoilt_header, _odd_header)
    maker = random.choice(makers)
    body, header = maker(random, signed, time)
    if body == raw and header == signed.header:
        header = ""
    event = target.driver.event(WEBHOOK, headers={"stripe-signature": header})
    event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    kind = maker.__name__.removeprefix("_").replace("_", " ")
    return Attack(kind, WEBHOOK, event, must_refuse=True)


def spoilt_event(random: Random, target: Target) -> Attack:
    """A delivery that is rightly signed, of an event with members changed, lost or buried.

    Why: Stripe signs no such thing, but its next version is one. Whatever is in it, the ledger
    explains every credit afterwards, and nothing is answered 500.
    """
    recorded = stripe_objects()
    if recorded and random.random() < 0.2:
        value: Any = copy.deepcopy(random.choice(recorded))
        value["id"] = f"evt_{random.getrandbits(80):020x}"
    else:
        value = fresh(random, target)
    times = random.choice((1, 1, 1, 2, 3))
    raw = write(spoil_value(random, open_up(value), times=times)).encode("utf-8", "surrogatepass")
    now = target.driver.clock.now()
    header = sign(raw, secret=SECRET, at=now)
    event = target.driver.event(WEBHOOK, headers={"stripe-signature": header})
    event |= {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}
    return Attack("spoilt and rightly signed", WEBHOOK, event, may_be_busy=True)


def not_our_money(random: Random, target: Target) -> Attack:
    """A delivery that Stripe signed, about money that this purchase did not ask for."""
    changes: dict[str, Any] = random.choice(
        (
            {"livemode": True},
            {"amount_subtotal": random.choice((0, 1, 4999, 5001, 10**12, None))},
            {"currency": random.choice(("eur", "USD", "jpy", "", None))},
            {"id": f"cs_live_{random.randrange(10**9)}"},
            {"metadata": {"purchase_id": "pur_x"}, "client_reference_id": None},
        )
    )
    now = target.driver.clock.now()
    event = target.stripe.report(target.purchase, at=now, **changes)
    raw = json.dumps(event)
    headers = {"stripe-signature": sign(raw.encode(), secret=SECRET, at=now)}
    request = target.driver.event(WEBHOOK, raw=raw, headers=headers)
    return Attack("not our money", WEBHOOK, request, must_not_grant=True)


def _other_secret(random: Random, signed: Signed, time: str) -> tuple[bytes, str]:
    """Signed with a secret that is not the endpoint's."""
    secrets = ("", "whsec_", SECRET[:-1], SECRET + " ", SECRET.upper(), f"x{random.random()}")
    return signed.raw, f"t={time},v1={_digest(time, signed.raw, random.choice(secrets))}"


def _other_body(random: Random, signed: Signed, _: str) -> tuple[bytes, str]:
    """The right signature of another body."""
    raw = signed.raw
    changed = random.choice(
        (
            raw + b" ",
            b" " + raw,
            raw.replace(b"pur_", b"pur_0", 1),
            raw.replace(b"false", b"true", 1),
            raw.replace(b'"amount_subtotal": 5000', b'"amount_subtotal": 1', 1),
            raw.replace(b"evt_", b"evt_x", 1),
            spoil_bytes(random, raw, raw),
            b"",
            b"{}",
        )
    )
    return (changed if changed != raw else raw + b"\n"), signed.header


def _other_time(random: Random, signed: Signed, time: str) -> tuple[bytes, str]:
    """Rightly signed, but long ago, in the future, or with the time changed afterwards."""
    far = timedelta(seconds=random.choice((1, -1)) * (TOLERANCE_S + random.randint(1, 10**8)))
    then = str(max(0, int(time) + int(far.total_seconds())))
    choice = random.randrange(4)
    if choice == 0:
        return signed.raw, f"t={then},v1={_digest(then, signed.raw)}"
    if choice == 1:
        return signed.raw, f"t={then},v1={_digest(time, signed.raw)}"
    if choice == 2:
        return signed.raw, f"t={time},v1={_digest(then, signed.raw)}"
    odd = random.choice((f"0{time}", f"+{time}", f" {time}", f"{time}.0", f"-{time}", time + "0"))
    if odd.strip().isdecimal() and int(odd) == int(time):
        odd = f"-{time}"
    return signed.raw, f"t={odd},v1={_digest(odd, signed.raw)}"


def _other_scheme(random: Random, signed: Signed, time: str) -> tuple[bytes, str]:
    """The right digest under a name that does not count, or by another way to make one."""
    right = _digest(time, signed.raw)
    headers = (
        f"t={time},v0={right}",
        f"t={time},v2={right}",
        f"t={time},V1={right}",
        f"t={time},v1={right.upper()}",
        f"t={time},v1={right[:32]}",
        f"t={time},v1={right}00",
        f"t={time},v1={_digest(time, signed.raw, how=hashlib.sha1)}",
        f"t={time},v1={_digest(time, signed.raw, how=hashlib.sha512)}",
        f"t={time},v1={hashlib.sha256(signed.raw).hexdigest()}",
        f"t={time},v1={base64.b64encode(bytes.fromhex(right)).decode()}",
        f"t={time},v1={hmac.new(SECRET.encode(), signed.raw, hashlib.sha256).hexdigest()}",
        f"v1={right}",
        f"t={time}",
        right,
    )
    return signed.raw, random.choice(headers)


def _spoilt_header(random: Random, signed: Signed, _: str) -> tuple[bytes, str]:
    """The right header with its digest's digits changed."""
    at = len(signed.header) - 1 - random.randrange(64)
    digit = random.choice([d for d in "0123456789abcdef" if d != signed.header[at]])
    return signed.raw, signed.header[:at] + digit + signed.header[at + 1 :]


def _odd_header(random: Random, signed: Signed, time: str) -> tuple[bytes, str]:
    """Many wrong signatures, two times, or no header that can be read."""
    wrong = [f"v1={random.getrandbits(256):064x}" for _ in range(random.randint(1, 30))]
    headers = (
        f"t={time}," + ",".join(wrong),
        f"{signed.header},t={int(time) + 1}",
        f"{signed.header},\u00e9",
        f"{signed.header}," + "v1=" + "0" * 5000,
        signed.header.replace(",", ";"),
        signed.header.replace("=", ":"),
        "",
        "t=,v1=",
        "null",
        f"t={time},v1=",
        f"t={time},v1=null",
        f"t={time},v1=\x00",
        f"t=NaN,v1={wrong[0][3:]}",
    )
    return signed.raw, random.choice(headers)


DELIVERIES: tuple[tuple[int, Maker], ...] = ((68, forged), (30, spoilt_event), (2, not_our_money))
