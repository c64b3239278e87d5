"""What the documents show runs as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
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


@pytest.mark.parametrize("document", ["python/README.md", "README.md", "notebooks/README.md"])
def test_the_wheel_is_installed_by_its_name(document: str, tmp_path: Path) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    [what] = re.findall(r"^pip install (\S+ \S+)", text, flags=re.MULTILINE)
    wheel = tmp_path / "target/wheels/release/brasa-9.9-cp311-abi3-any.whl"
    wheel.parent.mkdir(parents=True)
    wheel.touch()
    said = subprocess.run(["bash", "-c", f"printf %s {what}"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert said.stdout == f"{wheel.relative_to(tmp_path)}[frames]"
