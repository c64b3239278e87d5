"""Methods cut into tiles, for engines that deal rows out to many machines.

Each function is pure and found by its name, so that a worker can be sent it: Arrow in, Arrow out, texts and numbers as
parameters; no disk, no state, one thread. Coordinates are metres in the columns ``x`` and ``y``; which system they are in
is the caller's matter, and the same for all rows. A table is whatever speaks Arrow's C stream: of pyarrow, polars and
others. What comes back is a table of pyarrow or polars if that is what came in, else an object that either can read.

Merged tiles are *the* answer of one run over all rows, to the last bit, whatever the tiles and their order:

Density
    ``merge_kde`` of any parts equals ``merge_kde`` of one ``tile_kde`` over everything. What crosses a border is a sum, so it
    is a sum of whole numbers: each row adds ``w · K(d/h)`` to each cell around it, in its own tile or not, cut off after the
    eighteenth decimal (``sum`` is a decimal of 38 digits). So rows need no halo and no grouping by tile, partial sums can
    be merged again in any tree, and ``GROUP BY cell_x, cell_y`` with ``SUM(sum)`` does the same in a database. From
    ``brasa.kde`` the density differs by at most 1e-9 of the peak, which is what ``brasa.kde`` itself promises. Not by nothing:
    that adds doubles from west to east over the whole study area, and no tile sees all of a row. Its bits are met where
    no rounding is: with the uniform kernel and whole weights.

Clusters
    ``merge_dbscan`` equals the labels of ``brasa.dbscan``: the same numbers, cores and noise. What crosses a border is a neighbour,
    so a tile needs a halo, of twice ``eps``: within ``eps`` of the tile, whoever is a core must be known, and their
    neighbours reach ``eps`` further. A halo that is narrower is refused.

::

    import brasa

    tiles = dict(tile="5km", halo="400m")
    rows = brasa.tile_explode(table, **tiles)
    parts = [brasa.tile_dbscan(part, **tiles, eps="200m", min_points=10) for part in by_tile(rows)]
    labels = brasa.merge_dbscan(parts)          # row, cluster, core
    sums = [brasa.tile_kde(part, bandwidth="500m", cell="100m") for part in anyhow(table)]
    density = brasa.merge_kde(sums, bandwidth="500m", cell="100m")
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

from brasa import _brasa

__all__ = ["ArrowTable", "merge_dbscan", "merge_kde", "tile_dbscan", "tile_explode", "tile_kde"]


@runtime_checkable
class ArrowTable(Protocol):
    """A table that speaks the C stream interface of Arrow."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A capsule with the rows."""
        ...


def tile_explode(table: ArrowTable, *, tile: str, halo: str | None = None) -> Any:
    """Each row for its own tile, and for every tile in whose halo it lies.

    Tiles are squares at whole multiples of their side: the tile of a place is ``floor(x / tile)``, ``floor(y / tile)``, so
    that a place on a border belongs to the north-eastern tile. The halo of a tile is the ring of that width around it,
    square at the corners. Without a halo each row is there once.

    Args:
        table: Rows with ``x`` and ``y``; other columns come along.
        tile: The side of a tile, such as ``"5km"``.
        halo: The width of the halo, such as ``"400m"``, at most 16 tiles; without it there is none.

    Returns:
        The table with ``tile_x``, ``tile_y`` (whole numbers) and ``own`` (whether the row is the tile's own). A column ``row``
        numbers the rows, from 0, if there is none. A table that is itself a part of the whole needs to bring it along.

    Raises:
        Error: When a column is missing or a coordinate is not a finite number.
    """
    return _like(_brasa.tile_explode(table, tile, halo), [table])


