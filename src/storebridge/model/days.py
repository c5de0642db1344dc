"""Days of a merchant: when one begins and ends in the workspace's time zone. Moments stay aware UTC everywhere else."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """The time zone of an IANA name (``Europe/Berlin``). UTC needs no data of the machine. Raises ValueError."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone that this machine knows") from error


def day_of(moment: datetime, zone: str) -> date:
    """The day on which a moment falls there."""
    return moment.astimezone(zone_of(zone)).date()


def bounds_of(day: date, zone: str) -> tuple[datetime, datetime]:
    """Begin (included) and end (not included) of a day, in UTC; 23 or 25 hours apart where clocks change."""
    begins, ends = (
        datetime.combine(one, time(), tzinfo=zone_of(zone)).astimezone(UTC) for one in (day, day + timedelta(days=1))
    )
    return begins, ends
