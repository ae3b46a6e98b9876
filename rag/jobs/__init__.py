"""Long work: how far it is (`Progress`, `Meter`), and what runs in the background (`Jobs`)."""

from rag.jobs.progress import Meter, OnProgress, Progress
from rag.jobs.registry import Jobs, JobState, JobView

__all__ = ["JobState", "JobView", "Jobs", "Meter", "OnProgress", "Progress"]
