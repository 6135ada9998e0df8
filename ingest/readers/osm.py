"""OpenStreetMap extracts (.osm.pbf): buildings, streets, ground, trees, stops, amenities.

Two passes: the first learns what the second needs to know beforehand (levels of known buildings,
parts of buildings, where streets cross, coastlines), the second streams the features.  Memory is
bounded by pyosmium's node index (on disk for large files) plus the first pass's notes: three
numbers per building with levels, the outlines of building parts and coastlines, the street graph,
and the set of ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from cim.geometry.crs import WorkingFrame, working_crs_for
from ingest.readers.limits import check_file_size
from ingest.readers.osm_features import FeatureBuilder
from ingest.readers.osm_file import PBF_MARK, features, header_box
from ingest.readers.osm_survey import Survey, survey
from ingest.records import Progress, ReadContext, Record, SourceHeader

BATCH_FEATURES: Final = 2000
"""Features that are projected together."""

LICENCE: Final = "ODbL-1.0"
ATTRIBUTION: Final = "© OpenStreetMap contributors"


class OsmReader:
    """Reads .osm.pbf.

    Option ``working_crs``: the CRS to propose for a new city; without it the UTM zone of the
    extract's middle.
    """

    name = "osm"
    version = "1"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002 -- the bytes say enough
        """Tell by the first blob's header."""
        return head[4 : 4 + len(PBF_MARK)] == PBF_MARK

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Yield header, land and sea, then features as the file has them, then parts and the street graph."""
        check_file_size(path)
        box = header_box(path)
        notes = survey(path)
        west, south, east, north = box or notes.bounds()
        proposed = context.options.get("working_crs")
        crs = context.working_crs or (str(proposed) if proposed else None)
        crs = crs or working_crs_for((west + east) / 2, (south + north) / 2)
        frame = WorkingFrame(crs)
        yield SourceHeader(
            title="OpenStreetMap extract",
            working_crs=crs,
            vertical_datum=None,
            ground="flat",
            licence=LICENCE,
            attribution=ATTRIBUTION,
            reader=self.name,
            reader_version=self.version,
        )
        builder = FeatureBuilder(context.dataset, frame, notes)
        yield from builder.land_and_sea((west, south, east, north))
        yield from self._stream(path, builder, notes)
        yield from builder.parts()
        yield from builder.unassembled()
        coordinates = notes.graph.raw_coordinates()
        xy = frame.from_lonlat(coordinates) if len(coordinates) else np.empty((0, 2))
        if len(xy):
            yield notes.graph.network(context.dataset, xy)
        yield Progress(notes.feature_count, notes.feature_count, "features")

    @staticmethod
    def _stream(path: Path, builder: FeatureBuilder, notes: Survey) -> Iterator[Record]:
        for done, feature in enumerate(features(path), start=1):
            yield from builder.take(feature)
            if builder.pending >= BATCH_FEATURES:
                yield from builder.flush()
                yield Progress(done, notes.feature_count, "features")
        yield from builder.flush()
