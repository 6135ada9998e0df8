"""From OpenStreetMap features in degrees to city objects in the working CRS, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.city.model import Attribute, CityObject, Quarantined
from cim.errors import InvalidInput
from cim.geometry.crs import WorkingFrame
from cim.ids import object_id
from ingest.readers.osm_buildings import Estimate, building_attributes, estimate, is_building, is_part
from ingest.readers.osm_file import RawFeature
from ingest.readers.osm_ground import Meaning, area_meaning, line_meaning, point_meaning
from ingest.readers.osm_sea import close_sea
from ingest.readers.osm_streets import is_drivable, road_attributes, width_m
from ingest.readers.osm_survey import Survey
from ingest.readers.osm_tags import address
from ingest.readers.osm_trees import tree_attributes
from ingest.records import Record

BUILDING = Meaning("Building", "")
SLIVER_AREA_M2 = 0.01
"""What making a polygon valid may leave over, square metres."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    feature: RawFeature
    meaning: Meaning
    shape: shapely.Geometry


class FeatureBuilder:
    """Takes raw features, gives records.

    Buildings are built as they come; parts wait until all buildings are known, because a part
    belongs to the building that covers it.
    """

    def __init__(self, dataset: str, frame: WorkingFrame, notes: Survey) -> None:
        self._dataset = dataset
        self._frame = frame
        self._notes = notes
        self._waiting: list[_Waiting] = []
        self._seen: set[str] = set()
        self._rings: dict[str, Meaning] = {}
        positions = np.array(notes.known.positions, dtype=np.float64).reshape(-1, 2)
        notes.known.index(frame.from_lonlat(positions) if len(positions) else positions)
        self._parts = self._project([shapely.from_wkb(part.wkb) for part in notes.parts])
        self._part_tree = shapely.STRtree(shapely.point_on_surface(self._parts))
        self._part_owner: dict[int, tuple[str, Attribute]] = {}

    @property
    def pending(self) -> int:
        """How many features wait to be projected."""
        return len(self._waiting)

    def _project(self, shapes: list[shapely.Geometry]) -> NDArray[np.object_]:
        projected: NDArray[np.object_] = shapely.transform(np.array(shapes, dtype=object), self._frame.from_lonlat)
        return projected

    def land_and_sea(self, box: tuple[float, float, float, float]) -> Iterator[Record]:
        """Yield the land and the sea inside the extract's box, degrees."""
        outline = shapely.segmentize(shapely.box(*box), max(box[2] - box[0], box[3] - box[1]) / 64)
        border = self._project([outline])[0]
        coast = [self._frame.from_lonlat(line) for line in self._notes.coastlines]
        for kind, type_, pieces in zip(
            ("land", "sea"), ("LandUse", "WaterBody"), close_sea(coast, border), strict=True
        ):
            for number, piece in enumerate(pieces, start=1):
                yield CityObject(
                    id=object_id(self._dataset, f"{kind}/{number}"),
                    type=type_,
                    place=piece,
                    attributes={"function": Attribute(kind), "ground_kind": Attribute(kind)},
                )

    def take(self, feature: RawFeature) -> Iterator[Quarantined]:
        """Note one feature; yield what is wrong with it."""
        if feature.kind == "area":
            yield from self._take_area(feature)
        elif feature.kind == "relation":
            meaning = _meaning_of_area(feature)
            if meaning is not None and feature.native_id not in self._seen:
                self._rings[feature.native_id] = meaning
        elif feature.kind == "node":
            yield from self._take_node(feature)
        else:
            yield from self._take_way(feature)

    def _take_area(self, feature: RawFeature) -> Iterator[Quarantined]:
        self._rings.pop(feature.native_id, None)
        meaning = _meaning_of_area(feature)
        if meaning is None:
            return
        if feature.native_id in self._seen:
            yield Quarantined(feature.native_id, "id-twice", "The file has this id twice; the first one was taken.")
            return
        self._seen.add(feature.native_id)
        if is_part(feature.tags):
            return
        self._waiting.append(_Waiting(feature, meaning, shapely.from_wkb(feature.wkb)))

    def _take_node(self, feature: RawFeature) -> Iterator[Quarantined]:
        if feature.tags.get("building", "entrance") not in {"entrance", "no"}:
            yield Quarantined(
                feature.native_id, "building-no-footprint", "A building that is a point has no footprint."
            )
        meaning = point_meaning(feature.tags)
        if meaning is None:
            return
        if not feature.pieces:
            yield Quarantined(feature.native_id, "coordinate-absurd", "The node has no valid position.")
            return
        self._waiting.append(_Waiting(feature, meaning, shapely.Point(feature.pieces[0][1][0])))

    def _take_way(self, feature: RawFeature) -> Iterator[Quarantined]:
        meaning = line_meaning(feature.tags, closed=feature.closed)
        if meaning is not None:
            self._count_links(feature)
            lines = [points for _, points in feature.pieces if len(points) > 1]
            if lines:
                self._waiting.append(_Waiting(feature, meaning, _lines(lines)))
            return
        if not feature.closed:
            return
        meaning = _meaning_of_area(feature)
        if meaning is None:
            return
        points = [points for _, points in feature.pieces]
        if not feature.cut:
            self._rings.setdefault(feature.native_id, meaning)
        elif meaning is BUILDING:
            yield Quarantined(feature.native_id, "cut-at-border", "The border of the extract cuts this building.")
        elif sum(len(run) for run in points) > 3:
            ring = np.concatenate(points)
            self._waiting.append(_Waiting(feature, meaning, shapely.make_valid(shapely.Polygon(ring))))

    def _count_links(self, feature: RawFeature) -> None:
        if not is_drivable(feature.tags):
            return
        sequence = 0
        for refs, points in feature.pieces:
            sequence = self._notes.graph.add(feature.number, refs, points, feature.tags, sequence)

    def flush(self) -> Iterator[Record]:
        """Project and yield the features that wait."""
        waiting, self._waiting = self._waiting, []
        shapes = self._project([item.shape for item in waiting])
        for item, shape in zip(waiting, shapes, strict=True):
            yield self._finish(item, shape)

    def _finish(self, item: _Waiting, shape: shapely.Geometry) -> Record:
        native_id = item.feature.native_id
        shape = _simplest(shape)
        if shape is None or not np.isfinite(shape.bounds).all():
            return Quarantined(native_id, "geometry-empty", "Nothing is left of the geometry in the working CRS.")
        try:
            identifier = object_id(self._dataset, native_id)
        except InvalidInput as error:
            return Quarantined(native_id[:80], error.problem_code, error.message)
        attributes = (
            self._building(identifier, item.feature, shape)
            if item.meaning is BUILDING
            else _attributes(item.feature, item.meaning)
        )
        return CityObject(identifier, item.meaning.type, shape, attributes=attributes)

    def _building(self, identifier: str, feature: RawFeature, shape: shapely.Geometry) -> dict[str, Attribute]:
        middle = shape.centroid
        guess = estimate(feature.tags, middle.x, middle.y, self._notes.known)
        attributes = building_attributes(feature.tags, guess)
        rows = [int(row) for row in self._part_tree.query(shape, predicate="contains")]
        if rows:
            for row in rows:
                self._part_owner[row] = (identifier, guess.height_m)
            share = float(shapely.union_all(self._parts[rows]).area / shape.area)
            attributes["parts_share"] = Attribute(round(min(share, 1.0), 3), "1")
        return attributes

    def parts(self) -> Iterator[Record]:
        """Yield the parts of buildings, each with the building that covers it as its parent."""
        for row, (feature, shape) in enumerate(zip(self._notes.parts, self._parts, strict=True)):
            parent_id, height = self._part_owner.get(row, (None, None))
            middle = shape.centroid
            guess: Estimate = estimate(feature.tags, middle.x, middle.y, self._notes.known, height)
            attributes = building_attributes(feature.tags, guess)
            identifier = object_id(self._dataset, feature.native_id)
            place = _simplest(shape)
            if place is not None:
                yield CityObject(identifier, "BuildingPart", place, attributes=attributes, parent_id=parent_id)

    def unassembled(self) -> Iterator[Quarantined]:
        """Yield the polygons of which no area came: rings that cross themselves, members beyond the border."""
        for native_id in self._rings:
            if native_id.startswith("relation/"):
                yield Quarantined(native_id, "cut-at-border", "Members of this multipolygon are not in the extract.")
            else:
                yield Quarantined(native_id, "geometry-invalid", "The outline crosses itself.")


