"""Measure retrieval on the library's own documents or on uploaded data: choose, see the cost, run, read the verdict."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.parts.conversations import select
from pages.parts.errors import guarded, show_error
from pages.parts.evaluation import FEEDBACK, FILE, SAMPLE, SYNTHETIC, DataChoice, Preview, Upload, preview
from pages.parts.jobs import show_jobs
from pages.parts.library import ways_to_begin
from pages.parts.measuring import newest_report, start_return, start_run, start_tuning
from pages.parts.report_view import show_report
from pages.parts.reports import choose_report
from pages.parts.services import DOCUMENTS, EVALUATION, services
from pages.parts.widgets import choose_task, lasting
from rag import SYSTEMS, TASKS, RagError
from rag.render import NAIVE_GLOSS, number, plain

LIBRARY, DATASET = "The library", "A dataset of your own"
JUDGMENTS = {SYNTHETIC: "Made from the documents", FEEDBACK: "Thumbs from the chat", FILE: "A file of your own"}
TITLES = {
    "naive": f"Naive: {NAIVE_GLOSS}",
    "query/passage": "Prompts: query/passage",
    "query/query": "Prompts: query/query",
    "passage/passage": "Prompts: passage/passage",
    "bm25": "BM25",
    "second": "Second model alone",
    "hybrid": "Hybrid, same for all tasks",
    "default": "Shipped default",
}
RERANKED = "+rerank"
MANY = 3000
"""With more chunks than this the cost is worked out on request only."""


def uploaded(label: str, kinds: list[str], help_text: str) -> Upload | None:
    """Draw an uploader and return its file, which is written to disk once."""
    limit = services().rag.settings.max_file_mb
    key = f"evaluate-{'-'.join(kinds)}"
    file = st.file_uploader(label, kinds, key=key, help=f"{help_text} Up to {limit:,} MB.", max_upload_size=limit)
    if file is None:
        return None
    stored: tuple[str, Upload | None] = st.session_state.get("evaluate_upload", ("", None))
    if stored[0] == file.file_id:
        return stored[1]
    upload = Upload(services().rag.settings.data_dir, file.name, file)
    st.session_state["evaluate_upload"] = (file.file_id, upload)
    return upload


def choose_data(task: str) -> DataChoice | None:
    """Choose the data to measure on; None while something is missing."""
    st.segmented_control(
        "Measure on", [LIBRARY, DATASET], required=True, label_visibility="collapsed", **lasting("measure_on", LIBRARY)
    )
    if st.session_state["measure_on"] == DATASET:
        upload = uploaded("Dataset", ["zip"], "A zip file with corpus.jsonl, queries.jsonl and qrels/test.tsv (BEIR).")
        return None if upload is None else DataChoice(task, "", upload)
    judged = services().rag.evaluations.judged(task)
    if not judged.chunks:
        st.caption(
            f"{TASKS[task].title} has no documents to measure on. Add your own, load the sample library, or upload a "
            "dataset."
        )
        ways_to_begin("evaluate-sample", primary=False)
        return None
    st.radio(
        "Judgments",
        list(JUDGMENTS),
        format_func=lambda kind: _judgments_title(kind, judged.thumbs, judged.sample),
        horizontal=True,
        **lasting("judgments", SYNTHETIC),
    )
    kind = st.session_state["judgments"]
    if kind == SYNTHETIC and judged.sample:  # questions that people wrote say more than headings do
        kind = SAMPLE
    choice = DataChoice(task, kind, None, judged.chunks, judged.thumbs)
    if choice.judgments != FILE:
        return choice
    upload = uploaded(
        "Judgments", ["tsv", "txt"], "Lines of question, document and grade with tabs between; a document is a file."
    )
    return None if upload is None else replace(choice, upload=upload)


def _judgments_title(kind: str, thumbs: int, sample: int) -> str:
    if kind == SYNTHETIC and sample:
        return f"{number(sample, 'judged question')} of the sample library"
    return JUDGMENTS[kind] + (f" ({thumbs:,})" if kind == FEEDBACK else "")


def choose_systems() -> tuple[str, ...]:
    """Choose the systems to compare, by name."""
    names = list(SYSTEMS)
    if services().rag.settings.reranker:
        names += [name + RERANKED for name in SYSTEMS]
    st.multiselect(
        "Systems",
        names,
        format_func=_system_title,
        help=f"Naive ({NAIVE_GLOSS}) is always among them: everything is compared with it.",
        **lasting("systems", list(SYSTEMS)),
    )
    return tuple(st.session_state["systems"])


def _system_title(name: str) -> str:
    base = name.removesuffix(RERANKED)
    return TITLES.get(base, base) + (", reranked" if name.endswith(RERANKED) else "")


def offer(choice: DataChoice, systems: tuple[str, ...]) -> None:
    """Show the cost, and the buttons."""
    ready = True
    if choice.chunks <= MANY or st.button(
        "Work out the cost", help=f"Reads {number(choice.chunks, 'chunk')} first; a run can begin without it."
    ):
        ready = _show_cost(choice, systems) is not None
    busy = services().jobs.active(EVALUATION)
    with st.container(horizontal=True):
        st.button(
            "Run",
            type="primary",
            icon=":material/play_arrow:",
            disabled=busy or not ready or not systems,
            on_click=start_run,
            args=(choice, systems),
        )
        st.button(
            "Choose by measurement",
            icon=":material/tune:",
            disabled=busy or not ready,
            on_click=start_tuning,
            args=(choice,),
            help="Tries prompts and mixes on one half of the questions, and keeps what holds on the other half; "
            "the index is rebuilt for it where it has to be.",
        )


def _show_cost(choice: DataChoice, systems: tuple[str, ...]) -> Preview | None:
    """Say what a run would measure and embed; None when the data cannot be used, which is said instead."""
    try:
        with st.spinner("Looking at what would be measured"):
            cost = preview(services().rag.evaluations, choice, choice.key, systems)
    except RagError as exc:
        show_error(str(exc))
        return None
    st.text(cost.sentences)
    for note in cost.notes:
        st.caption(plain(note))
    return cost


def profile(task: str) -> None:
    """Show the tuned choice in force, and the way back."""
    tuned = services().rag.evaluations.profile(task)
    if tuned is None:
        return
    with st.container(border=True):
        choice, back = st.columns([4, 1.4], vertical_alignment="center")
        choice.caption(plain(f"{TASKS[task].title} uses a tuned choice: {tuned.describe()}."))
        back.button(
            "Back to the shipped",
            on_click=start_return,
            args=(task,),
            key="forget",
            width="stretch",
            disabled=services().jobs.active(EVALUATION),
        )


def main() -> None:
    """Draw the page."""
    st.title("Evaluate", anchor=False)
    task = choose_task(then=select)
    st.caption(
        "Does task-aware retrieval find more than one-size-fits-all retrieval here? Systems are asked the same "
        "questions and compared on where they rank the relevant documents."
    )
    newest = newest_report()
    with guarded(), st.container(border=True):
        choice = choose_data(task)
        if choice is not None:
            offer(choice, choose_systems())
    show_jobs(DOCUMENTS, only_failed=True)
    with guarded():
        profile(task)
    show_jobs(EVALUATION)
    st.header("Report", anchor=False)
    folder = choose_report(newest)
    if folder is None:
        st.caption("No run yet.")
    else:
        show_report(folder)


with guarded():
    main()
