"""The tiles of a branch: leaves from the buildings in them, inner tiles from what their children hand up."""

from __future__ import annotations

from collections.abc import Callable

from tiles.leaves import Keep, bounds_over, drawn
from tiles.massing import Raster, massing_content, merged
from tiles.site import Site
from tiles.tree import Branch, Drawn, handed_up

Finish = Callable[[Branch], bool]
"""Makes a branch that is not made from its kids, and tells whether it did."""


def make(branch: Branch, above: Raster | None, site: Site, keep: Keep, finish: Finish) -> None:
    """Make all tiles of a branch that are not made yet, from below; ``above`` is the grid of the tile over it."""
    if branch.drawn is not None or finish(branch):
        return
    own = Raster.over(branch.cell) if branch.has_tile else above
    assert own is not None
    for kid in branch.kids:
        make(kid, own, site, keep, finish)
    branch.drawn = inner(branch, own, above, site, keep)


def inner(branch: Branch, own: Raster, above: Raster | None, site: Site, keep: Keep) -> Drawn:
    """Return the tile of a branch whose kids are made."""
    kids = [kid.drawn for kid in branch.kids if kid.drawn is not None]
    if not branch.has_tile:
        return Drawn(None, *bounds_over(None, kids), max(kid.error_m for kid in kids), None)
    items = handed_up(branch.kids)
    content, error_m = massing_content(items, own, site.chart) if len(items) else (None, 0.0)
    return drawn(content, error_m, kids, items if above is None else merged(items, [above])[0], keep)
