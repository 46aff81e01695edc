"""What time does: it waits at boundaries, jumps, goes back a little, and lets the sweep run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from .calling import ACCOUNT, NTH
from .customers import Customer, end_of_day, end_of_month
from .operating import LASTING
from .pricelist import PriceList
from .teller import Teller, is_of_time
from .versions import TEXTS

STARTS = [
    datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
    datetime(2028, 2, 28, 22, 59, 59, 999_000, tzinfo=UTC),
    datetime(2027, 12, 31, 22, 30, tzinfo=UTC),
    datetime(2026, 3, 28, 22, 0, tzinfo=UTC),
]
YEARS = (2026, 2034)
# Nobody comes for months, or for years; or another machine's clock is behind.
LONG = st.one_of(
    st.sampled_from([100, 100, 240, 400, 1300]).map(lambda n: timedelta(days=n)),
    st.integers(-280, -1).map(lambda n: timedelta(seconds=n)),
)
OFFSETS = st.sampled_from([-1, 0, 1])


@lru_cache(maxsize=100)
def clock_changes(zone: str) -> list[int]:
    """The moments at which a wall clock of the zone is put forward or back."""
    place, found = ZoneInfo(zone), list[int]()
    step = timedelta(hours=1)
    at = datetime(YEARS[0], 1, 1, tzinfo=UTC)
    while at.year < YEARS[1]:
        if at.astimezone(place).utcoffset() != (at + step).astimezone(place).utcoffset():
            found.append(int((at + step).timestamp()) * 1000)
        at += step
    return found


def boundaries(customer: Customer, now: int) -> list[int]:
    """When something will happen to the account by itself."""
    state = customer.state(now)
    found = {state.end, end_of_day(state), end_of_month(state)}
    found |= {held.expires for held in state.open_holds()}
    for bucket in state.open_buckets():
        found.add(bucket.expires or 0)
        found.add(bucket.effective)
    return sorted(at for at in found if at > now)


class Passing(Teller):
    """The rules of time."""

    @initialize(start=st.sampled_from(STARTS), page=st.sampled_from([None, None, 1, 3]))
    def begin(self, start: datetime, page: int | None) -> None:
        """It is some day, and the table's pages are of some size."""
        self.stack.clock.moment = start
        self.stack.weather.page = page

    @rule(span=st.one_of(LASTING, LASTING, LASTING, LONG))
    @precondition(lambda self: self.stack.clock.moment.year < YEARS[1] - 4)
    def wait(self, span: timedelta) -> None:
        """Time goes on, or a clock is behind that of the machine before."""
        self.stack.clock.moment = max(self.stack.clock.moment + span, STARTS[3])

    @rule(account=ACCOUNT, nth=NTH, off=OFFSETS)
    def wait_for_a_boundary(self, account: str, nth: int, off: int) -> None:
        """It is the moment of something, or a millisecond before or after."""
        found = boundaries(self.customers[account], self.now())
        self._go_to(found[nth % len(found)] + off)

    @rule(account=ACCOUNT, off=OFFSETS, hours=st.sampled_from([0, 0, -1, 1]))
    def wait_for_the_clocks_to_change(self, account: str, off: int, hours: int) -> None:
        """The night in which clocks are put forward or back."""
        zone = self.customers[account].state(self.now()).zone
        found = [at for at in clock_changes(zone) if at > self.now()]
        if found:
            self._go_to(found[0] + off + hours * 3_600_000)

    def _go_to(self, at: int) -> None:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
        self.stack.clock.moment = max(self.stack.clock.moment, moment)

    @rule()
    def sweep(self) -> None:
        """I22: the schedule touches the accounts to which something happened.

        At the same time the table forgets the events of three months ago.
        """
        now = self.now()
        due = {c.id for c in self.customers.values() if (c.next_due() or now + 1) <= now}
        swept = self.stack.sweep()
        written = {key for each in self.stack.written for key, _, _ in each.commit.puts}
        looked = {pk.removeprefix("A#") for pk, _ in written}
        assert swept == {"rolled": len(looked), "busy": 0, "broken": 0, "is_finished": True}
        assert due <= looked <= self.customers.keys(), "I20"
        early = [sk for pk, sk in written if pk.removeprefix("A#") not in due]
        assert set(early) <= {"A"}, "it may look early, and writes no row then"
        assert all(is_of_time(sk) for _, sk in written), "I17"
        for name in sorted(looked):
            customer = self.customers[name]
            customer.happen(max(now, customer.touched), "touch")
            self.moved.add(name)
            self.spoken.add(name)

        assert self.stack.drop_old_events() == self.sales.drop_old(now)

    @rule(is_dearer=st.booleans(), nth=NTH)
    def deploy(self, is_dearer: bool, nth: int) -> None:
        """New environments, which know nothing, with a price version; nothing past changes."""
        if nth % 3 == 2:
            self.deploy_version(is_dearer=is_dearer)

    def deploy_version(self, *, is_dearer: bool) -> None:
        """Every function finds that catalog, and everybody is priced by it."""
        self.text = TEXTS[is_dearer]
        self.prices = PriceList(self.text)
        self.stack.deploy(self.text)
        for customer in self.customers.values():
            customer.prices = self.prices
