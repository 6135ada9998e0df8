"""Check a CQL2 filter (OGC 21-065r2): only functions and properties that are known here get through.  Pure.

The grammar is the ``cql2`` library's.  It reads by recursion, on the machine's stack, and lets any function and any
name pass; so what is asked is measured before it is read, and every node is looked at after.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Final, get_args

import cql2
import orjson
import shapely

from cim.errors import InvalidInput
from cim.features.conditions import (
    AllOf,
    Always,
    AnyOf,
    Between,
    Compare,
    Comparison,
    Condition,
    Constant,
    Folded,
    Like,
    Meets,
    Named,
    Negated,
    OneOf,
    Operand,
    Unknown,
)
from cim.features.crs import LONGITUDE_LATITUDE, FeatureCrs, east_first
from cim.features.model_types import PropertyType

FILTER_CHARACTERS_MAX: Final = 4_000
FILTER_NESTING_MAX: Final = 32
"""Brackets inside brackets, NOTs after each other."""
FILTER_NODES_MAX: Final = 2_000
FILTER_POSITIONS_MAX: Final = 2_000
"""Positions of the shapes of one filter."""

GEOMETRY: Final = "geometry"
"""The name of a feature's place in a filter."""

LANGS: Final = ("cql2-text", "cql2-json", "cql-text")
"""Languages of filters; the last is what drafts called the first, and the only one that GDAL 3.12 looks for."""

_TEXTS: Final = re.compile(r"'(?:[^']|'')*'")
_NOTS: Final = re.compile(r"\bnot\b", re.IGNORECASE)
_SIGNS: Final = re.compile(r"-\s*-")
_COMPARISONS: Final[tuple[Comparison, ...]] = get_args(Comparison)
_SHAPES: Final = frozenset(
    {"Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"}
)


def refused(message: str, hint: str = "") -> InvalidInput:
    """Return the error of a filter that cannot be used."""
    return InvalidInput(message, hint=hint, code="filter", parameter="filter")


def _too_much(name: str, limit: int, what: str) -> InvalidInput:
    return InvalidInput(
        f"The filter has more {what} than {limit:,} ({name}).",
        hint="Ask for less at once.",
        code="filter-limit",
        parameter="filter",
        limit=limit,
        name=name,
    )


def read_filter(
    text: str, lang: str, properties: Sequence[Named], system: FeatureCrs = LONGITUDE_LATITUDE
) -> Condition:
    """Return a filter as a condition on ``properties`` and on the place; shapes are in ``system``.

    Raises :class:`InvalidInput` (``filter``, ``filter-property``, ``filter-limit``).
    """
    tree = _parsed(text, lang)
    return _Reader({item.name: item for item in properties}, system).condition(tree, 0)


def _parsed(text: str, lang: str) -> Any:
    if len(text) > FILTER_CHARACTERS_MAX:
        raise _too_much("FILTER_CHARACTERS_MAX", FILTER_CHARACTERS_MAX, "characters")
    _check_nesting(text, lang)
    try:
        read = cql2.parse_json(text) if lang == "cql2-json" else cql2.parse_text(text)
        return read.to_json()
    except (cql2.ParseError, cql2.ValidationError, ValueError, TypeError, OverflowError) as error:
        hint = "height_m > 20 AND name LIKE 'K%'" if lang != "cql2-json" else '{"op":">","args":[…]}'
        raise refused("The filter cannot be read.", f"Such as {hint}") from error


def _check_nesting(text: str, lang: str) -> None:
    """Refuse nesting that the parser would answer by overflowing the stack of the process."""
    if lang == "cql2-json":
        try:
            orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise refused("The filter is not JSON.") from error
        bare, nots = re.sub(r'"(?:[^"\\]|\\.)*"', "", text), 0
    else:
        bare = _TEXTS.sub("''", text)
        nots = len(_NOTS.findall(bare))
        if _SIGNS.search(bare):
            raise refused("Two signs follow each other.")
    depth = deepest = 0
    for character in bare:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    if deepest > FILTER_NESTING_MAX * (3 if lang == "cql2-json" else 1) or nots > FILTER_NESTING_MAX:
        raise _too_much("FILTER_NESTING_MAX", FILTER_NESTING_MAX, "brackets inside brackets")


