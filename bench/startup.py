"""From the command to the first source, in fresh processes: `python -m bench.startup`.

Ours: `python -m rag ask`, hybrid search and the extractive answer, which is printed before the sources. Baseline:
`bench/plain_langchain.py`, the same weights in float32 by `HuggingFaceEmbeddings` and the same chunks in
`QdrantVectorStore`, local mode on disk, dense search. Timed is what a person waits: from the start of the process until
the line of the first source arrives. Files are in the page cache on both sides. `-X importtime` says what the imports
cost and whether torch is among them.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from bench.harness import FOLDER, PAIRS, Case, Result, Sample, Target, judge, table, write
from rag import Rag, Settings

ROOT = Path(__file__).resolve().parents[1]
PLAIN = "bench/plain_langchain.py"
QUESTION = "How do I pair a Leaf?"
SHARE = 0.3
HEAVY = ("torch", "sentence_transformers", "transformers", "streamlit", "pandas")
_FIRST = re.compile(rb"^\[1\]", re.MULTILINE)
_IMPORTED = re.compile(r"^import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)$", re.MULTILINE)


def sample_library(folder: Path) -> Settings:
    """Ingest the sample library into a data folder that borrows the prepared models; return its settings."""
    settings = Settings(data_dir=folder)
    folder.mkdir(parents=True)
    prepared = FOLDER / "data" / "models"
    prepared.mkdir(parents=True, exist_ok=True)
    (folder / "models").symlink_to(prepared)
    rag = Rag(settings)
    rag.ingest_sample()
    rag.close()
    return settings


def plain_store(settings: Settings, folder: Path) -> Path:
    """Put the same chunks into LangChain's store on disk; return the folder of the model."""
    from langchain_qdrant import QdrantVectorStore
    from qdrant_client import QdrantClient, models

    from bench.embed import baseline
    from rag.embedding import open_embedder
    from rag.embedding.torch_runtime import open_folder
    from rag.index import open_engine
    from rag.recipes import Recipes
    from rag.types import Filter

    engine = open_engine(settings)
    index = engine.open(Recipes(settings).of("qa").identity(open_embedder(settings)))
    chunks = [point.payload for batch in index.scroll(Filter(settings.workspace)) for point in batch]
    engine.close()
    embeddings = baseline(settings).__self__  # type: ignore[attr-defined]
    client = QdrantClient(path=str(folder))
    client.create_collection("plain", models.VectorParams(size=384, distance=models.Distance.COSINE))
    store = QdrantVectorStore(client, "plain", embeddings)
    store.add_texts([chunk.chunk.text for chunk in chunks], [{"name": chunk.name} for chunk in chunks])
    client.close()
    return open_folder(settings.data_dir / "models")


def to_first_source(command: Sequence[str], environment: Mapping[str, str]) -> Sample:
    """Time until a line of standard output begins with `[1]`, with the CPU seconds of the whole process."""
    load, before = os.getloadavg()[0], resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    output, seconds = b"", 0.0
    while part := os.read(process.stdout.fileno(), 65536):
        output += part
        if not seconds and _FIRST.search(output):
            seconds = time.perf_counter() - started
    _, errors = process.communicate()
    if process.returncode or not seconds:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {errors.decode()[-500:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Sample(seconds, cpu, load)


def imports(command: Sequence[str], environment: Mapping[str, str]) -> dict[str, object]:
    """Number of modules that one run imports, their seconds, and the heavy packages among them."""
    process = subprocess.run(
        [command[0], "-X", "importtime", *command[1:]],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    rows = _IMPORTED.findall(process.stderr)
    packages = {name.partition(".")[0] for _, _, _, name in rows}
    seconds = sum(int(microseconds) for microseconds, _, _, _ in rows) / 1e6
    return {"modules": len(rows), "seconds": seconds, "heavy": sorted(packages.intersection(HEAVY))}


def run(pairs: int, folder: Path) -> tuple[Result, dict[str, dict[str, object]]]:
    """Alternating pairs of fresh processes, the first pair unrecorded."""
    settings = sample_library(folder / "data")
    model = plain_store(settings, folder / "plain")
    environment = {**os.environ, "RAG_DATA_DIR": str(settings.data_dir), "PYTHONUNBUFFERED": "1"}
    commands = {
        "python -m rag ask": [sys.executable, "-m", "rag", "ask", QUESTION],
        "LangChain script": [sys.executable, PLAIN, str(model), str(folder / "plain"), QUESTION],
    }
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for pair in range(pairs + 1):
        for name in list(commands) if pair % 2 else reversed(commands):
            sample = to_first_source(commands[name], environment)
            if pair:
                samples[name].append(sample)
    imported = {name: imports(command, environment) for name, command in commands.items()}
    subject, reference = (Case(name, lambda: None) for name in commands)
    target = Target("from the command to the first source", SHARE, at_least=False)
    return judge(subject, reference, target, samples), imported


def main() -> None:
    """Print the table and write `.bench/startup.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    pairs = parser.parse_args().pairs
    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory() as folder:
        result, imported = run(pairs, Path(folder))
    print(table([result]))
    for name, about in imported.items():
        print(f"{name}: {about['modules']} modules, {about['seconds']:.2f} s of imports, heavy ones: {about['heavy']}")
    write("startup", {"results": [asdict(result)], "imports": imported})


if __name__ == "__main__":
    main()
