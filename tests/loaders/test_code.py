from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.loaders.cleaning import clean_text
from rag.loaders.readers.code import code_segments
from rag.types import Document
from tests.loaders.check import check, loaded

SOURCES = {
    "a.py": (
        'import os\n\nX = 1\n\n# about f\n@dec\ndef f(a):\n    return "é日"\n\n\nclass A:\n    """Doc."""\n\n'
        "    def m(self):\n        pass\n\n    async def n(self): ...\n\nprint(f(1))\n",
        "python",
        [("", 1, 3), ("f", 5, 8), ("A", 11, 12), ("A.m", 14, 15), ("A.n", 17, 17), ("", 19, 19)],
    ),
    "a.js": (
        'const fs = require("fs");\n/** doc */\nexport const f = (a) => a;\nfunction* g() {}\n'
        "class Foo extends Bar {\n  x = 1;\n  get y() { return 1; }\n}\nmodule.exports = { f };\n",
        "javascript",
        [("", 1, 1), ("f", 2, 3), ("g", 4, 4), ("Foo", 5, 6), ("Foo.y", 7, 8), ("", 9, 9)],
    ),
    "a.ts": (
        "interface I { a: string }\ntype T = string;\nenum E { A }\nexport abstract class C<T> {\n  m(): void {}\n}\n",
        "typescript",
        [("I", 1, 1), ("T", 2, 2), ("E", 3, 3), ("C", 4, 4), ("C.m", 5, 6)],
    ),
    "a.tsx": (
        "export function App() {\n  return <div>hi</div>;\n}\nconst x = 1;\n",
        "typescript",
        [("App", 1, 3), ("", 4, 4)],
    ),
    "A.java": (
        "package a;\n\n/** Doc */\n@Service\npublic class Foo {\n  int x;\n  public Foo() {}\n  @Override\n"
        '  public String bar() { return ""; }\n}\n',
        "java",
        [("", 1, 1), ("Foo", 3, 6), ("Foo.Foo", 7, 7), ("Foo.bar", 8, 10)],
    ),
    "a.go": (
        "package main\n\n// S serves.\ntype S struct { a int }\n\nfunc (s *S) Run() error { return nil }\n\n"
        "func main() {}\n",
        "go",
        [("", 1, 1), ("S", 3, 4), ("S.Run", 6, 6), ("main", 8, 8)],
    ),
    "a.rs": (
        "use std::io;\n/// doc\n#[derive(Debug)]\nstruct P { x: i32 }\nimpl T for P {\n"
        "    fn new() -> Self { P { x: 1 } }\n}\nmacro_rules! m { () => {} }\n",
        "rust",
        [("", 1, 1), ("P", 2, 4), ("P", 5, 5), ("P.new", 6, 7), ("m", 8, 8)],
    ),
    "a.h": (
        "#ifndef A_H\n#define A_H\nstruct P { int x; };\n/* doc */\nstatic int *f(int a) { return 0; }\n"
        "int g(void);\n#endif\n",
        "c",
        [("", 1, 2), ("P", 3, 3), ("f", 4, 5), ("", 6, 7)],
    ),
    "a.cpp": (
        "namespace n {\ntemplate <typename T>\nclass V {\n public:\n  V() {}\n  int size() const { return 1; }\n};\n"
        "int V::other() { return 1; }\n}\nint main() {}\n",
        "cpp",
        [("n", 1, 1), ("n.V", 2, 4), ("n.V.V", 5, 5), ("n.V.size", 6, 7), ("n.V::other", 8, 9), ("main", 10, 10)],
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_code_is_cut_at_functions_classes_and_methods(name: str, tmp_path: Path) -> None:
    source, language, expected = SOURCES[name]
    (document,) = loaded(tmp_path / name, source)
    assert (document.media_type, document.language, document.text) == ("code", language, source)
    assert [(s.symbol, s.line_start, s.line_end) for s in document.segments] == expected
    assert {s.kind for s in document.segments} == {"code"}
    lines = source.split("\n")
    for segment in document.segments:
        assert source[segment.start : segment.end] == "\n".join(lines[segment.line_start - 1 : segment.line_end])


def test_a_header_with_classes_is_cpp(tmp_path: Path) -> None:
    (document,) = loaded(tmp_path / "a.h", "class A {\n public:\n  int b();\n};\n")
    assert document.language == "cpp"


@pytest.mark.parametrize("name", SOURCES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_broken_code_is_still_covered(name: str, data: st.DataObject) -> None:
    source, language, _ = SOURCES[name]
    cut = data.draw(st.integers(0, len(source)))
    junk = data.draw(st.text(st.sampled_from("(){}[]\n \"'`#/*:;éx日=<>"), max_size=40))
    text = clean_text(source[:cut] + junk + source[cut + 5 :])
    segments = tuple(code_segments(text, "tsx" if name.endswith("x") else language))
    if text.strip():
        check(Document(name, text, "code", segments=segments, language=language))
    for segment in segments:
        assert segment.line_start == 1 + text.count("\n", 0, segment.start)
        assert segment.line_end == 1 + text.count("\n", 0, segment.end)


def test_deeply_nested_code_is_read(tmp_path: Path) -> None:
    loaded(tmp_path / "a.py", "x = " + "(" * 5000 + "1" + ")" * 5000)
    loaded(tmp_path / "a.ts", "namespace a { " * 200 + "}" * 200)
