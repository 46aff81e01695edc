"""How long Hypothesis looks: the same search every time, or a long one on demand.

`pytest tests/property --hypothesis-profile=long` looks for other cases on every run;
`--hypothesis-profile=short` is for while one writes: what it finds is not made small.
"""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "steady",
    derandomize=True,
    max_examples=300,
    stateful_step_count=30,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "long",
    settings.get_profile("steady"),
    derandomize=False,
    max_examples=3000,
    stateful_step_count=50,
)
settings.register_profile(
    "short",
    settings.get_profile("steady"),
    derandomize=False,
    max_examples=60,
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
)
if settings.get_current_profile_name() not in ("long", "short"):
    settings.load_profile("steady")
