"""One function per line of the catalogue, with the names, the defaults and the words of the command line."""

from __future__ import annotations

import inspect
import json
import keyword
import os
import re
import sys
import textwrap
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any

from brasa import _brasa
from brasa._errors import Error

CATALOGUE: dict[str, Any] = json.loads(_brasa.catalogue())

#: Input options that Python says otherwise: `window` is the study area, and nothing is read in pieces.
_OWN = ("study-area", "study-area-layer", "stream")
#: What a call writes about itself at most.
_LONGEST = 60


class Parameter:
    """A keyword of a function, made from a property of a schema."""

    def __init__(self, key: str, about: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
        self.key = key
        self.name = key.replace("-", "_") + ("_" if keyword.iskeyword(key) else "")
        self.required = key in schema.get("required", [])
        reference = about.get("$ref") or next(
            (each["$ref"] for each in about.get("anyOf", []) if "$ref" in each), None
        )
        shared: Mapping[str, Any] = schema.get("$defs", {}).get(reference.rsplit("/", 1)[1], {}) if reference else about
        kind = shared.get("type")
        self.kind: str = kind[0] if isinstance(kind, list) else kind or "string"
        self.default = about.get("default")
        self.help: str = " ".join((about.get("description") or "").split()).rstrip(".")
        self.values: list[str] = list(shared.get("enum") or [])
        self.form: str | None = about.get("title") or shared.get("title")

    @property
    def is_file(self) -> bool:
        """Whether it names a file, in whose place a frame may stand."""
        return self.form == "FILE" or self.key == "zones"

    @property
    def is_optional(self) -> bool:
        return self.default is None and not self.required

    def given(self, value: Any) -> Any:
        """A value as the engine reads it."""
        if self.kind == "boolean" or (self.kind == "integer" and isinstance(value, int)):
            return value
        if isinstance(value, list | tuple | set):
            return ",".join(str(each) for each in value)
        return os.fspath(value) if isinstance(value, os.PathLike) else str(value)

    def signature(self) -> inspect.Parameter:
        default = inspect.Parameter.empty if self.required else self.default
        return inspect.Parameter(self.name, inspect.Parameter.KEYWORD_ONLY, default=default)


def _parameters(schema: Mapping[str, Any], left_out: tuple[str, ...] = ()) -> list[Parameter]:
    properties = schema.get("properties", {})
    return [Parameter(key, about, schema) for key, about in properties.items() if key not in left_out]


class Question:
    """What can be asked: a method, the main job or a plan."""

    def __init__(self, section: str, about: Mapping[str, Any] | None, schema: Mapping[str, Any], answer: str) -> None:
        self.section = section
        self.name = section.replace("-", "_")
        self.about = about
        self.answer = answer
        self.own = _parameters(schema)
        self.input = _parameters(CATALOGUE["input"], _OWN)
        is_folder = answer in ("Hotspots", "Plan")
        self.map = _parameters(CATALOGUE["map"]) if is_folder else []
        self.schema = schema

    def parameters(self) -> list[Parameter]:
        return [*sorted(self.own, key=lambda each: not each.required), *self.input, *self.map]


def questions() -> Iterator[Question]:
    """All there is to ask, in the order of the documentation."""
    yield Question("hotspots", None, CATALOGUE["hotspots"], "Hotspots")
    for method in CATALOGUE["methods"]:
        yield Question(method["name"], method["about"], method["schema"], method["answer"])
    for plan in CATALOGUE["plans"]:
        yield Question(f"plan-{plan['name']}", plan["about"], plan["schema"], "Plan")


#: What a function gives, by the engine's word for it.
RETURNS = {
    "Surface": "An ``xarray.DataArray``, the northernmost row first.",
    "SurfaceSeries": "An ``xarray.DataArray`` with the dimensions time, y and x.",
    "Risk": "An ``xarray.Dataset`` with ``log_ratio``, ``z``, ``p_high`` and ``p_low``, and ``.contours``.",
    "Isopleths": "A ``GeoDataFrame``, one feature per level.",
    "LocalStats": "A ``GeoDataFrame``, one feature per zone.",
    "Clusters": "A ``GeoDataFrame``, one feature per cluster; ``.labels`` says which row is in which.",
    "Features": "A ``GeoDataFrame``.",
    "Curve": "A ``DataFrame``, one row per step.",
    "Hotspots": "The hotspots, with ``.report(file)``, ``.to_folder(folder)`` and ``.explore()``.",
    "Plan": "The plan, with ``.layers``, ``.facts``, ``.limits``, ``.report(file)`` and ``.to_folder(folder)``.",
}


def _python(text: str) -> str:
    """The words of the command line as those of Python: `--min-points` is `min_points`."""
    text = re.sub(r"--([a-z][a-z0-9-]*[a-z0-9])", lambda found: found[1].replace("-", "_"), text)
    text = re.sub(r"`?brasa plan ([a-z]+)`?", r"brasa.plan_\1", text)
    return re.sub(r"\[`([a-z_]+)`\]", r"brasa.\1", text)


def documentation(question: Question) -> str:
    """What a function says about itself."""
    about = question.about
    lines = [about["question"] if about else "Where are the hotspots, how sure is that, and why?", ""]
    said = _python(" ".join((question.schema.get("description") or "").split()))
    if said:
        lines += [*textwrap.wrap(said, 96), ""]
    lines += [
        "Args:",
        "    data: A GeoDataFrame of points, an Arrow table, a DataFrame with columns of coordinates, two arrays (x, y)",
        "        with ``crs``, or the path of a file; a list of frames or of paths is read as one.",
    ]
    for parameter in question.parameters():
        default = "" if parameter.default is None else f" Default: {parameter.default}."
        lines += textwrap.wrap(
            f"{parameter.name}: {_python(parameter.help)}.{default}",
            96,
            initial_indent="    ",
            subsequent_indent="        ",
        )
    lines += [
        "    window: The study area: polygons as a GeoDataFrame, a shapely geometry or the path of a file; without it,",
        "        the area around the incidents is used and announced.",
        "    centroid: Take the centroid of what is no point, instead of setting the row aside.",
        "    progress: Show how far it is; by default where a terminal or a notebook is and tqdm is installed.",
        "",
        "Returns:",
        f"    {RETURNS[question.answer]} ``.provenance`` says how it was made, ``.notes`` what was chosen.",
    ]
    if about and about.get("units"):
        lines += ["", f"Units: {about['units']}."]
    if about and about.get("reference"):
        lines += ["", f"Reference: {about['reference']}."]
    lines += ["", "Raises:", "    Error: With the text, the code and the advice of the command line."]
    return "\n".join(lines)


def function(question: Question) -> Callable[..., Any]:
    """The function of a question."""
    parameters = question.parameters()
    keyword_only = inspect.Parameter.KEYWORD_ONLY
    signature = inspect.Signature(
        [
            inspect.Parameter("data", inspect.Parameter.POSITIONAL_ONLY),
            *sorted((each.signature() for each in parameters), key=lambda each: each.default is not each.empty),
            inspect.Parameter("window", keyword_only, default=None),
            inspect.Parameter("centroid", keyword_only, default=False),
            inspect.Parameter("progress", keyword_only, default=None),
        ]
    )

    def asked(*args: Any, **given: Any) -> Any:
        unknown = [name for name in given if name not in signature.parameters]
        if unknown:
            near = get_close_matches(unknown[0], signature.parameters, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise TypeError(f"brasa.{question.name}() has no parameter {unknown[0]!r}{hint}")
        try:
            bound = signature.bind(*args, **given)
        except TypeError as error:
            raise TypeError(f"brasa.{question.name}(): {error}") from None
        values = {name: value for name, value in bound.arguments.items() if value is not None}
        data = values.pop("data", None)
        return ask(question, data, values)

    asked.__name__ = asked.__qualname__ = question.name
    asked.__module__ = "brasa"
    asked.__doc__ = documentation(question)
    asked.__signature__ = signature  # type: ignore[attr-defined]
    return asked


def _said(name: str, given: Mapping[str, Any]) -> str:
    """The call, for the record."""
    parts = []
    for key, value in given.items():
        shown = repr(value) if isinstance(value, str | int | float | bool) else f"<{type(value).__name__}>"
        parts.append(f"{key}={shown if len(shown) <= _LONGEST else shown[:_LONGEST] + '…'}")
    return f"brasa.{name}({', '.join(['incidents', *parts])})"


def ask(question: Question, data: Any, given: dict[str, Any]) -> Any:
    """Asks the engine."""
    from brasa import _answers, _frames

    command = _said(question.name, {key: value for key, value in given.items() if key != "progress"})
    progress, centroid = given.pop("progress", None), given.pop("centroid", False)
    window, crs = given.pop("window", None), given.get("crs")
    tables: list[Any] = []

    def path(value: Any, name: str, system: Any = None) -> str:
        if isinstance(value, str | os.PathLike):
            return os.fspath(value)
        tables.append(_frames.table(value, name, system, centroid=centroid and value is not window))
        return str(tables[-1].path)

    several = isinstance(data, list) and bool(data) and not isinstance(data[0], int | float)
    sources = data if several else [data]
    names = ["incidents"] if len(sources) == 1 else [f"incidents-{at}" for at in range(1, len(sources) + 1)]
    if "crs" in given:
        given["crs"] = _frames.crs_code(crs)
    frames = [source for source in sources if not isinstance(source, str | os.PathLike)]
    files = [path(source, name, crs) for source, name in zip(sources, names, strict=True)]
    # What a frame states about itself is not said again.
    if frames and all(getattr(getattr(frame, "geometry", None), "crs", None) is not None for frame in frames):
        given.pop("crs", None)
    options: dict[str, Any] = {}
    if window is not None:
        system = crs if getattr(window, "crs", None) is None else None
        options["study-area"] = path(window, "window", system)
    sections: dict[str, dict[str, Any]] = {"input": options, "own": {}, "map": {}}
    for section, parameters in (("input", question.input), ("own", question.own), ("map", question.map)):
        for parameter in parameters:
            if parameter.name in given:
                value = given[parameter.name]
                is_frame = parameter.is_file and not isinstance(value, str | os.PathLike)
                shown = path(value, parameter.name, crs) if is_frame else parameter.given(value)
                sections[section][parameter.key] = shown
    # Frames of pandas say what each row is called.
    index = getattr(data, "index", None) if hasattr(data, "iloc") else None
    with _Progress(question.name, progress) as told:
        reply = _brasa.ask(
            question.section,
            files,
            json.dumps(sections["input"]),
            json.dumps(sections["own"]),
            json.dumps(sections["map"]),
            command,
            told,
        )
    found = reply.data()
    lang = given.get("lang") or "en"
    if question.answer == "Hotspots":
        answered: Any = _answers.Hotspots(found, reply, index, lang)
    elif question.answer == "Plan":
        answered = _answers.Plan(found, reply, index, lang)
    else:
        answered = _answers.answer(found, reply, index)
    for note in answered.notes:
        warnings.warn(note, stacklevel=3)
    return answered


class _Progress:
    """Shows how far a call is, once it takes its time."""

    #: Seconds after which somebody wonders.
    PATIENCE = 0.7

    def __init__(self, name: str, wanted: bool | None) -> None:
        self.name = name
        self.bar: Any = None
        self.phase: str | None = None
        self.began = time.monotonic()
        self.wanted = wanted if wanted is not None else sys.stderr.isatty() or "ipykernel" in sys.modules

    def __enter__(self) -> Callable[[str, int, int], None] | None:
        return self.told if self.wanted else None

    def told(self, phase: str, done: int, of: int) -> None:
        if time.monotonic() - self.began < self.PATIENCE:
            return
        if self.bar is None or phase != self.phase:
            try:
                # Without ipywidgets tqdm warns in a notebook, and its line of text does as well.
                if "ipykernel" in sys.modules and find_spec("ipywidgets"):
                    from tqdm.auto import tqdm
                else:
                    from tqdm import tqdm
            except ImportError:
                return
            self.close()
            self.bar, self.phase = tqdm(total=of, desc=f"brasa.{self.name}", unit=f" {phase}", leave=False), phase
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def __exit__(self, *_: object) -> None:
        self.close()


QUESTIONS = list(questions())
FUNCTIONS: dict[str, Callable[..., Any]] = {question.name: function(question) for question in QUESTIONS}

__all__ = ["CATALOGUE", "FUNCTIONS", "QUESTIONS", "Error"]
