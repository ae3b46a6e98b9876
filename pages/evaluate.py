"""Measure retrieval on the library's own documents or on uploaded data: choose, see the cost, run, read the verdict."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.parts.conversations import select
from pages.parts.evaluation import FEEDBACK, FILE, SYNTHETIC, Choice, Upload, described, preview, told
from pages.parts.reports import choose_report, show_report
from pages.parts.runs import finished, show_runs, start_return, start_run, start_tuning
from pages.parts.shared import choose_task, guarded, lasting, sample_button, services, show_jobs
from rag import SYSTEMS, TASKS
from rag.render import number, plain

LIBRARY, DATASET = "The library", "A dataset of your own"
LABELS = {SYNTHETIC: "Made from the documents", FEEDBACK: "Thumbs from the chat", FILE: "A file of your own"}
SHORT = {
    "naive": "Naive: no prompts",
    "query/passage": "Prompts: query/passage",
    "query/query": "Prompts: query/query",
    "passage/passage": "Prompts: passage/passage",
    "bm25": "BM25",
    "hybrid": "Hybrid, same for all tasks",
    "default": "Shipped default",
}
MANY = 3000
"""With more chunks than this the cost is worked out on request only."""


def uploaded(label: str, kinds: list[str], help_text: str) -> Upload | None:
    """The file in the uploader, written once."""
    file = st.file_uploader(label, kinds, key=f"evaluate-{'-'.join(kinds)}", help=help_text)
    if file is None:
        return None
    kept = st.session_state.get("evaluate_upload")
    if kept is None or kept[0] != file.file_id:
        kept = (file.file_id, Upload(file.name, file.getvalue()))
        st.session_state["evaluate_upload"] = kept
    found: Upload = kept[1]
    return found


def choose_data(task: str) -> Choice | None:
    """What to measure on; None while something is missing."""
    st.segmented_control(
        "Measure on", [LIBRARY, DATASET], required=True, label_visibility="collapsed", **lasting("measure_on", LIBRARY)
    )
    if st.session_state["measure_on"] == DATASET:
        upload = uploaded("Dataset", ["zip"], "A zip file with corpus.jsonl, queries.jsonl and qrels/test.tsv (BEIR).")
        return None if upload is None else Choice(task, "", upload)
    there = services().rag.evaluations.judged(task)
    if not there.chunks:
        nothing(task)
        return None
    st.radio(
        "Judgments",
        list(LABELS),
        format_func=lambda kind: LABELS[kind] + (f" ({there.thumbs:,})" if kind == FEEDBACK else ""),
        horizontal=True,
        **lasting("judgments", SYNTHETIC),
    )
    choice = Choice(task, st.session_state["judgments"], None, (there.chunks, there.thumbs))
    if choice.judgments != FILE:
        return choice
    upload = uploaded(
        "Judgments", ["tsv", "txt"], "Lines of question, document and grade with tabs between; a document is a file."
    )
    return None if upload is None else replace(choice, upload=upload)


def nothing(task: str) -> None:
    """What to do when the task has no documents."""
    st.caption(
        f"{TASKS[task].title} has no documents to measure on. Add your own, load the sample library, or upload a "
        "dataset."
    )
    if not services().jobs.active():
        left, right, _ = st.columns([2, 2, 3])
        with left:
            sample_button("evaluate-sample", primary=False)
        right.page_link("pages/documents.py", label="Add your own documents", icon=":material/upload_file:")


def choose_systems() -> tuple[str, ...]:
    """Names of the systems to compare."""
    names = list(SYSTEMS)
    if services().rag.settings.reranker:
        names += [f"{name}+rerank" for name in SYSTEMS]
    st.multiselect(
        "Systems",
        names,
        format_func=lambda name: (
            SHORT.get(name.removesuffix("+rerank"), name) + (", reranked" if "+rerank" in name else "")
        ),
        help="Naive is always among them: everything is compared with it.",
        **lasting("systems", list(SYSTEMS)),
    )
    return tuple(st.session_state["systems"])


def offer(choice: Choice, systems: tuple[str, ...]) -> None:
    """The cost, and the buttons."""
    evaluations = services().rag.evaluations
    known = sum(choice.state[:1]) <= MANY or st.button(
        "Work out the cost", help=f"Reads {number(choice.state[0], 'chunk')} first; a run can begin without it."
    )
    ready = not known
    if known:
        with told() as well, st.spinner("Looking at what would be measured"):
            found = preview(evaluations, choice, choice.key, systems)
            st.text(described(found))
            for note in found.notes:
                st.caption(plain(note))
        ready = bool(well)
    busy = services().runs.active()
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


def profile(task: str) -> None:
    """The tuned choice in force, and the way back."""
    evaluations = services().rag.evaluations
    found = evaluations.profile(task)
    if found is None:
        return
    with st.container(border=True):
        left, right = st.columns([4, 1.4], vertical_alignment="center")
        left.caption(plain(f"{TASKS[task].title} uses a tuned choice: {found.describe()}."))
        right.button(
            "Back to the shipped",
            on_click=start_return,
            args=(task,),
            key="forget",
            width="stretch",
            disabled=services().runs.active(),
        )


def main() -> None:
    """The page."""
    st.title("Evaluate", anchor=False)
    task = choose_task(then=select)
    st.caption(
        "Does task-aware retrieval find more than one-size-fits-all retrieval here? Systems are asked the same "
        "questions and compared on where they rank the relevant documents."
    )
    newest = finished()
    with guarded(), st.container(border=True):
        choice = choose_data(task)
        if choice is not None:
            offer(choice, choose_systems())
    show_jobs(ended=False, waiting="")
    with guarded():
        profile(task)
    show_runs()
    st.header("Report", anchor=False)
    folder = choose_report(newest)
    if folder is None:
        st.caption("No run yet.")
    else:
        show_report(folder)


with guarded():
    main()
