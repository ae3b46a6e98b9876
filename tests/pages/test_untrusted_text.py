"""No page gives Streamlit's Markdown, or HTML, any text but its own words and what `rag.render` made harmless.

Read off the syntax trees: the text of every call that renders must be a literal, the result of a function of
`rag.render`, the title of a task, or an expression that is listed here with the reason why it is safe.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "pages").rglob("*.py"))
MARKDOWN = {
    "caption",
    "title",
    "header",
    "subheader",
    "info",
    "warning",
    "error",
    "success",
    "toast",
    "button",
    "download_button",
    "expander",
    "checkbox",
    "toggle",
    "radio",
    "selectbox",
    "multiselect",
    "segmented_control",
    "pills",
    "metric",
    "page_link",
    "popover",
    "tabs",
    "status",
    "progress",
    "spinner",
    "text_input",
    "text_area",
    "number_input",
    "slider",
    "select_slider",
    "date_input",
    "time_input",
    "color_picker",
    "chat_input",
    "file_uploader",
    "feedback",
    "dialog",
    "form_submit_button",
    "menu_button",
    "camera_input",
    "audio_input",
    "Page",
    "badge",
}
"""Functions whose text is, or has once been, Markdown in some place."""
FORBIDDEN = {"markdown", "write", "write_stream", "latex", "iframe", "link_button", "graphviz_chart", "components"}
"""Functions that no page needs: they take Markdown as a whole, or addresses."""
TEXTS = {"label", "body", "text", "help", "title", "placeholder", "caption", "captions", "summary", "icon", "alt"}
PLAIN = {"plain", "number", "size", "when", "duration", "rank_change"}
"""Of `rag.render`: what they return shows as exactly its characters."""
HTML = {"escaped", "escape", "number"}
"""What they return is text in HTML; so is the result of every function whose name ends in `_html`."""
CHOICES = {"radio", "segmented_control", "pills"}
"""Widgets whose options are Markdown; those of `selectbox` and `multiselect` are not."""
REASONS = {
    "TASKS[task].title": "our own words",
    "TASKS[name].title": "our own words",
    "TASKS[task].query_is": "our own words",
    "spec.title": "a task's own words",
    "spec.query_is": "a task's own words",
    "spec.document_is": "a task's own words",
    "spec.gives": "a task's own words",
    "spec.examples[place]": "a task's own words",
    "lambda kind: _judgments_title(kind, judged.thumbs, judged.sample)": "our own words and two numbers",
    "Section.METRICS.value": "our own words",
    "titles.__getitem__": "made by `plain`, in the same function",
    "label/evaluate.py": "a parameter that both callers, in the same file, give literals",
    "help_text/evaluate.py": "a parameter that both callers, in the same file, give literals",
    "name/report_view.py": "the file name of a report, one of a few of our own",
    "title/report_view.py": "one of two literals of the loop around it",
    "hit.rank": "a number",
    "side.answer": "made by `reply_html` or `text_html`",
    "side.sources": "made by `hits_html`",
    "side.label": "made by `mode_html`",
    "label/answers.py": "made by `mode_html`",
}


def _local(tree: ast.AST) -> dict[ast.Call, ast.FunctionDef | None]:
    """Every call with the innermost function around it."""
    calls: dict[ast.Call, ast.FunctionDef | None] = {}

    def visit(node: ast.AST, function: ast.FunctionDef | None) -> None:
        if isinstance(node, ast.FunctionDef):
            function = node
        if isinstance(node, ast.Call):
            calls[node] = function
        for child in ast.iter_child_nodes(node):
            visit(child, function)

    visit(tree, None)
    return calls


class Judge:
    """Decides whether an expression of one function can hold text from outside."""

    def __init__(self, function: ast.FunctionDef | None, file: str, safe_calls: set[str], html: bool) -> None:
        self._file, self._calls, self._html = file, safe_calls, html
        self._values: dict[str, list[ast.expr]] = {}
        for node in ast.walk(function) if function else ():
            if isinstance(node, ast.Assign):
                for target, value in _pairs(node):
                    self._values.setdefault(target, []).append(value)

    def safe(self, node: ast.expr | None) -> bool:  # noqa: C901 - one line for each kind of expression
        """True when the expression is made of our own words and of what was made harmless."""
        if node is None or isinstance(node, ast.Constant):
            return True
        text = ast.unparse(node)
        if text in REASONS or f"{text}/{self._file}" in REASONS:
            return True
        match node:
            case ast.JoinedStr(values=values):
                return all(self.safe(value) for value in values)
            case ast.FormattedValue(value=value, format_spec=spec):
                return self.safe(value) or (spec is not None and ast.unparse(spec).rstrip("'").endswith((",", "f")))
            case ast.BinOp(left=ast.Name(id="_HERE"), op=ast.Div(), right=ast.Constant()):  # where a page of ours is
                return True
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.safe(left) and self.safe(right)
            case ast.IfExp(body=body, orelse=orelse):
                return self.safe(body) and self.safe(orelse)
            case ast.BoolOp(values=values):
                return all(self.safe(value) for value in values)
            case ast.Lambda(body=body):
                return self.safe(body)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return all(self.safe(item) for item in items)
            case ast.Name(id=name):
                values = self._values.get(name, [])
                return name.isupper() or (bool(values) and all(map(self.safe, values)))
            case ast.Subscript(value=ast.Name(id=name)):
                return name.isupper()
            case ast.Call(func=ast.Name(id=name), args=arguments):
                if name == "list":
                    return all(self.safe(argument) for argument in arguments)
                return name in self._calls or (self._html and name.endswith("_html"))
            case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[ast.GeneratorExp(elt=item)]):
                return self.safe(item)
        return False


def _pairs(node: ast.Assign) -> list[tuple[str, ast.expr]]:
    pairs = []
    for target in node.targets:
        if isinstance(target, ast.Name):
            pairs.append((target.id, node.value))
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs += [(t.id, v) for t, v in zip(target.elts, node.value.elts, strict=True) if isinstance(t, ast.Name)]
    return pairs


def faults(source: str, file: str) -> list[str]:
    """What a page renders that nobody has made harmless."""
    tree = ast.parse(source)
    wrong = []
    for maker in ast.walk(tree):
        if isinstance(maker, ast.FunctionDef) and maker.name.endswith("_html"):
            judge = Judge(maker, file, HTML, html=True)
            returned = [node.value for node in ast.walk(maker) if isinstance(node, ast.Return)]
            wrong += [f"{file}:{maker.lineno}: {ast.unparse(node)}" for node in returned if not judge.safe(node)]
    for call, function in _local(tree).items():
        if not isinstance(call.func, ast.Attribute):
            continue
        name, keywords = call.func.attr, {keyword.arg: keyword.value for keyword in call.keywords}
        shown: list[ast.expr] = []
        judge = Judge(function, file, PLAIN, html=False)
        if name in FORBIDDEN or "unsafe_allow_html" in keywords:
            wrong.append(f"{file}:{call.lineno}: {name} is not for pages")
        elif name == "html":
            shown, judge = list(call.args), Judge(function, file, HTML, html=True)
        elif name in MARKDOWN:
            first = [] if name == "progress" else call.args[:1]
            shown = [*first, *(value for key, value in keywords.items() if key in TEXTS)]
            if name in CHOICES:
                shown.append(keywords.get("format_func") or call.args[1])
        elif name == "chat_message":
            shown = [keywords["avatar"]]
        wrong += [f"{file}:{call.lineno}: {ast.unparse(node)}" for node in shown if not judge.safe(node)]
    return wrong


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_render_their_own_words_and_what_was_made_harmless(path):
    assert faults(path.read_text(), path.name) == []


@pytest.mark.parametrize(
    "page",
    [
        "st.caption(file.name)",
        "def draw(name):\n    st.button(f'Delete {name}')",
        "st.error(str(exc))",
        "column.subheader(title)",
        "st.markdown('fixed')",
        "st.write(answer)",
        "st.expander('Fixed', icon=icon)",
        "st.button('Fixed', help=failure.reason)",
        "st.radio('Fixed', titles)",
        "st.radio('Fixed', ids, format_func=lambda id: titles[id])",
        "def draw(names):\n    label = 'a'\n    label = names[0]\n    st.button(label)",
        "st.html(f'<b>{name}</b>')",
        "st.html(''.join(name for name in names))",
        "st.progress(0.5, text=item)",
        "st.caption('a' + plain(name) + name)",
        "st.html(plain(name))",
        "st.caption(printable(name))",
    ],
)
def test_the_check_sees_text_from_outside(page):
    assert faults(page, "page.py")


@pytest.mark.parametrize(
    "page",
    [
        "st.caption(plain(file.name))",
        "st.html(f'<b>{escaped(name)}</b>{sources_html(hits)}')",
        "st.text(name)",
        "st.dataframe(rows)",
        "def draw(name):\n    label = plain(name) if name else 'Nothing'\n    st.button(label, help='Fixed')",
        "st.subheader(number(len(files), 'file'))",
        "st.html(''.join(f'<li>{escaped(name)}</li>' for name in names))",
    ],
)
def test_the_check_lets_harmless_text_through(page):
    assert faults(page, "page.py") == []


def test_every_exception_is_in_use():
    sources = "\n".join(ast.unparse(ast.parse(path.read_text())) for path in PAGES)
    for expression in REASONS:
        assert expression.partition("/")[0] in sources, f"{expression} is no more: take it off the list"
