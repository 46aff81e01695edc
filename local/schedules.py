"""The template's schedules run in the background, at the times that their expressions say."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from local.environments import BusyError, FunctionError
from local.events import schedule_event
from local.template import Schedule

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SEARCH_DAYS = 8 * 366

Invoke = Callable[[str, Mapping[str, object]], object]


class ScheduleError(Exception):
    """A schedule expression that cannot be followed on one machine."""


def next_run_at(expression: str, *, after: datetime) -> datetime:
    """The next moment of a `rate(...)` or `cron(...)` expression, in UTC.

    Raises: ScheduleError for any other expression, or a cron that never comes again.
    """
    rate = _RATE.fullmatch(expression)
    if rate:
        seconds = int(rate[1]) * _UNIT_SECONDS[rate[2]]
        if not seconds:
            raise ScheduleError(f"{expression}: a rate above zero is needed")
        return after + timedelta(seconds=seconds)
    cron = _CRON.fullmatch(expression)
    if not cron:
        raise ScheduleError(f"{expression}: only rate(...) and cron(...) run on one machine")
    return _next_cron(expression, cron.groups(), after=after.astimezone(UTC))


def _next_cron(expression: str, fields: tuple[str | None, ...], *, after: datetime) -> datetime:
    texts = [text or "" for text in fields]
    minutes = _members(texts[0], low=0, high=59)
    hours = _members(texts[1], low=0, high=23)
    days = _members(texts[2], low=1, high=31)
    months = _members(texts[3], low=1, high=12, names=_MONTHS)
    weekdays = _members(texts[4], low=1, high=7, names=_WEEKDAYS)
    years = _members(texts[5], low=1970, high=2199)
    start = (after + timedelta(minutes=1)).replace(second=0, microsecond=0)
    for offset in range(_SEARCH_DAYS):
        day = start + timedelta(days=offset)
        if offset:
            day = day.replace(hour=0, minute=0)
        weekday = day.isoweekday() % 7 + 1
        if day.year not in years or day.month not in months:
            continue
        if day.day not in days or weekday not in weekdays:
            continue
        for hour in sorted(hours):
            for minute in sorted(minutes):
                moment = day.replace(hour=hour, minute=minute)
                if moment >= day:
                    return moment
    raise ScheduleError(f"{expression}: this moment does not come again")


def _members(text: str, *, low: int, high: int, names: tuple[str, ...] = ()) -> set[int]:
    """The numbers that one field of a cron expression allows."""
    allowed: set[int] = set()
    for part in text.split(","):
        span, _, step_text = part.partition("/")
        first_text, dash, last_text = span.partition("-")
        if span in ("*", "?"):
            first, last = low, high
        else:
            first = _number(first_text, low=low, names=names)
            last = _number(last_text, low=low, names=names) if dash else first
            last = high if step_text and not dash else last
        step = _number(step_text, low=0, names=()) if step_text else 1
        if not (low <= first <= last <= high) or step < 1:
            raise ScheduleError(f"{text!r} is no field of a cron expression")
        allowed |= set(range(first, last + 1, step))
    return allowed


def _number(text: str, *, low: int, names: tuple[str, ...]) -> int:
    if text.upper() in names:
        return names.index(text.upper()) + low
    if not text.isdecimal():
        raise ScheduleError(f"{text!r} is no number of a cron expression")
    return int(text)


class Schedules:
    """One background thread per schedule, until `stop` is called."""

    def __init__(
        self,
        schedules: Iterable[Schedule],
        *,
        invoke: Invoke,
        log: Callable[[str], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._schedules = tuple(schedules)
        self._invoke = invoke
        self._log = log
        self._clock = clock
        self._stopping = threading.Event()
        for schedule in self._schedules:
            next_run_at(schedule.expression, after=clock())

    def start(self) -> None:
        """Each schedule runs from now on; one whose last run still goes on waits for it."""
        for schedule in self._schedules:
            name = f"schedule-{schedule.name}"
            threading.Thread(target=self._run, args=(schedule,), name=name, daemon=True).start()

    def stop(self) -> None:
        """No further run begins."""
        self._stopping.set()

    def run_now(self, function: str, event: Mapping[str, object] | None = None) -> object:
        """The answer of a scheduled function to its schedule's event, or to the event given.

        Raises: KeyError where no schedule runs the function; what invoking it raises.
        """
        for schedule in self._schedules:
            if schedule.function == function:
                return self._invoke(function, self._event(schedule) if event is None else event)
        raise KeyError(function)

    def _event(self, schedule: Schedule) -> Mapping[str, object]:
        if schedule.event is None:
            return schedule_event(name=schedule.name, at=self._clock())
        return schedule.event

    def _run(self, schedule: Schedule) -> None:
        while True:
            now = self._clock()
            pause_s = (next_run_at(schedule.expression, after=now) - now).total_seconds()
            if self._stopping.wait(pause_s):
                return
            try:
                self._invoke(schedule.function, self._event(schedule))
            except (FunctionError, BusyError) as error:
                self._log(f"schedule {schedule.name} failed: {error}")
            else:
                self._log(f"schedule {schedule.name} ran {schedule.function}")
