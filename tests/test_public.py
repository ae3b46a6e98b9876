import subprocess
import sys

import pytest

import rag


@pytest.mark.parametrize("name", rag.__all__)
def test_every_public_name_is_there(name):
    assert getattr(rag, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = rag.no_such_name


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, rag; print([m for m in ('torch', 'langchain_core', 'numpy', 'sqlalchemy') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"
