"""The notebooks: stored clean, twins in two languages, and they run, on the sample city and on another file of the same columns.

``python python/tests/test_notebooks.py`` stores them clean again after editing.
"""

from __future__ import annotations

import ast
import csv
import os
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).resolve().parents[2]
BOOKS = ROOT / "notebooks"
TWINS = {
    "01-first-map.ipynb": "es/01-primer-mapa.ipynb",
    "02-is-it-real.ipynb": "es/02-es-real.ipynb",
    "03-patrol-plan.ipynb": "es/03-plan-de-patrullaje.ipynb",
    "04-with-geopandas.ipynb": "es/04-con-geopandas.ipynb",
}
ALL = [*TWINS, *TWINS.values()]
#: Other files of the same columns, and what is run on them.
OTHERS = [*((name, "half") for name in TWINS), *((name, "calm") for name in list(TWINS)[:3])]
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
#: Seconds that one notebook may take.
PATIENCE = 600


def stored(book: Any) -> str:
    """A notebook as it is stored: without output, always the same bytes."""
    for cell in book.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    book.metadata = METADATA
    text: str = nbformat.writes(book)
    return text.rstrip("\n") + "\n"


def code(book: Any) -> list[str]:
    return [cell.source for cell in book.cells if cell.cell_type == "code"]


class _Wordless(ast.NodeTransformer):
    """Takes the words out of a program; what a sentence computes stays, in whatever order it is said."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Tuple:
        computed = [value for value in node.values if isinstance(value, ast.FormattedValue)]
        return ast.Tuple(sorted((self.visit(value.value) for value in computed), key=ast.dump), ast.Load())


def wordless(source: str) -> str:
    return ast.dump(_Wordless().visit(ast.parse(source)))


def run(book: Any, folder: Path, temp: Path) -> list[str]:
    """Runs a notebook in its folder and gives what it printed as errors."""
    from nbclient import NotebookClient

    env = {**os.environ, "TMPDIR": str(temp)}
    env.pop("MPLBACKEND", None)
    client = NotebookClient(book, timeout=PATIENCE, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute(env=env)
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    return [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]


def other_city(temp: Path) -> Path:
    """Half of the rows of the sample, with its dirt."""
    path = temp / "half.csv"
    with open(ROOT / "data" / "incidentes.csv", encoding="utf-8", newline="") as whole, open(path, "w", encoding="utf-8", newline="") as half:
        rows = list(csv.reader(whole, delimiter=";"))
        csv.writer(half, delimiter=";").writerows([rows[0], *(row for row in rows[1::2] if row)])
    return path


def calm_city(temp: Path) -> Path:
    """A few hundred incidents anywhere in the city: there is no hotspot to show."""
    import geopandas
    import numpy

    places = geopandas.read_file(ROOT / "data" / "city.geojson").sample_points(400, rng=numpy.random.default_rng(3))
    path = temp / "calm.csv"
    with open(ROOT / "data" / "incidentes.csv", encoding="utf-8", newline="") as whole, open(path, "w", encoding="utf-8", newline="") as calm:
        reader, writer = csv.reader(whole, delimiter=";"), csv.writer(calm, delimiter=";")
        writer.writerow(next(reader))
        for row, place in zip(reader, places.explode(ignore_index=True), strict=False):
            writer.writerow([*row[:6], *(f"{degrees:.6f}".replace(".", ",") for degrees in (place.x, place.y))])
    return path


def replaced(book: Any, name: str, value: str) -> Any:
    """The notebook as a user changes it: another value for a name in the first cell of code."""
    first = next(cell for cell in book.cells if cell.cell_type == "code")
    first.source, times = re.subn(rf"(?m)^{name} = .*$", lambda _: f"{name} = {value}", first.source)
    assert times == 1, f"no {name} in the first cell"
    return book


Runs = dict[tuple[str, str], Future[list[str]]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """All runs at once, two kernels at a time."""
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    temp = tmp_path_factory.mktemp("notebooks")
    others = {"half": other_city(temp), "calm": calm_city(temp)}
    with ThreadPoolExecutor(2) as pool:
        jobs: Runs = {}
        for name in ALL:
            path = BOOKS / name
            jobs[name, "sample"] = pool.submit(run, nbformat.read(path, 4), path.parent, temp)
        # The twins have the same code, so one of them shows it.
        for name, city in OTHERS:
            book = replaced(nbformat.read(BOOKS / name, 4), "INCIDENTS", repr(str(others[city])))
            if "TRUTH = " in code(book)[0]:
                replaced(book, "TRUTH", "None")
            jobs[name, city] = pool.submit(run, book, BOOKS, temp)
        yield jobs
        for job in jobs.values():
            job.cancel()


def test_all_are_known() -> None:
    assert sorted(str(path.relative_to(BOOKS)) for path in BOOKS.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts) == sorted(ALL)


@pytest.mark.parametrize("name", ALL)
def test_stored_clean(name: str) -> None:
    text = (BOOKS / name).read_text(encoding="utf-8")
    book = nbformat.reads(text, 4)
    nbformat.validate(book)
    assert len({cell.id for cell in book.cells}) == len(book.cells)
    assert text == stored(book), f"has output, counts or other metadata; run python {Path(__file__).relative_to(ROOT)}"


@pytest.mark.parametrize("name", TWINS)
def test_twins_have_the_same_code(name: str) -> None:
    english, spanish = (nbformat.read(BOOKS / each, 4) for each in (name, TWINS[name]))
    assert [(cell.id, cell.cell_type) for cell in english.cells] == [(cell.id, cell.cell_type) for cell in spanish.cells]
    for one, other in zip(code(english), code(spanish), strict=True):
        assert wordless(one) == wordless(other)


@pytest.mark.parametrize("name", TWINS)
def test_only_the_first_cell_names_the_city(name: str) -> None:
    for each in (name, TWINS[name]):
        below = "\n".join(code(nbformat.read(BOOKS / each, 4))[1:])
        for word in ("../data", "longitud", "latitud", "fecha_hecho", "id_caso", "barrio\"", "Lima"):
            assert f'"{word}' not in below, f"{each} names {word} below its first cell"


@pytest.mark.parametrize("name", ALL)
def test_links_lead_somewhere(name: str) -> None:
    text = "\n".join(cell.source for cell in nbformat.read(BOOKS / name, 4).cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^):#]+)\)", text):
        assert (BOOKS / name).parent.joinpath(target).exists(), f"{name} links to {target}"


@pytest.mark.parametrize("name", ALL)
def test_runs_on_the_sample(name: str, runs: Runs) -> None:
    warned = runs[name, "sample"].result()
    assert not [text for text in warned if "Warning" in text], warned


@pytest.mark.parametrize(("name", "city"), OTHERS)
def test_runs_on_another_file(name: str, city: str, runs: Runs) -> None:
    runs[name, city].result()


def test_wordless_sees_a_change() -> None:
    """What compares twins must tell programs apart."""
    assert wordless('print(f"{a} of {b}")  # so') == wordless('print(f"de {b}, {a}")')
    assert wordless('print(f"{a}")') != wordless('print(f"{b}")')
    assert wordless("f(x, 5)") != wordless("f(x, 6)")


if __name__ == "__main__":
    for name in ALL:
        path = BOOKS / name
        text = stored(nbformat.read(path, 4))
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as part:
            part.write(text)
        Path(part.name).replace(path)
