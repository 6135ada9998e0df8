"""IFC models (ISO 16739-1) through ifcopenshell: buildings, their storeys, their elements as one body.

Optional: ``pip install 'cim-twin[ifc]'``.  The body of a building is made of the triangles of its walls, slabs, roofs,
windows, doors and what carries them; what an element is names the surface.  It is placed by
``IfcMapConversion`` and ``IfcProjectedCRS``, else by the latitude and longitude of ``IfcSite`` and the true north,
else ``--crs`` says that the coordinates are those of a map.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.city.model import VERTICES_MAX, Attribute, CityObject, Quarantined
from cim.errors import InvalidInput, Unavailable
from cim.findings import Quality
from cim.geometry.crs import LONLAT, is_metric_projected, transformer, working_crs_for
from cim.geometry.surfaces import Geometry, Semantics
from ingest.readers.damage import damaged
from ingest.readers.ifc_references import check_references
from ingest.readers.limits import check_file_size, check_limit
from ingest.readers.source_crs import UNSTATED_DATUM, projection, source_crs
from ingest.records import Progress, ReadContext, Record, SourceHeader

FloatArray = NDArray[np.float64]

IFC_BYTES_MAX: Final = 2 * 1024**3
"""Text of one model: all of it is held."""

LOD: Final = "3"
METHOD_HEIGHT: Final = "highest vertex less lowest"
PROGRESS_ELEMENTS: Final = 200
_SURFACES: Final = {
    "IfcWall": "WallSurface", "IfcWallStandardCase": "WallSurface", "IfcCurtainWall": "WallSurface",
    "IfcPlate": "WallSurface", "IfcMember": "WallSurface", "IfcColumn": "WallSurface", "IfcRoof": "RoofSurface",
    "IfcSlab": "FloorSurface", "IfcFooting": "GroundSurface", "IfcWindow": "Window", "IfcDoor": "Door",
    "IfcBeam": "CeilingSurface", "IfcStair": "FloorSurface", "IfcStairFlight": "FloorSurface",
    "IfcRamp": "FloorSurface", "IfcRailing": "WallSurface", "IfcCovering": "CeilingSurface",
    "IfcBuildingElementProxy": "",
}  # fmt: skip
_SLABS: Final = {"ROOF": "RoofSurface", "BASESLAB": "GroundSurface"}


@dataclass(frozen=True, slots=True)
class _Place:
    """From metres of the model to a CRS: turned, shifted."""

    crs: str
    matrix: FloatArray
    """(2, 2), applied to x, y."""
    shift: FloatArray
    datum: str

    def __call__(self, points: FloatArray) -> FloatArray:
        """Return points (n, 3) in the CRS."""
        return np.column_stack((points[:, :2] @ self.matrix.T, points[:, 2])) + self.shift


class IfcReader:
    """Reads an IFC model."""

    name = "ifc"
    version = "1"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002 -- the bytes say enough
        """Tell by the first line and the schema."""
        return head.lstrip().startswith(b"ISO-10303-21") and b"IFC" in head[:16_384]

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Yield the header, then each building with its storeys."""
        check_limit("IFC_BYTES_MAX", check_file_size(path), IFC_BYTES_MAX, f"The size of {path.name} in bytes")
        library = _library()
        check_references(path)
        try:
            model = library.open(str(path))
            buildings = model.by_type("IfcBuilding")
        except (library.Error, library.SchemaError, RuntimeError, OSError, ValueError, UnicodeDecodeError) as error:
            raise damaged(path, hint="Export the model again.") from error
        if not buildings:
            raise InvalidInput(
                f"{path.name} has no IfcBuilding.", hint="Export the model with its building.", code="source-empty"
            )
        place = _place_of(model, path, context)
        start = (float(place.shift[0]), float(place.shift[1]))
        way = projection(source_crs(None, place.crs), context.working_crs or _utm(place), start)
        yield SourceHeader(
            title=_text(model.by_type("IfcProject")[0].Name) or path.name if model.by_type("IfcProject") else path.name,
            working_crs=way.working_crs,
            vertical_datum=place.datum,
            ground="interpolated",
            licence="",
            attribution="",
            reader=self.name,
            reader_version=self.version,
        )
        bodies: dict[str, list[tuple[str, FloatArray]]] = defaultdict(list)
        yield from _shapes(library, model, path, bodies)
        for building in buildings:
            parts = [
                (kind, way(place(part.reshape(-1, 3))).reshape(-1, 3, 3)) for kind, part in bodies[building.GlobalId]
            ]
            yield from _objects(building, parts, context.dataset)


