"""What the documents show runs as it stands there."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path

import pytest
from conftest import ROOT

import brasa


def blocks(document: str) -> list[str]:
    """The Python of a document, block by block."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.parametrize("document", ["python/README.md", "README.md"])
def test_the_examples_run(document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = blocks(document)
    assert found
    os.symlink(ROOT / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=brasa.Note)
        for block in found:
            exec(compile(block, document, "exec"), names)
    assert any(tmp_path.glob("*.html"))