def tile_kde(table: ArrowTable, *, bandwidth: str, cell: str, kernel: str = "quartic", weight: str | None = None) -> Any:
    """What rows add to the cells around them.

    Any rows: those of a tile, of a file, of a batch. Where there is a column ``own``, only those count for which it is true.

    Args:
        table: Rows with ``x`` and ``y``.
        bandwidth: Support radius of the kernel (standard deviation of the gaussian), such as ``"500m"``.
        cell: Side of a cell, such as ``"100m"``; a cell is ``floor(x / cell)``, ``floor(y / cell)``.
        kernel: uniform, triangular, epanechnikov, quartic, triweight or gaussian.
        weight: The column with the weight of each row, finite and not negative; without it each counts once.

    Returns:
        ``cell_x``, ``cell_y`` and ``sum``: Σ w · K(d/h) at the centre of the cell as a decimal with 18 places, from the south-west.
        Cells where nothing reaches are left out.

    Raises:
        Error: When a place or a weight cannot be used, or weights add up to more than 1e19.
    """
    return _like(_brasa.tile_kde(table, bandwidth, cell, kernel, weight), [table])


def merge_kde(
    tables: ArrowTable | Iterable[ArrowTable], *, bandwidth: str, cell: str, kernel: str = "quartic"
) -> Any:
    """The density, out of what ``tile_kde`` gave for all the parts.

    The parts' parameters are said once more, because a table does not know them. What this gives can be merged again.

    Args:
        tables: The parts in any order, or one table that holds them all.
        bandwidth: As in ``tile_kde``.
        cell: As in ``tile_kde``.
        kernel: As in ``tile_kde``.

    Returns:
        ``cell_x``, ``cell_y``, ``sum``, the centre of the cell as ``x`` and ``y``, and ``density`` in incidents (or their weights) per km².

    Raises:
        Error: When a column is missing or a sum has more than 38 digits.
    """
    parts = _parts(tables)
    return _like(_brasa.merge_kde(parts, bandwidth, cell, kernel), parts)


def tile_dbscan(
    table: ArrowTable, *, tile: str, halo: str, eps: str, min_points: int = 5, weight: str | None = None
) -> Any:
    """The clusters of one tile, for ``merge_dbscan``.

    Args:
        table: The rows of one tile and of its halo, as ``tile_explode`` gives them: ``x``, ``y``, ``row``, ``tile_x``, ``tile_y``, ``own``.
        tile: As in ``tile_explode``.
        halo: As in ``tile_explode``, twice ``eps`` or more.
        eps: Radius within which incidents are neighbours, such as ``"200m"``.
        min_points: Incidents within eps, its own included, that make a place a core.
        weight: The column with the weight of each row, finite and not negative; without it each counts once.

    Returns:
        All rows of the tile and, from the halo, one per place that is a core: ``tile_x``, ``tile_y``, ``row``, ``x``, ``y``, ``weight``
        where there are weights, ``own``, ``core`` and ``cluster``, whose number means nothing outside the tile.

    Raises:
        Error: When the halo is too narrow, or the rows are not those of one tile.
    """
    return _like(_brasa.tile_dbscan(table, tile, halo, eps, min_points, weight), [table])


def merge_dbscan(tables: ArrowTable | Iterable[ArrowTable]) -> Any:
    """The clusters of the whole, out of what ``tile_dbscan`` gave for all tiles.

    Args:
        tables: What was given for the tiles, in any order, or one table that holds it all.

    Returns:
        One line per row of the whole, by ascending ``row``: ``cluster`` (from 1 for the heaviest, null for noise) and ``core``.

    Raises:
        Error: When a tile is missing or there twice, or tiles were not clustered alike.
    """
    parts = _parts(tables)
    return _like(_brasa.merge_dbscan(parts), parts)


def _parts(tables: ArrowTable | Iterable[ArrowTable]) -> list[ArrowTable]:
    return [tables] if isinstance(tables, ArrowTable) else list(tables)


def _like(found: Any, given: list[ArrowTable]) -> Any:
    """A table of the library that the first of the given ones is of."""
    package = type(given[0]).__module__.partition(".")[0] if given else ""
    if package == "polars":
        return sys.modules[package].DataFrame(found)
    if package == "pyarrow":
        return sys.modules[package].table(found)
    return found
