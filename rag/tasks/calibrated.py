"""Shares that an index calibrated for itself, kept beside the tuned profiles, and a note where they were taken back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from rag.disk import disk_errors
from rag.errors import SettingsError
from rag.files import write_atomically
from rag.tasks.profiles import FOLDER

MADE, ASKED, JUDGED = "made", "asked", "judged"
"""Questions that shares were chosen by: made of passages, asked by people, or judged by them."""
_GROUNDS = {
    MADE: "{count} questions made of its passages",
    ASKED: "{count} questions that were asked",
    JUDGED: "{count} judged questions",
}
_PROMISE = {
    MADE: "on judged sets left out of the fit",
    ASKED: "on judged sets left out of the fit",
    JUDGED: "on the half that had no part in choosing",
}


@dataclass(frozen=True, slots=True)
class Calibration:
    """Shares for one index, which change its ranking and nothing that is stored in it.

    Attributes:
        task: Name of the task.
        index: Collection that they are for.
        models: Ids of the models that they were chosen with.
        prior: Dense share of the task as it ships, which they were chosen relative to.
        dense_weight: Dense share in its place, in [0, 1].
        grounds: `made`, `asked` or `judged`.
        questions: How many of these.
        gain: nDCG@10 that is expected of it.
        chunks: Current chunks of the task at that time.
        second_share: Share of the second model in the dense score in the place of the task's; None for that one.
        created: Time in ISO 8601, UTC.
        by_hand: True when a person asked for it: it is in force whether indexes calibrate themselves or not.
        off: True when a person took it back: the index keeps the task's shares.
    """

    task: str
    index: str
    models: tuple[str, ...]
    prior: float
    dense_weight: float
    grounds: str = MADE
    questions: int = 0
    gain: float = 0.0
    chunks: int = 0
    second_share: float | None = None
    created: str = ""
    by_hand: bool = False
    off: bool = False

    def applies_to(self, models: tuple[str, ...], prior: float) -> bool:
        """True when it is in force for a task with these models and this dense share."""
        return not self.off and self.models == models and self.prior == prior

    def describe(self) -> str:
        """Say what it changed, by what, and what that is expected to gain."""
        grounds = _GROUNDS[self.grounds].format(count=f"{self.questions:,}")
        if self.dense_weight == self.prior and self.second_share is None:
            return f"{self.prior:.0%} dense as shipped, looked at with {grounds}"
        second = "" if self.second_share is None else f", {self.second_share:.0%} of it by the second model"
        return (
            f"{self.dense_weight:.1%} dense in place of {self.prior:.0%}{second}, by {grounds} "
            f"(expected {self.gain:+.3f} nDCG@10, {_PROMISE[self.grounds]})"
        )


def calibration_path(data_dir: Path, task: str) -> Path:
    """Where the calibration of a task is kept."""
    return data_dir / FOLDER / f"calibrated-{task}.json"


def load_calibration(data_dir: Path, task: str) -> Calibration | None:
    """Read the calibration of a task, also one that was taken back; None without one.

    Raises:
        SettingsError: The file is damaged; what was found and what to do.
    """
    path = calibration_path(data_dir, task)
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as exc:
        raise SettingsError(f"{path} cannot be read ({exc}). Remove it; the next ingest makes it anew.") from exc
    try:
        calibration = Calibration(**{**stored, "models": tuple(stored["models"])})
        _check(calibration, task)
    except (TypeError, ValueError, KeyError) as exc:
        names = ", ".join(field.name for field in fields(Calibration))
        raise SettingsError(
            f"{path} is no calibration ({exc}), expected {names}. Remove it; the next ingest makes it anew."
        ) from exc
    return calibration


def save_calibration(data_dir: Path, calibration: Calibration) -> Path:
    """Write a calibration in the place of an earlier one, and return its path."""
    path = calibration_path(data_dir, calibration.task)
    with disk_errors(data_dir, SettingsError):
        return write_atomically(path, json.dumps(asdict(calibration), indent=1) + "\n")


def _check(calibration: Calibration, task: str) -> None:
    if calibration.task != task:
        raise ValueError(f"found task {calibration.task!r}, expected {task!r}")
    if calibration.grounds not in _GROUNDS:
        raise ValueError(f"found grounds {calibration.grounds!r}, expected one of {', '.join(_GROUNDS)}")
    if not 0.0 <= calibration.dense_weight <= 1.0:
        raise ValueError(f"found dense_weight {calibration.dense_weight}, expected 0 to 1")
    # A signal without a share would go from the recipe, and the index would be refused.
    if calibration.second_share is not None and not 0.0 < calibration.second_share < 1.0:
        raise ValueError(f"found second_share {calibration.second_share}, expected more than 0 and less than 1")
