"""Answers of the engine as what Python works with: GeoDataFrame, DataArray, DataFrame; where their packages are missing, NumPy."""

from __future__ import annotations

import base64
import functools
import html
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brasa._errors import Note


class About:
    """How an answer was made and what is to be known of it."""

    def __init__(self, data: Mapping[str, Any], reply: Any, index: Any = None, lang: str = "en") -> None:
        self.provenance: dict[str, Any] = json.loads(data["provenance"])
        self.notes: list[Note] = [note(about) for about in json.loads(data["notes"])]
        self._rejected, self._labelled, self._index = data["rejects"], data.get("labels"), index
        self._reply = reply
        self._lang = lang

    @functools.cached_property
    def rejects(self) -> Any:
        """The rows that could not be used, each with its reason; a frame that is made when somebody looks."""
        return rejects(self._rejected, self._index)

    @functools.cached_property
    def labels(self) -> Any:
        """Which row is in which cluster, of an answer with clusters; made when somebody looks, too."""
        return None if self._labelled is None else labels(self._labelled, self._index)

    def picture(self) -> str | None:
        """A small map, as SVG."""
        svg: str | None = self._reply.picture(self._lang)
        return svg


def note(about: Mapping[str, Any]) -> Note:
    """A note of the engine as a warning."""
    return Note(
        about["text"],
        code=about["code"],
        value=about.get("value"),
        unit=about.get("unit"),
        reason=about.get("reason"),
    )


def rejects(found: list[tuple[Any, ...]], index: Any) -> Any:
    """The rows that could not be used, each with its reason."""
    columns: dict[str, Any] = {
        "row": [row for _, row, *_ in found],
        "reason": [reason for *_, reason, _, _ in found],
        "column": [column for *_, column, _ in found],
        "value": [value for *_, value in found],
    }
    pandas = package("pandas")
    if pandas is None:
        return columns
    labels = None if index is None else [index[row - 1] for row in columns["row"]]
    return pandas.DataFrame(columns, index=labels)


def package(name: str) -> Any:
    """A package, if it is there."""
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


class Told:
    """Whatever says how it was made."""

    __slots__ = ()
    _about: About

    @property
    def provenance(self) -> dict[str, Any]:
        """How it was made."""
        return self._about.provenance

    @property
    def notes(self) -> list[Note]:
        """What was chosen or noticed on the way."""
        return self._about.notes

    @property
    def rejects(self) -> Any:
        """The rows that could not be used, each with its reason."""
        return self._about.rejects


class Columns(Told, dict[str, Any]):
    """Columns of NumPy, where there is no frame to put them in."""

    def __init__(self, columns: Mapping[str, Any], about: About) -> None:
        super().__init__(columns)
        self._about = about

    @property
    def labels(self) -> Any:
        """Which row is in which cluster, of clusters."""
        return self._about.labels


def _shown(about: About, below: str) -> str:
    """A small map above what a frame or a surface shows of itself."""
    svg = about.picture()
    said = "".join(f"<li>{html.escape(str(note))}</li>" for note in about.notes)
    notes = f"<details><summary>{len(about.notes)} notes</summary><ul>{said}</ul></details>" if said else ""
    small = ""
    if svg:
        # As an image it takes the width there is, and what its parts are called is of no account to the next one.
        data = base64.b64encode(svg.encode()).decode()
        name = html.escape(str(about.provenance["method"]))
        small = f'<img style="width:100%;max-width:800px;background:#fff" alt="{name}" src="data:image/svg+xml;base64,{data}">'
    return f"<div>{small}{notes}{below}</div>"


