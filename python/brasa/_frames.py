"""Frames of Python as tables that the engine reads."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from brasa import _brasa
from brasa._errors import Error

# A million points lie all over the memory, and fetching them is what takes the time: several threads fetch at once, and the second
# axis of a part is asked for while the part is still near.
_AT_A_TIME = 1 << 16


def crs_code(crs: Any) -> str | None:
    """The code of a reference system, however it is written; ``None`` if there is none."""
    if crs is None:
        return None
    if isinstance(crs, int):
        return f"EPSG:{crs}"
    if isinstance(crs, str):
        text = crs.strip()
        if text.startswith("{"):
            about = json.loads(text).get("id", {})
            if about.get("authority") in ("EPSG", "OGC"):
                return f"{about['authority']}:{about['code']}"
        if text.upper().startswith(("EPSG:", "OGC:", "URN:")) or text.isdigit() or text.upper().startswith("WGS"):
            return text
    authority = getattr(crs, "to_authority", None)
    if authority is None:
        pyproj = _module("pyproj", "to understand a reference system that is not a code such as EPSG:32618")
        try:
            crs = pyproj.CRS.from_user_input(crs)
        except pyproj.exceptions.CRSError as error:
            raise Error(f"the reference system is none: {error}", code="crs_invalid") from error
        authority = crs.to_authority
    # Degrees on WGS 84 go by several names.
    for least in (100, 70, 20):
        found = authority(min_confidence=least)
        if found and found[0] == "EPSG":
            return f"EPSG:{found[1]}"
        if found and found[0] == "OGC" and found[1] == "CRS84":
            return "EPSG:4326"
    raise Error(
        f"the reference system has no EPSG code: {crs.name}",
        code="crs_unsupported",
        help="bring the frame to a system that has one, such as .to_crs(epsg=4326)",
    )


def _module(name: str, why: str) -> Any:
    """A package that is only needed here."""
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Error(f"{name} is needed {why}", code="package_missing", help=f"pip install {name}") from error


def no_crs(what: str) -> Error:
    """The error of places whose reference system nobody stated."""
    return Error(
        f"{what} has no reference system: nobody can tell degrees from metres",
        code="crs_missing",
        help='state it, such as crs="EPSG:4326" for longitude and latitude, or .set_crs(4326) on the frame',
    )


def table(data: Any, name: str, crs: Any = None, *, centroid: bool = False) -> Any:
    """A table of whatever holds rows."""
    if isinstance(data, _brasa.Table):
        return data
    if isinstance(data, tuple) and len(data) == 2:
        return _of_arrays(data, name, crs)
    if _is(data, "geopandas", "GeoDataFrame"):
        return _of_geometry(data, data.geometry, name, crs, centroid)
    if _is(data, "geopandas", "GeoSeries"):
        return _of_geometry(None, data, name, crs, centroid)
    if _is(data, "pandas", "DataFrame"):
        return _brasa.Table(name, len(data), crs_code(crs), [], _columns(data))
    if isinstance(data, Mapping) and not hasattr(data, "__arrow_c_stream__"):
        pandas = _module("pandas", "to read a dictionary of columns")
        return _brasa.Table(name, len(pandas.DataFrame(data)), crs_code(crs), [], _columns(pandas.DataFrame(data)))
    if isinstance(data, np.ndarray) and data.ndim == 2 and data.shape[1] == 2:
        return _of_arrays((data[:, 0], data[:, 1]), name, crs)
    if hasattr(data, "__geo_interface__") and hasattr(data, "geom_type"):
        return _of_shapes([data], name, crs)
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return _of_arrow(data, name, crs)
    raise Error(
        f"{name}: a {type(data).__name__} is not something with rows and places",
        code="input_unsupported",
        help="give a GeoDataFrame, a DataFrame or an Arrow table, two arrays (x, y) with crs=, or the path of a file",
    )


def _is(data: Any, package: str, name: str) -> bool:
    """Whether it is of a class of a package, without importing the package."""
    module = sys.modules.get(package)
    return module is not None and isinstance(data, getattr(module, name))


def _of_arrays(pair: Sequence[Any], name: str, crs: Any) -> Any:
    x, y = (np.ascontiguousarray(values, dtype=np.float64) for values in pair)
    if x.shape != y.shape or x.ndim != 1:
        raise Error(f"{name}: x and y are not two lists of the same length", code="input_unsupported")
    if crs is None:
        raise no_crs(name)
    return _brasa.Table(name, len(x), crs_code(crs), [x, y], [])


def _of_geometry(frame: Any, geometry: Any, name: str, crs: Any, centroid: bool) -> Any:
    stated = geometry.crs if geometry.crs is not None else crs
    if stated is None:
        raise no_crs(name)
    columns = [] if frame is None else _columns(frame.drop(columns=geometry.name))
    return _placed(np.asarray(geometry.array), name, stated, columns, centroid)


def _of_shapes(shapes: list[Any], name: str, crs: Any) -> Any:
    if crs is None:
        raise no_crs(name)
    found = np.empty(len(shapes), dtype=object)
    found[:] = shapes
    return _placed(found, name, crs, [], False)


def _placed(shapes: Any, name: str, crs: Any, columns: list[tuple[str, Any]], centroid: bool) -> Any:
    import shapely

    if centroid:
        others = (shapely.get_type_id(shapes) > 0) & ~shapely.is_empty(shapes)
        if others.any():
            shapes = shapes.copy()
            shapes[others] = shapely.centroid(shapes[others])
    places = _eastings_northings(shapes)
    if places is None:
        places = [_brasa.binary(list(shapely.to_wkb(shapes)))]
    return _brasa.Table(name, len(shapes), crs_code(crs), places, columns)


def _eastings_northings(shapes: Any) -> list[Any] | None:
    """Where points are, if all are points with a place; else the engine looks at each."""
    import shapely

    places = [np.empty(len(shapes)), np.empty(len(shapes))]

    def look(start: int) -> bool:
        part = slice(start, start + _AT_A_TIME)
        try:
            for axis, place in zip((shapely.get_x, shapely.get_y), places, strict=True):
                axis(shapes[part], out=place[part])
        except shapely.GEOSException:  # an empty point
            return False
        return not np.isnan(places[0][part]).any()

    with ThreadPoolExecutor() as several:
        return places if all(several.map(look, range(0, len(shapes), _AT_A_TIME))) else None


def _columns(frame: Any) -> list[tuple[str, Any]]:
    """The columns of a pandas frame; those with a name that is a text."""
    return [(str(name), _column(frame.iloc[:, at])) for at, name in enumerate(frame.columns)]


def _column(series: Any) -> Any:
    kind = series.dtype
    plain = getattr(kind, "kind", "O")
    if isinstance(kind, np.dtype):
        if plain == "f":
            return np.ascontiguousarray(series.to_numpy(), dtype=np.float64)
        if plain in "iu":
            return np.ascontiguousarray(series.to_numpy())
        if plain == "M":
            return _times(series.to_numpy(), None)
    elif plain == "M":
        # Times with a zone are instants.
        return _times(series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(), "UTC")
    return _texts(series)


def _times(values: Any, zone: str | None) -> Any:
    unit, _ = np.datetime_data(values.dtype)
    if unit not in ("s", "ms", "us", "ns"):
        values = values.astype("datetime64[s]")
        unit = "s"
    missing = np.isnat(values)
    return _brasa.times(np.ascontiguousarray(values).view(np.int64), ~missing, unit, zone)


def _texts(series: Any) -> Callable[[int, int], list[str | None]]:
    """Asks objects for their text, only of a column and of rows that are read."""

    def ask(start: int, end: int) -> list[str | None]:
        part = series.iloc[start:end]
        missing = part.isna().to_numpy()
        values = part.to_numpy(dtype=object, na_value=None)
        return [None if gone else _text(value) for value, gone in zip(values, missing, strict=True)]

    return ask


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    # A number that pandas made one for the sake of what is missing beside it.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _of_arrow(data: Any, name: str, crs: Any) -> Any:
    return _brasa.Table.from_arrow(name, data, crs_code(crs), crs_code)
