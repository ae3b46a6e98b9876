"""Choices made for a task by measurement, kept in the data folder, and put in place of the shipped ones."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from rag.disk import disk_errors
from rag.errors import SettingsError
from rag.files import write_atomically
from rag.tasks.spec import PromptMode, Signal, TaskSpec

FOLDER = "profiles"


@dataclass(frozen=True, slots=True)
class Profile:
    """Choices for one task, as `python -m rag tune` writes them.

    Attributes:
        task: Name of the task.
        symmetry: Prompt mode, as `PromptMode` spells it.
        dense_weight: Share of the dense score in hybrid search, in [0, 1].
        chunk_tokens: Longest chunk in tokens.
        model: Model that it was measured with.
        dataset: Name of the data it was measured on.
        gain: Mean nDCG@10 gained over the shipped choice on questions that had no part in choosing.
        created: Time in ISO 8601, UTC.
        second_share: Share of the second model in the dense score, in [0, 1]; None for the shipped one.
    """

    task: str
    symmetry: str
    dense_weight: float
    chunk_tokens: int
    model: str = ""
    dataset: str = ""
    gain: float = 0.0
    created: str = ""
    second_share: float | None = None

    def describe(self) -> str:
        """Describe the choice and what it was worth, in words."""
        second = f", {self.second_share:g} of it by the second model" if self.second_share else ""
        choice = f"prompts {self.symmetry}, {self.dense_weight:g} dense{second}, chunks of {self.chunk_tokens} tokens"
        worth = f"{self.gain:+.3f} nDCG@10 on {self.dataset}" if self.dataset else "not measured"
        return f"{choice} ({worth}{', ' + self.created[:10] if self.created else ''})"


def profile_path(data_dir: Path, task: str) -> Path:
    """Where the profile of a task is kept."""
    return data_dir / FOLDER / f"{task}.json"


def load_profile(data_dir: Path, task: str) -> Profile | None:
    """Read the profile of a task; None when nothing was tuned.

    Raises:
        SettingsError: The file is damaged or says something impossible; what was found and what to do.
    """
    path = profile_path(data_dir, task)
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as exc:
        raise SettingsError(f"{path} cannot be read ({exc}). Remove it, or run `python -m rag tune` again.") from exc
    try:
        profile = Profile(**stored)
        _check(profile, task)
    except (TypeError, ValueError) as exc:
        names = ", ".join(field.name for field in fields(Profile))
        raise SettingsError(f"{path} is no profile ({exc}), expected {names}. Remove it, or run tune again.") from exc
    return profile


def save_profile(data_dir: Path, profile: Profile) -> Path:
    """Write a profile in the place of an earlier one, and return its path."""
    with disk_errors(data_dir, SettingsError):
        return write_atomically(profile_path(data_dir, profile.task), json.dumps(asdict(profile), indent=1) + "\n")


def remove_profile(data_dir: Path, task: str) -> bool:
    """Go back to the shipped choice; True when there was a profile."""
    path = profile_path(data_dir, task)
    if not path.exists():
        return False
    path.unlink()
    return True


def apply_profile(spec: TaskSpec, profile: Profile) -> TaskSpec:
    """Return the task with the profile's choices in place of the shipped ones."""
    mode = PromptMode(profile.symmetry)
    share = profile.second_share
    signals = spec.signals if share is None else tuple([Signal(share, second=True)] if share else ())
    return replace(
        spec,
        signals=signals,
        prompts=mode,
        bare=mode is PromptMode.NONE,
        mix=replace(spec.mix, dense_weight=profile.dense_weight),
        chunking=replace(spec.chunking, tokens=profile.chunk_tokens),
    )


def _check(profile: Profile, task: str) -> None:
    if profile.task != task:
        raise ValueError(f"found task {profile.task!r}, expected {task!r}")
    PromptMode(profile.symmetry)
    if not 0.0 <= profile.dense_weight <= 1.0:
        raise ValueError(f"found dense_weight {profile.dense_weight}, expected 0 to 1")
    if profile.second_share is not None and not 0.0 <= profile.second_share <= 1.0:
        raise ValueError(f"found second_share {profile.second_share}, expected 0 to 1")
    if not 16 <= profile.chunk_tokens <= 1_000_000:
        raise ValueError(f"found chunk_tokens {profile.chunk_tokens}, expected at least 16")
