"""Texts that the tests of several pages use."""

GUIDE = """# Warranty

The warranty lasts two years. It covers the motor.

# Cleaning

Clean the filter every month with warm water.
"""
HOSTILE = "![x](https://evil.example/a.png) <img src=https://evil.example/b.png> [go](https://evil.example)"
MANUAL = "\n".join(
    f"# Chapter {name} manual\n\nThe {name} chapter explains how every {name} part is mounted, cleaned, repaired and "
    f"stored, and which tools a {name} part needs at home.\n"
    for name in ("motor", "filter", "battery", "display", "antenna", "speaker", "keyboard", "charger")
)