def _frame_class() -> Any:
    import geopandas

    class Layer(Told, geopandas.GeoDataFrame):  # type: ignore[misc]
        """Features with how they were made.

        A part or a copy of it is a plain ``GeoDataFrame``.
        """

        _metadata = [*geopandas.GeoDataFrame._metadata, "_about", "_titles"]
        _titles: dict[str, tuple[str, str]]

        @property
        def titles(self) -> dict[str, tuple[str, str]]:
            """What each column is and its unit."""
            return self._titles

        def _repr_html_(self) -> str:
            return _shown(self._about, super()._repr_html_())

    class Clusters(Layer):
        """One feature per cluster, and who is in which."""

        @property
        def labels(self) -> Any:
            """One line per row that was used: its cluster, ``<NA>`` for noise, and whether it is a core."""
            return self._about.labels

    return Layer, Clusters


def _surface_class() -> Any:
    import xarray

    class Surface(Told, xarray.DataArray):  # type: ignore[no-untyped-call]
        """Intensity per cell with how it was made. What is computed from it is a plain ``DataArray``."""

        __slots__ = ("_about",)

        def _repr_html_(self) -> str:
            return _shown(self._about, super()._repr_html_())  # type: ignore[no-untyped-call]

    class Surfaces(Told, xarray.Dataset):  # type: ignore[no-untyped-call]
        """Several surfaces of one grid with how they were made."""

        __slots__ = ("_about", "_contours")

        @property
        def contours(self) -> Any:
            """Where one pattern has more or less than its share, at several levels of p."""
            return self._contours

        def _repr_html_(self) -> str:
            return _shown(self._about, super()._repr_html_())

    return Surface, Surfaces


def _table_class() -> Any:
    import pandas

    class Curve(Told, pandas.DataFrame):
        """A function of one variable, a row per step, with how it was made."""

        _metadata = ["_about", "_titles", "_title", "_best"]
        _titles: dict[str, tuple[str, str]]
        _title: str
        _best: int | None

        @property
        def titles(self) -> dict[str, tuple[str, str]]:
            """What each column is and its unit."""
            return self._titles

        @property
        def title(self) -> str:
            """What it shows."""
            return self._title

        @property
        def best(self) -> int | None:
            """The row that is best, where the curve was drawn to find it."""
            return self._best

    return Curve


_CLASSES: dict[str, Any] = {}


def kind(name: str) -> Any:
    """One of the classes of answers; its package is imported when it is first needed."""
    if name not in _CLASSES:
        if name in ("Layer", "Clusters"):
            _CLASSES["Layer"], _CLASSES["Clusters"] = _frame_class()
        elif name == "Curve":
            _CLASSES[name] = _table_class()
        else:
            _CLASSES["Surface"], _CLASSES["Surfaces"] = _surface_class()
        _CLASSES[name].__module__, _CLASSES[name].__qualname__ = "brasa", name
    return _CLASSES[name]


def layer(data: Mapping[str, Any], about: About, *, clusters: bool = False) -> Any:
    """A layer as a GeoDataFrame."""
    columns: dict[str, Any] = {}
    pandas, geopandas = package("pandas"), package("geopandas")
    for name, _, _, what, values, known in data["columns"]:
        columns[name] = _values(what, values, known, pandas)
    if geopandas is None:
        return Columns({**columns, "geometry": data["wkb"]}, about)
    import shapely

    shapes = np.empty(len(data["wkb"]), dtype=object)
    shapes[:] = data["wkb"]
    frame = kind("Clusters" if clusters else "Layer")(
        columns,
        geometry=shapely.from_wkb(shapes),
        crs=data["crs"],
        index=pandas.Index(data["id"], name="id"),
    )
    frame._about = about
    frame._titles = {name: (title, unit) for name, title, unit, *_ in data["columns"]}
    return frame


def _values(what: str, values: Any, known: Any, pandas: Any) -> Any:
    if what == "time":
        times = values.astype("datetime64[s]")
        times[~known] = np.datetime64("NaT")
        return times
    if what == "integer" and pandas is not None and not known.all():
        return pandas.arrays.IntegerArray(values, ~known)
    return values


def surface(data: Mapping[str, Any], about: About) -> Any:
    """A surface as a DataArray, the northernmost row first."""
    found = _array(data, about, data["values"][::-1], ("y", "x"), {})
    if not isinstance(found, Columns):
        found.name = data["name"]
    return found


