"""A small dataset whose answers are known, and the parts to run it with."""

from __future__ import annotations

from pathlib import Path

from rag.evaluation.data.corpus import Record
from rag.evaluation.data.datasets import Dataset, assemble
from rag.settings import Settings, load_settings

TOPICS = (
    "battery charging", "screen brightness", "wireless network", "sound volume", "remote control", "picture mode",
    "software update", "parental lock", "channel list", "power saving", "voice assistant", "game console",
)  # fmt: skip


def topics(name: str = "topics") -> Dataset:
    """One document and two questions for each topic; each question has words of its own document only."""
    documents = {
        f"d{place:02}": Record(f"d{place:02}", topic.title(), f"This part explains {topic}. Use the menu for {topic}.")
        for place, topic in enumerate(TOPICS)
    }
    questions = {}
    rows = {}
    for place, topic in enumerate(TOPICS):
        first, second = topic.split()
        questions[f"a{place:02}"], questions[f"b{place:02}"] = f"how does {topic} work", f"{second} and {first}?"
        rows[f"a{place:02}", f"d{place:02}"] = 1
        rows[f"b{place:02}", f"d{place:02}"] = 2
    return assemble(name, documents, questions, rows)


def settings_in(folder: Path) -> Settings:
    """Settings whose data folder is `folder`."""
    return load_settings(data_dir=folder)
