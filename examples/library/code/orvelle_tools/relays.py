"""Relays: what a weekly schedule wants, and how often a contact may move."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta

Slot = tuple[int, time, time]
"""Weekday from 0 for Monday, start, end; a slot whose end is before its start runs past midnight."""


def is_on(slots: Iterable[Slot], now: datetime) -> bool:
    today, yesterday, clock = now.weekday(), (now.weekday() - 1) % 7, now.time()
    for day, start, end in slots:
        if start < end:
            if day == today and start <= clock < end:
                return True
        elif (day == today and clock >= start) or (day == yesterday and clock < end):
            return True
    return False


def merge_slots(slots: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join slots of one day, in minutes, that overlap or touch."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(slots):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def may_switch(last_change: datetime, now: datetime, urgent: bool = False) -> bool:
    return urgent or now - last_change >= timedelta(seconds=20)


def motor_command(target: float, position: float, dead_band: float = 3.0) -> tuple[bool, bool]:
    """Return what the opening and the closing relay of a vent do; never both."""
    if abs(target - position) < dead_band:
        return False, False
    return target > position, target < position