def _library() -> Any:
    try:
        import ifcopenshell  # noqa: PLC0415 -- optional, and heavy
        import ifcopenshell.geom  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable(
            "IFC models need a package that is not installed.",
            hint="Install it: pip install 'cim-twin[ifc]'",
            code="ifc-missing",
        ) from error
    return ifcopenshell


def _shapes(
    library: Any, model: Any, path: Path, bodies: dict[str, list[tuple[str, FloatArray]]]
) -> Iterator[Progress | Quarantined]:
    """Gather the triangles of the elements by the building that holds them; yield what has no shape."""
    settings = library.geom.settings()
    settings.set("use-world-coords", True)
    wanted = [one for one in model.by_type("IfcElement") if one.is_a() in _SURFACES and one.Representation]
    total = 0
    for number, element in enumerate(wanted, 1):
        if number % PROGRESS_ELEMENTS == 0:
            yield Progress(number, len(wanted), "elements")
        building = _building_of(element)
        if building is None:
            yield Quarantined(_text(element.GlobalId)[:80], "ifc-no-building", "The element is in no building.")
            continue
        try:
            shape = library.geom.create_shape(settings, element)
            vertices = np.array(shape.geometry.verts, dtype=np.float64).reshape(-1, 3)
            faces = np.array(shape.geometry.faces, dtype=np.int64).reshape(-1, 3)
        except (RuntimeError, ValueError):
            yield Quarantined(_text(element.GlobalId)[:80], "ifc-shape", "The shape of the element cannot be made.")
            continue
        if not len(faces) or not np.isfinite(vertices).all():
            yield Quarantined(_text(element.GlobalId)[:80], "ifc-shape", "The element has no finite triangles.")
            continue
        total += 3 * len(faces)
        check_limit("VERTICES_MAX", total, VERTICES_MAX, f"The number of corners in {path.name}")
        bodies[building].append((_surface(element), vertices[faces]))


def _surface(element: Any) -> str:
    kind = _SLABS.get(_text(getattr(element, "PredefinedType", ""))) if element.is_a("IfcSlab") else None
    return kind or _SURFACES[element.is_a()]


def _building_of(element: Any) -> str | None:
    """Return the building that an element is in, by containment, decomposition, or the opening that it fills."""
    seen = 0
    while element is not None and seen < 100:
        seen += 1
        if element.is_a("IfcBuilding"):
            return str(element.GlobalId)
        above = None
        for relation, member in (
            ("ContainedInStructure", "RelatingStructure"),
            ("Decomposes", "RelatingObject"),
            ("FillsVoids", "RelatingOpeningElement"),
            ("VoidsElements", "RelatingBuildingElement"),
        ):
            found = getattr(element, relation, None)
            if found:
                above = getattr(found[0], member)
                break
        element = above
    return None


def _objects(building: Any, parts: list[tuple[str, FloatArray]], dataset: str) -> Iterator[CityObject | Quarantined]:
    key = str(building.GlobalId)
    if not parts:
        yield Quarantined(key, "geometry-empty", "The building has no element with a shape.")
        return
    triangles = np.concatenate([part for _, part in parts])
    kinds = [kind for kind, _ in parts]
    names = sorted(set(kinds) - {""})
    values = np.repeat([names.index(kind) if kind else -1 for kind in kinds], [len(part) for _, part in parts])
    ends = np.arange(1, len(triangles) + 1, dtype=np.int32)
    semantics = Semantics(tuple({"type": name} for name in names), values.astype(np.int32)) if names else None
    body = Geometry("MultiSurface", LOD, triangles.reshape(-1, 3), ends * 3, ends, semantics=semantics)
    storeys = _storeys(building)
    height_m = round(float(np.ptp(triangles[..., 2])), 3)
    facts = {"height_m": Attribute(height_m, "m", quality=Quality.MODELLED, method=METHOD_HEIGHT)}
    above = sum(elevation > -0.5 for _, _, elevation in storeys)
    if above:
        facts["storeys_above_ground"] = Attribute(above)
    if name := _text(building.LongName) or _text(building.Name):
        facts["name"] = Attribute(name)
    yield CityObject(f"{dataset}:{key}", "Building", _plan(triangles), (body,), facts)
    for storey, title, elevation in storeys:
        yield CityObject(
            f"{dataset}:{storey}",
            "BuildingStorey",
            attributes={"name": Attribute(title or storey), "elevation_m": Attribute(round(elevation, 3), "m")},
            parent_id=f"{dataset}:{key}",
        )


def _storeys(building: Any) -> list[tuple[str, str, float]]:
    """Return id, name and elevation in metres of a building's storeys, the lowest first."""
    scale = _unit_m(building.file)
    found = [one for relation in building.IsDecomposedBy for one in relation.RelatedObjects]
    storeys = [one for one in found if one.is_a("IfcBuildingStorey")]
    listed = [(str(one.GlobalId), _text(one.Name), float(one.Elevation or 0.0) * scale) for one in storeys]
    return sorted(listed, key=lambda one: one[2])