def _meaning_of_area(feature: RawFeature) -> Meaning | None:
    if is_building(feature.tags) or is_part(feature.tags):
        return BUILDING
    from_way = feature.native_id.startswith("way/")
    return area_meaning(feature.tags, from_way=from_way)


def _lines(runs: list[NDArray[np.float64]]) -> shapely.Geometry:
    lines = [shapely.LineString(run) for run in runs]
    return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)


def _simplest(shape: shapely.Geometry) -> shapely.Geometry | None:
    """Return one polygon instead of a collection of one, and polygons alone where some are."""
    if shape.is_empty:
        return None
    if shape.geom_type == "GeometryCollection":
        pieces = [part for part in shapely.get_parts(shape) if part.area > SLIVER_AREA_M2]
        shape = shapely.union_all(pieces) if pieces else shapely.MultiPolygon()
    parts = shapely.get_parts(shape)
    return parts[0] if len(parts) == 1 else (shape if len(parts) else None)


def _attributes(feature: RawFeature, meaning: Meaning) -> dict[str, Attribute]:
    tags = feature.tags
    attributes: dict[str, Attribute] = {"function": Attribute(meaning.function)}
    if meaning.type == "Road":
        attributes |= road_attributes(tags)
    elif meaning.type == "Railway":
        attributes["width_m"] = width_m(tags)
    elif meaning.type == "SolitaryVegetationObject":
        attributes |= tree_attributes(tags)
    if meaning.ground_kind is not None:
        attributes["ground_kind"] = Attribute(meaning.ground_kind)
    if feature.cut:
        attributes["cut_at_border"] = Attribute(value=True)
    place = address(tags)
    if place is not None:
        attributes["address"] = Attribute(place)
    for key, value in tags.items():
        attributes.setdefault(key, Attribute(value))
    return attributes
