"""brasa: where incidents concentrate, how sure that is, and what to do with it.

The same engine as the command line: the same guesses, announced as notes, the same numbers to the last bit. Hand it a
GeoDataFrame and get one back::

    import brasa

    found = brasa.hotspots(incidents, window=city)
    found.hotspots          # a GeoDataFrame, ranked
    found.report("hotspots.html")

    brasa.kde(incidents, bandwidth="500m", cell="100m")      # an xarray.DataArray
    brasa.dbscan(incidents, eps="200m", min_points=10)       # a GeoDataFrame, with .labels
    brasa.methods()                                          # all there is to ask

brasa scores places, never persons.
"""

from typing import Any

from brasa import _brasa
from brasa._errors import Error, Note
from brasa._methods import FUNCTIONS as _FUNCTIONS
from brasa._methods import QUESTIONS as _QUESTIONS
from brasa.tiles import merge_dbscan, merge_kde, tile_dbscan, tile_explode, tile_kde

__version__: str = _brasa.__version__

globals().update(_FUNCTIONS)


def methods() -> dict[str, str]:
    """All there is to ask: the name of each function and the question it answers."""
    return {question.name: (_FUNCTIONS[question.name].__doc__ or "").split("\n", 1)[0] for question in _QUESTIONS}


def __getattr__(name: str) -> Any:
    if name in ("Layer", "Clusters", "Surface", "Surfaces", "Curve"):
        from brasa import _answers

        return _answers.kind(name)
    from difflib import get_close_matches

    near = get_close_matches(name, _FUNCTIONS, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise AttributeError(f"brasa has no {name!r}{hint}")


__all__ = [
    "Error",
    "Note",
    "__version__",
    "merge_dbscan",
    "merge_kde",
    "methods",
    "tile_dbscan",
    "tile_explode",
    "tile_kde",
    *_FUNCTIONS,
]