def series(data: Mapping[str, Any], about: About) -> Any:
    """A surface in slices of time as a DataArray with the begin of each slice as its time."""
    coords = {
        "time": data["start"].astype("datetime64[s]"),
        "end": ("time", data["end"].astype("datetime64[s]")),
    }
    found = _array(data, about, data["values"][:, ::-1], ("time", "y", "x"), coords)
    if not isinstance(found, Columns):
        found.name = "intensity"
    return found


def _array(data: Mapping[str, Any], about: About, values: Any, dims: tuple[str, ...], coords: Any) -> Any:
    if package("xarray") is None:
        plain = {name: value for name, value in coords.items() if not isinstance(value, tuple)}
        return Columns({"values": values, "x": data["x"], "y": data["y"][::-1], **plain}, about)
    found = kind("Surface")(
        np.ascontiguousarray(values),
        dims=dims,
        coords={**coords, "x": data["x"], "y": data["y"][::-1], "spatial_ref": 0},
        attrs={"units": data["unit"], "grid_mapping": "spatial_ref", "method": about.provenance["method"]},
    )
    for axis in ("x", "y"):
        found[axis].attrs.update(units="metre", axis=axis.upper(), standard_name=f"projection_{axis}_coordinate")
    code = next(record["crs_out"] for record in about.provenance["inputs"] if record.get("crs_out"))
    found["spatial_ref"].attrs.update(_system(code))
    found._about = about
    return found


@functools.cache
def _system(code: str) -> dict[str, Any]:
    """The reference system as the CF conventions write it, which rioxarray and QGIS read."""
    pyproj = package("pyproj")
    if pyproj is None:
        return {"epsg_code": code}
    attributes: dict[str, Any] = pyproj.CRS.from_user_input(code).to_cf()
    attributes["spatial_ref"] = attributes["crs_wkt"]
    return attributes


def surfaces(found: list[Mapping[str, Any]], about: About, contours: Any) -> Any:
    """Several surfaces of one grid as a Dataset."""
    arrays = {data["name"]: surface(data, about) for data in found}
    if package("xarray") is None:
        return Columns({**arrays, "contours": contours}, about)
    import xarray

    dataset = kind("Surfaces")({name: xarray.DataArray(array) for name, array in arrays.items()})
    dataset._about = about
    dataset._contours = contours
    return dataset


def curve(data: Mapping[str, Any], about: About) -> Any:
    """A curve as a DataFrame, a row per step."""
    columns = {name: values for name, _, _, values in data["columns"]}
    if package("pandas") is None:
        return Columns(columns, about)
    frame = kind("Curve")(columns)
    frame._about = about
    frame._titles = {name: (title, unit) for name, title, unit, _ in data["columns"]}
    frame._title = data["title"]
    frame._best = data["best"]
    return frame


def labels(found: Mapping[str, Any], index: Any) -> Any:
    """Which row is in which cluster: one line per row that was used."""
    cluster = found["cluster"]
    columns = {"row": found["row"], "cluster": cluster, "core": found["core"]}
    columns.update({name: found[name] for name in ("membership", "outlier", "file") if name in found})
    pandas = package("pandas")
    if pandas is None:
        return columns
    columns["cluster"] = pandas.arrays.IntegerArray(cluster, cluster == 0)
    frame = pandas.DataFrame(columns)
    if index is not None:
        frame.index = index[found["row"] - 1]
    return frame


def answer(data: Mapping[str, Any], reply: Any, index: Any) -> Any:
    """The answer of a method."""
    about = About(data, reply, index)
    if "curve" in data:
        return curve(data["curve"], about)
    if "series" in data:
        return series(data["series"], about)
    if len(data["surfaces"]) > 1:
        return surfaces(data["surfaces"], about, layer(data["layers"][0], about))
    if data["surfaces"]:
        return surface(data["surfaces"][0], about)
    return layer(data["layers"][0], about, clusters="labels" in data)