def _plan(triangles: FloatArray) -> shapely.Geometry:
    polygons = shapely.polygons(triangles[..., :2])
    polygons = polygons[shapely.area(polygons) > 1e-6]
    if not len(polygons):
        return shapely.convex_hull(shapely.multipoints(triangles[..., :2].reshape(-1, 2)))
    return shapely.union_all(polygons, grid_size=0.001)


def _unit_m(model: Any) -> float:
    from ifcopenshell.util.unit import calculate_unit_scale  # noqa: PLC0415 -- optional

    return float(calculate_unit_scale(model))


def _place_of(model: Any, path: Path, context: ReadContext) -> _Place:
    if context.source_crs is not None:
        return _Place(context.source_crs, np.eye(2), np.zeros(3), UNSTATED_DATUM)
    conversions = model.by_type("IfcMapConversion") if model.schema != "IFC2X3" else []
    if conversions and _text(getattr(conversions[0].TargetCRS, "Name", None)):
        return _by_conversion(conversions[0], _unit_m(model), path)
    for site in model.by_type("IfcSite"):
        if site.RefLatitude and site.RefLongitude:
            return _by_site(site, model, path)
    raise _unplaced(path)


def _unplaced(path: Path) -> InvalidInput:
    return InvalidInput(
        f"{path.name} does not say where on Earth the building stands.",
        hint="Give IfcSite a latitude and longitude, or --crs where the coordinates are those of a map.",
        code="ifc-unplaced",
    )


def _by_conversion(conversion: Any, unit_m: float, path: Path) -> _Place:
    crs = conversion.TargetCRS
    if not is_metric_projected(_text(crs.Name)):
        raise InvalidInput(
            "The model is placed in a coordinate system that is not in metres.",
            hint="Export it with a projected one in metres, such as a UTM zone.",
            code="ifc-crs",
            crs=_text(crs.Name)[:80],
        )
    said = conversion.XAxisAbscissa, conversion.XAxisOrdinate
    east, north = (1.0, 0.0) if None in said or not any(said) else (float(said[0]), float(said[1]))
    length = float(np.hypot(east, north))
    scale = float(conversion.Scale or unit_m) / unit_m
    # Programs leave the scale at 1 where they mean "as it is".
    scale = scale if 0.5 <= scale <= 2.0 else 1.0
    cosine, sine = scale * east / length, scale * north / length
    shift = np.array([conversion.Eastings, conversion.Northings, conversion.OrthogonalHeight or 0.0], dtype=np.float64)
    if not np.isfinite([*shift, cosine, sine]).all():
        raise _unplaced(path)
    datum = _text(getattr(crs, "VerticalDatum", None)) or UNSTATED_DATUM
    return _Place(_text(crs.Name), np.array([[cosine, -sine], [sine, cosine]]), shift, datum)


def _by_site(site: Any, model: Any, path: Path) -> _Place:
    lat, lon = _degrees(site.RefLatitude), _degrees(site.RefLongitude)
    if not (abs(lat) <= 90.0 and abs(lon) <= 360.0):
        raise _unplaced(path)
    crs = working_crs_for(lon, lat)
    x, y = transformer(LONLAT, crs).transform(lon, lat)
    ahead = transformer(LONLAT, crs).transform(lon, lat + 1e-4)
    grid_north = np.arctan2(ahead[0] - x, ahead[1] - y)
    true_north = next((c.TrueNorth.DirectionRatios for c in model.by_type("IfcGeometricRepresentationContext")
                       if getattr(c, "TrueNorth", None)), (0.0, 1.0))  # fmt: skip
    # The model's own north lies this far clockwise from its y axis; the map's, this far from the meridian.
    turn = float(np.arctan2(true_north[0], true_north[1])) - float(grid_north)
    cosine, sine = float(np.cos(turn)), float(np.sin(turn))
    shift = np.array([x, y, float(site.RefElevation or 0.0) * _unit_m(model)])
    return _Place(crs, np.array([[cosine, -sine], [sine, cosine]]), shift, UNSTATED_DATUM)


def _degrees(angle: Any) -> float:
    """Return a compound plane angle: degrees, minutes, seconds, millionths of seconds, all of one sign."""
    parts = [float(part) for part in angle]
    return float(sum(part / factor for part, factor in zip(parts, (1.0, 60.0, 3600.0, 3.6e9), strict=False)))


def _utm(place: _Place) -> str | None:
    return place.crs if place.crs.startswith(("EPSG:326", "EPSG:327")) else None


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
