"""Writes the stub of the package out of its own catalogue: `python -P stubs.py` into `brasa/__init__.pyi`.

The stub is part of the wheel and not of the repository: what it says is what the engine's schemas say.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

from brasa._methods import QUESTIONS, Parameter, documentation

HEAD = '''\
"""brasa: where incidents concentrate, how sure that is, and what to do with it."""

from typing import Any, Literal, TypeAlias

import geopandas
import pandas
import xarray

from brasa._answers import Hotspots, Plan
from brasa._errors import Error as Error
from brasa._errors import Note as Note
from brasa.tiles import merge_dbscan as merge_dbscan
from brasa.tiles import merge_kde as merge_kde
from brasa.tiles import tile_dbscan as tile_dbscan
from brasa.tiles import tile_explode as tile_explode
from brasa.tiles import tile_kde as tile_kde

__version__: str

def methods() -> dict[str, str]:
    """All there is to ask: the name of each function and the question it answers."""

class About:
    """How an answer was made and what is to be known of it."""

    @property
    def provenance(self) -> dict[str, Any]: ...
    @property
    def notes(self) -> list[Note]: ...
    @property
    def rejects(self) -> pandas.DataFrame: ...

class Layer(About, geopandas.GeoDataFrame):  # type: ignore[misc]
    """Features with how they were made."""

    @property
    def titles(self) -> dict[str, tuple[str, str]]: ...

class Clusters(Layer):
    """One feature per cluster, and who is in which."""

    @property
    def labels(self) -> pandas.DataFrame: ...

class Surface(About, xarray.DataArray):  # type: ignore[no-untyped-call]
    """Intensity per cell with how it was made."""

class Surfaces(About, xarray.Dataset):  # type: ignore[no-untyped-call]
    """Several surfaces of one grid with how they were made."""

    @property
    def contours(self) -> Layer: ...

class Curve(About, pandas.DataFrame):
    """A function of one variable, a row per step, with how it was made."""

    @property
    def titles(self) -> dict[str, tuple[str, str]]: ...
    @property
    def title(self) -> str: ...
    @property
    def best(self) -> int | None: ...

#: Something with rows and places: a frame, an Arrow table, two arrays, the path of a file; or several.
Rows: TypeAlias = Any
#: A file, or a frame in its place.
Frame: TypeAlias = Any
'''

RETURNS = {
    "Surface": "Surface",
    "SurfaceSeries": "Surface",
    "Risk": "Surfaces",
    "Isopleths": "Layer",
    "LocalStats": "Layer",
    "Clusters": "Clusters",
    "Features": "Layer",
    "Curve": "Curve",
    "Hotspots": "Hotspots",
    "Plan": "Plan",
}


def kind(parameter: Parameter) -> str:
    """The type of a keyword."""
    if parameter.is_file:
        base = "Frame"
    elif parameter.kind == "integer":
        base = "int"
    elif parameter.kind == "boolean":
        base = "bool"
    elif parameter.values:
        base = f"Literal[{', '.join(repr(value) for value in parameter.values)}]"
    elif parameter.key in ("crs",):
        base = "Any"
    else:
        base = "str"
    return f"{base} | None" if parameter.is_optional else base


def function(name: str, answer: str, parameters: list[Parameter], words: str) -> str:
    """The stub of a function."""
    lines = [f"def {name}(", "    data: Rows,", "    /,", "    *,"]
    for parameter in sorted(parameters, key=lambda each: not each.required):
        default = "" if parameter.required else f" = {parameter.default!r}"
        lines.append(f"    {parameter.name}: {kind(parameter)}{default},")
    lines += [
        "    window: Frame | None = None,",
        "    centroid: bool = False,",
        "    progress: bool | None = None,",
        f") -> {RETURNS[answer]}:",
        textwrap.indent(f'"""{words}\n"""', "    ", lambda line: bool(line.strip())),
    ]
    return "\n".join(lines)


def stub() -> str:
    """The whole stub."""
    parts = [
        function(question.name, question.answer, question.parameters(), documentation(question))
        for question in QUESTIONS
    ]
    return "\n\n".join([HEAD, *parts]) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "brasa" / "__init__.pyi"
    target.write_text(stub(), encoding="utf-8")