class _Reader:
    """Turns the library's tree into ours, node by node."""

    def __init__(self, properties: dict[str, Named], system: FeatureCrs) -> None:
        self._properties = properties
        self._system = system
        self._nodes = 0
        self._positions = 0

    def condition(self, node: Any, depth: int) -> Condition:
        self._count(depth)
        if isinstance(node, bool):
            return Always(node)
        if isinstance(node, dict) and "property" in node:
            named = self._named(node)
            if named.type != "boolean":
                raise refused("A property alone is a condition only where it is true or false.")
            return Compare("=", named, Constant(value=True))
        op, args = _operation(node)
        if op in ("and", "or"):
            if len(args) < 2:
                raise refused(f"{op.upper()} joins two conditions or more.")
            parts = tuple(self.condition(arg, depth + 1) for arg in args)
            return AllOf(parts) if op == "and" else AnyOf(parts)
        if op == "not":
            return Negated(self.condition(_exactly(args, 1)[0], depth + 1))
        if op == "s_intersects":
            return self._meets(args)
        return self._predicate(op, args, depth + 1)

    def _predicate(self, op: str, args: list[Any], depth: int) -> Condition:
        if op == "isNull":
            (arg,) = _exactly(args, 1)
            if not isinstance(arg, dict) or "property" not in arg:
                raise refused("IS NULL is asked of a property.")
            return Unknown(self._named(arg))
        if op == "in":
            first, listed = _exactly(args, 2)
            if not isinstance(listed, list) or not listed:
                raise refused("IN wants a list of values.")
            return OneOf(*self._alike(op, [first, *listed], depth))
        if op == "between":
            operand, (low, high) = self._alike(op, _exactly(args, 3), depth, ("number",))
            return Between(operand, low, high)
        if op == "like":
            operand, (pattern,) = self._alike(op, _exactly(args, 2), depth, ("string",))
            _check_pattern(pattern)
            return Like(operand, pattern)
        for known in _COMPARISONS:
            if op == known:
                left, (right,) = self._alike(op, _exactly(args, 2), depth)
                return Compare(known, left, right)
        raise refused("The filter uses an operator or a function that is not offered.", _OFFERED)

    def _alike(
        self, op: str, nodes: list[Any], depth: int, kinds: Sequence[str] = ()
    ) -> tuple[Operand, tuple[Operand, ...]]:
        """Return operands that are all of one kind."""
        operands = [self._operand(node, depth) for node in nodes]
        found = {_kind(operand) for operand in operands}
        if found == {"boolean", "number"}:
            operands = [_truth(operand) for operand in operands]
            found = {_kind(operand) for operand in operands}
        if len(found) > 1 or (kinds and not found <= set(kinds)):
            raise refused(f"The values beside {op.upper()} are not of one kind, or not of the kind that it compares.")
        if all(isinstance(_innermost(operand), Constant) for operand in operands):
            raise refused(f"No property stands beside {op.upper()}.")
        if "boolean" in found and op not in ("=", "<>", "in"):
            raise refused("True and false have no order.")
        return operands[0], tuple(operands[1:])

    def _operand(self, node: Any, depth: int) -> Operand:
        self._count(depth)
        if isinstance(node, str | bool | int | float):
            if isinstance(node, float) and not math.isfinite(node):
                raise refused("A number of the filter is not finite.")
            return Constant(node)
        if isinstance(node, dict) and "property" in node:
            return self._named(node)
        if isinstance(node, dict) and ("date" in node or "timestamp" in node or "interval" in node):
            raise refused("No property of this collection is a time.")
        op, args = _operation(node)
        if op not in ("casei", "accenti"):
            raise refused("The filter uses an operator or a function that is not offered.", _OFFERED)
        inner = self._operand(_exactly(args, 1)[0], depth + 1)
        if _kind(inner) != "string":
            raise refused(f"{op.upper()} is of texts.")
        return Folded(inner, "casei" if op == "casei" else "accenti")

    def _named(self, node: dict[str, Any]) -> Named:
        name = node["property"]
        found = self._properties.get(name) if isinstance(name, str) else None
        if found is None:
            known = ", ".join(sorted(self._properties))[:400]
            raise InvalidInput(
                "The filter names a property that the collection has not.",
                hint=f"Known: {known}.",
                code="filter-property",
                parameter="filter",
                property=str(name)[:80],
            )
        return found

    def _meets(self, args: list[Any]) -> Condition:
        first, second = _exactly(args, 2)
        if not _is_place(first):
            first, second = second, first
        if not _is_place(first) or not isinstance(second, dict):
            raise refused(f"S_INTERSECTS is asked of {GEOMETRY} and a shape.")
        return Meets(self._shape(second), self._system)

    def _shape(self, node: dict[str, Any]) -> shapely.Geometry:
        if "bbox" in node:
            numbers = node["bbox"]
            if not isinstance(numbers, list) or len(numbers) not in (4, 6) or not _all_finite(numbers):
                raise refused("A BBOX has four or six numbers.")
            half = len(numbers) // 2
            shape = shapely.box(numbers[0], numbers[1], numbers[half], numbers[half + 1])
        elif node.get("type") in _SHAPES:
            try:
                shape = shapely.force_2d(shapely.from_geojson(orjson.dumps(node)))
            except (shapely.errors.ShapelyError, TypeError, ValueError) as error:
                raise refused("A shape of the filter cannot be read.") from error
        else:
            raise refused("S_INTERSECTS wants a shape: POINT, POLYGON, BBOX …")
        self._positions += shapely.get_num_coordinates(shape)
        if self._positions > FILTER_POSITIONS_MAX:
            raise _too_much("FILTER_POSITIONS_MAX", FILTER_POSITIONS_MAX, "positions")
        if shape.is_empty or not _all_finite(shapely.get_coordinates(shape).ravel().tolist()):
            raise refused("A shape of the filter is empty or not finite.")
        return shapely.make_valid(east_first(shape, self._system))

    def _count(self, depth: int) -> None:
        self._nodes += 1
        if self._nodes > FILTER_NODES_MAX:
            raise _too_much("FILTER_NODES_MAX", FILTER_NODES_MAX, "parts")
        if depth > FILTER_NODES_MAX:
            raise _too_much("FILTER_NESTING_MAX", FILTER_NESTING_MAX, "brackets inside brackets")


