"""Settings of a controller as a dictionary: old layouts are brought up step by step."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

Settings = dict[str, Any]


def _split_zones(old: Settings) -> Settings:
    climate = old.pop("climate", {})
    old["zones"] = [{"name": "Zone 1", **climate}]
    return old


def _fahrenheit_to_celsius(old: Settings) -> Settings:
    if old.pop("unit", "C") == "F":
        for zone in old["zones"]:
            for name in ("day", "night", "frost"):
                zone[name] = round((zone[name] - 32) / 1.8, 1)
    return old


STEPS: tuple[Callable[[Settings], Settings], ...] = (_split_zones, _fahrenheit_to_celsius)


def migrate(settings: Settings) -> Settings:
    """Return settings in the newest layout; the argument stays as it is."""
    current = deepcopy(settings)
    for number in range(current.get("layout", 1), len(STEPS) + 1):
        current = STEPS[number - 1](current)
        current["layout"] = number + 1
    return current


def hide_secrets(settings: Settings, secret: tuple[str, ...] = ("pin", "token", "password")) -> Settings:
    shown: Settings = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            shown[name] = hide_secrets(value, secret)
        else:
            shown[name] = "***" if any(word in name.lower() for word in secret) else value
    return shown


def changed_keys(old: Settings, new: Settings, prefix: str = "") -> list[str]:
    """List the dotted names of settings whose values differ, for the journal of changes."""
    names = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            names += changed_keys(before, after, f"{prefix}{key}.")
        elif before != after:
            names.append(f"{prefix}{key}")
    return names
