"""A small dataset whose answers are known, and the parts to run it with."""

from __future__ import annotations

from pathlib import Path

from rag.evaluation.data.datasets import Dataset, assemble
from rag.evaluation.run.context import EvaluationContext
from rag.evaluation.run.results import EvaluationResult
from rag.evaluation.run.runs import evaluate_systems
from rag.evaluation.run.systems import STANDARD
from rag.recipes import RecipeInForce, resolve
from rag.settings import Settings, load_settings
from rag.tasks import TaskSpec, get_task
from rag.tasks.corpus import Record
from rag.tasks.profiles import load_profile
from rag.types import Embedder

FAST = 199
"""Resamples of tests."""

TOPICS = (
    "battery charging", "screen brightness", "wireless network", "sound volume", "remote control", "picture mode",
    "software update", "parental lock", "channel list", "power saving", "voice assistant", "game console",
)  # fmt: skip


def topics(name: str = "topics") -> Dataset:
    """One document and two questions for each topic; each question has words of its own document only."""
    documents = {
        f"d{number:02}": Record(
            f"d{number:02}", topic.title(), f"This part explains {topic}. Use the menu for {topic}."
        )
        for number, topic in enumerate(TOPICS)
    }
    questions = {}
    rows = {}
    for number, topic in enumerate(TOPICS):
        first, second = topic.split()
        questions[f"a{number:02}"], questions[f"b{number:02}"] = f"how does {topic} work", f"{second} and {first}?"
        rows[f"a{number:02}", f"d{number:02}"] = 1
        rows[f"b{number:02}", f"d{number:02}"] = 2
    return assemble(name, documents, questions, rows)


def settings_in(folder: Path) -> Settings:
    """Settings whose data folder is `folder`."""
    return load_settings(data_dir=folder, second_model="")


def in_force(settings: Settings, task: str | TaskSpec) -> RecipeInForce:
    """A task's recipe: by name with its profile, as an app resolves it; a spec as it is."""
    if isinstance(task, str):
        return resolve(settings, get_task(task), load_profile(settings.data_dir, task))
    return resolve(settings, task)


def evaluated(
    dataset: Dataset, settings: Settings, embedder: Embedder, *systems: str, task: str | TaskSpec = "qa"
) -> EvaluationResult:
    """Evaluate quickly, all systems unless some are named."""
    context = EvaluationContext(settings, embedder, resamples=FAST)
    return evaluate_systems(context, dataset, in_force(settings, task), systems or STANDARD)