_OFFERED: Final = "Offered: AND OR NOT = <> < <= > >= LIKE BETWEEN IN IS NULL CASEI ACCENTI S_INTERSECTS."


def _operation(node: Any) -> tuple[str, list[Any]]:
    if isinstance(node, dict) and isinstance(node.get("op"), str) and isinstance(node.get("args"), list):
        return node["op"], node["args"]
    raise refused("A part of the filter is neither a condition nor a value.")


def _exactly(args: list[Any], count: int) -> list[Any]:
    if len(args) != count:
        raise refused("A part of the filter has too few or too many arguments.")
    return args


def _is_place(node: Any) -> bool:
    return isinstance(node, dict) and node.get("property") == GEOMETRY


def _innermost(operand: Operand) -> Operand:
    while isinstance(operand, Folded):
        operand = operand.operand
    return operand


def _kind(operand: Operand) -> PropertyType:
    inner = _innermost(operand)
    if isinstance(inner, Named):
        return "number" if inner.type == "integer" else inner.type
    value = inner.value if isinstance(inner, Constant) else ""
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"


def _truth(operand: Operand) -> Operand:
    """Return 1 and 0 as true and false: clients whose format has no truth values write them so."""
    if isinstance(operand, Constant) and not isinstance(operand.value, str) and operand.value in (0, 1):
        return Constant(bool(operand.value))
    return operand


def _check_pattern(pattern: Operand) -> None:
    inner = _innermost(pattern)
    if not isinstance(inner, Constant) or not isinstance(inner.value, str):
        raise refused("LIKE wants a pattern.")
    if len(inner.value) - len(inner.value.rstrip("\\")) & 1:
        raise refused("The pattern of LIKE ends in the middle of an escape.")


def _all_finite(numbers: list[Any]) -> bool:
    return all(isinstance(n, int | float) and not isinstance(n, bool) and math.isfinite(n) for n in numbers)