class Folder(Told):
    """What leaves a folder on the command line: layers, a page, a map."""

    def __init__(self, data: Mapping[str, Any], reply: Any, index: Any, lang: str) -> None:
        self._about = About(data, reply, index, lang)
        self._reply = reply
        self._lang = lang
        #: What all of it is called.
        self.title: str = data["title"]
        #: The layers by name.
        self.layers: dict[str, Any] = {each["name"]: layer(each, self._about) for each in data["layers"]}

    def _page(self, lang: str | None) -> str:
        page: str = self._reply.page(lang or self._lang)
        return page

    def report(self, path: str | Path, *, lang: str | None = None) -> Path:
        """Writes the page: one file that opens in any browser, without a network.

        Args:
            path: Where to; what is there is replaced.
            lang: ``en``, ``es`` or ``pt``.
        """
        path = Path(path)
        part = path.with_name(f".{path.name}.part")
        part.write_text(self._page(lang), encoding="utf-8")
        part.replace(path)
        return path

    def to_folder(self, path: str | Path, *, force: bool = False, lang: str | None = None) -> dict[str, Any]:
        """Writes the folder that the command line leaves, as far as it needs no GDAL, and gives its manifest.

        Args:
            path: A folder that is not there yet.
            force: Whether to replace one that is.
            lang: ``en``, ``es`` or ``pt``.
        """
        manifest: dict[str, Any] = json.loads(self._reply.to_folder(str(path), force, lang or self._lang))
        return manifest

    def explore(self, *, height: int = 720, lang: str | None = None) -> Any:
        """The page, inside a notebook; it asks no network for anything."""
        return _Page(self._page(lang), height)

    def _repr_html_(self) -> str:
        return _shown(self._about, "")


class _Page:
    """A page inside a notebook."""

    def __init__(self, page: str, height: int) -> None:
        self.page = page
        self.height = height

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(self.page)}" width="100%" height="{self.height}" '
            'style="border:1px solid #ccc" sandbox="allow-scripts"></iframe>'
        )


class Hotspots(Folder):
    """The main job: ranked, significant, outlined hotspots with everything needed to judge them."""

    def __init__(self, data: Mapping[str, Any], reply: Any, index: Any, lang: str) -> None:
        super().__init__(data, reply, index, lang)
        #: The hotspots by rank.
        self.hotspots = self.layers["hotspots"]
        #: The zones behind them.
        self.zones = self.layers["zones"]
        #: The area the statistics speak of.
        self.study_area = self.layers["study_area"]
        #: The density behind them.
        self.density = surface(data["surfaces"][0], self._about)
        #: How much of the area holds how many of the incidents.
        self.concentration = curve(data["curve"], self._about)

    def __len__(self) -> int:
        return len(self.hotspots)

    def __repr__(self) -> str:
        return f"<{self.title}: {len(self)} hotspots>"


class Plan(Folder):
    """Who goes where, or what is put where, and what that comes to."""

    def __init__(self, data: Mapping[str, Any], reply: Any, index: Any, lang: str) -> None:
        super().__init__(data, reply, index, lang)
        self._listed: str = data["listed"]
        #: Figures and what they are.
        self.facts: list[tuple[str, str]] = data["facts"]
        #: What the plan optimises, what is known to work and what is not known.
        self.limits: list[str] = data["limits"]
        #: What one more unit, area or site buys, if several were asked for.
        self.coverage = curve(data["curve"], self._about) if "curve" in data else None

    @property
    def listed(self) -> Any:
        """The layer that the plan is about: areas, districts or sites."""
        return self.layers[self._listed]

    def __repr__(self) -> str:
        facts = "; ".join(f"{figure} {text}".strip() for figure, text in self.facts)
        return f"<{self.title}: {facts}>"

    def _repr_html_(self) -> str:
        said = "".join(f"<li><b>{html.escape(figure)}</b> {html.escape(text)}</li>" for figure, text in self.facts)
        return _shown(self._about, f"<ul>{said}</ul>")


__all__ = ["About", "Columns", "Folder", "Hotspots", "Plan", "answer"]
