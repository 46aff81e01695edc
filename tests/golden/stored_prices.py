"""Domain values of prices as they are stored: what a period used, pinned terms, a run with all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.golden.stored import BARE_ACCOUNT, BARE_ENTRY, NOON
from tollkeeper.domain.account import Account
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind, Line, Resource, Run
from tollkeeper.domain.held import Hold, Terms
from tollkeeper.domain.usage import TokenPools, UsagePart

PINNED_HOLD = Hold(
    id="run_9",
    opened_at=NOON,
    expires_at=NOON + timedelta(minutes=15),
    terms=Terms(
        operation="llm",
        model="gpt-5",
        price_version="0a1b",
        feature="llm",
        feature_count=1,
        provider="openai",
        service_tier="batch",
        priced_at=NOON - timedelta(minutes=5),
    ),
)
PRICED_ACCOUNT: Account = replace(
    BARE_ACCOUNT, volumes={"llm": 1_801_000_000, "sms": 2_500_000}, holds=(PINNED_HOLD,)
)
PRICED_ENTRY: Entry = replace(
    BARE_ENTRY,
    key=EntryKey("c#msg_9"),
    kind=EntryKind.CHARGE,
    run=Run(
        operation="llm",
        model="gpt-9",
        feature="llm",
        feature_count=1,
        pools=TokenPools(input=1034, output=467, cached_audio_input=3, video_output=1),
        cost_picousd=6_987_500_001,
        lines=(
            Line("gpt-9 input", "1034", "1.25 USD/1M x 1.5", 19_388),
            Line("free allowance", "500", "0%", -9_375),
        ),
        price_version="0a1b",
        occurred_at=NOON,
        warnings=("unknown_model_quarantined",),
        provider="openai",
        service_tier="flex",
        seconds_micro=1_500_000,
        web_searches=2,
        requests=3,
        parts=(
            UsagePart(None, TokenPools(input=1034)),
            UsagePart("claude-5", TokenPools(output=467), 2),
        ),
        resource=Resource(1500, 512, 2000),
        reported_picousd=0,
        named_microcredits=5_000_000,
        priced_at=NOON + timedelta(milliseconds=812),
        plan="pro",
        volume_micro=1_501_000_000,
        volume_before_micro=300_000_000,
        stands_for="gpt-5-pro",
        pending="unknown_model",
    ),
)
