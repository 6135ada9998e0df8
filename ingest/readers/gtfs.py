"""GTFS feeds: stops with their departures, routes with their courses (https://gtfs.org/documentation/schedule).

Departures are those of the day on which most trips run.  A stop or a line is one object: ``+TransitStop`` at its
place, ``+TransitRoute`` along the shapes of its trips, or from stop to stop where there are none.
Memory: the trips, the stops and the shapes; the stop times pass by row by row.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import shapely

from cim.city.model import Attribute, CityObject, Quarantined
from cim.errors import InvalidInput
from cim.findings import Finding, Severity, Verdict
from cim.geometry.crs import LONLAT
from ingest.readers.gtfs_day import busiest_day, read_date, read_time_s
from ingest.readers.gtfs_feed import Feed, is_feed
from ingest.readers.limits import check_limit
from ingest.readers.source_crs import Projection, projection, source_crs
from ingest.records import Progress, ReadContext, Record, SourceHeader

TRIPS_MAX: Final = 5_000_000
STOPS_MAX: Final = 2_000_000
SHAPE_POINTS_MAX: Final = 20_000_000
PROGRESS_ROWS: Final = 200_000
METHOD_DEPARTURES: Final = "scheduled on the day of most trips"

_ZIP: Final = b"PK\x03\x04"
_TYPES: Final = {
    "0": "tram", "1": "metro", "2": "rail", "3": "bus", "4": "ferry", "5": "cable_tram", "6": "aerial_lift",
    "7": "funicular", "11": "trolleybus", "12": "monorail",
}  # fmt: skip
_HUNDREDS: Final = {"1": "rail", "2": "coach", "4": "metro", "7": "bus", "9": "tram", "10": "ferry", "14": "funicular"}
"""The extended types by their hundreds."""

Hours = list[int]


@dataclass(slots=True)
class _Stop:
    name: str
    code: str
    parent: str
    lonlat: tuple[float, float]
    is_station: bool
    departures: Hours = field(default_factory=lambda: [0] * 24)
    routes: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Route:
    name: str
    long_name: str
    kind: str
    agency: str
    colour: str
    trips: int = 0
    shapes: set[str] = field(default_factory=set)
    course: list[str] = field(default_factory=list)
    """The stops of its longest trip."""


class GtfsReader:
    """Reads a GTFS feed."""

    name = "gtfs"
    version = "1"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Tell by the tables in the archive."""
        return head.startswith(_ZIP) and is_feed(path)

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Yield the header, the stops, the routes."""
        with ExitStack() as stack:
            yield from _Reading(Feed(path, stack), path, context).records(self)


class _Reading:
    """One feed while it is read."""

    def __init__(self, feed: Feed, path: Path, context: ReadContext) -> None:
        self._feed = feed
        self._path = path
        self._context = context
        self._put_aside: list[Quarantined] = []
        self._stops: dict[str, _Stop] = {}
        self._routes: dict[str, _Route] = {}
        self._day: date | None = None
        self._odd: Counter[str] = Counter()

    def records(self, reader: GtfsReader) -> Iterator[Record]:
        self._read_stops()
        self._read_routes()
        if not self._stops:
            raise InvalidInput(
                "No stop of the feed has a place. The city is unchanged.",
                hint="Look at stop_lat and stop_lon in stops.txt.",
                code="source-empty",
            )
        crs = source_crs(None, LONLAT)
        way = projection(crs, self._context.working_crs, next(iter(self._stops.values())).lonlat)
        yield SourceHeader(
            title=self._title(),
            working_crs=way.working_crs,
            vertical_datum=None,
            ground="flat",
            licence="",
            attribution=", ".join(sorted({route.agency for route in self._routes.values() if route.agency}))[:200],
            reader=reader.name,
            reader_version=reader.version,
        )
        trips = self._read_trips()
        yield from self._read_times(trips)
        yield from self._stop_objects(way)
        yield from self._route_objects(way)
        yield from self._put_aside
        for code, count in self._odd.items():
            yield Finding(
                code, "GTFS Schedule Reference", Verdict.DISCUSS, Severity.DISCUSS, measured=float(count), limit=0.0
            )

    def _title(self) -> str:
        named = [row[0] for row in self._feed.rows("feed_info.txt", (), ("feed_publisher_name",)) if row[0]]
        return f"{named[0]}: timetable" if named else self._path.name

    def _read_stops(self) -> None:
        columns = ("stop_name", "stop_code", "parent_station", "location_type", "stop_lon", "stop_lat")
        for key, name, code, parent, kind, lon, lat in self._feed.rows("stops.txt", ("stop_id",), columns):
            if kind not in {"", "0", "1"}:
                continue  # entrances, generic nodes and boarding areas belong to a station's inside
            place = _lonlat(lon, lat)
            if key in self._stops:
                self._aside(key, "object-twice", "The id is used by more than one stop; the first stays.")
            elif not key:
                self._aside(name, "stop-id", "The stop has no id.")
            elif place is None:
                self._aside(key, "stop-place", "The stop has no place in degrees.")
            else:
                self._stops[key] = _Stop(name, code, parent, place, kind == "1")
            check_limit("STOPS_MAX", len(self._stops), STOPS_MAX, "The number of stops")

    def _aside(self, feature: str, code: str, reason: str) -> None:
        self._put_aside.append(Quarantined(feature[:80], code, reason))

    def _read_routes(self) -> None:
        agencies = dict(self._feed.rows("agency.txt", (), ("agency_id", "agency_name")))
        only = next(iter(agencies.values()), "")
        columns = ("route_short_name", "route_long_name", "route_type", "agency_id", "route_color")
        for key, short, long, kind, agency, colour in self._feed.rows("routes.txt", ("route_id",), columns):
            if key in self._routes:
                self._aside(key, "object-twice", "The id is used by more than one route; the first stays.")
                continue
            word = _TYPES.get(kind) or _HUNDREDS.get(kind[:-2], "other")
            self._routes[key] = _Route(short or long or key, long, word, agencies.get(agency, only), colour)

    def _read_trips(self) -> dict[str, tuple[str, int]]:
        """Return the route of each trip of the chosen day, and how often it runs."""
        services: Counter[str] = Counter()
        listed: dict[str, tuple[str, str, str]] = {}
        rows = self._feed.rows("trips.txt", ("trip_id", "route_id", "service_id"), ("shape_id",))
        for trip, route, service, shape in rows:
            if route not in self._routes:
                self._odd["gtfs-trip-without-route"] += 1
                continue
            listed[trip] = (route, service, shape)
            services[service] += 1
            check_limit("TRIPS_MAX", len(listed), TRIPS_MAX, "The number of trips")
        self._day, running = busiest_day(self._spans(), self._exceptions(), services)
        repeats = self._repeats()
        found: dict[str, tuple[str, int]] = {}
        for trip, (route, service, shape) in listed.items():
            if service in running:
                times = repeats.get(trip, 1)
                found[trip] = (route, times)
                self._routes[route].trips += times
                if shape:
                    self._routes[route].shapes.add(shape)
        return found

    def _spans(self) -> Iterator[tuple[str, tuple[bool, ...], date, date]]:
        days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        for service, *weekdays, start, end in self._feed.rows(
            "calendar.txt", ("service_id", *days, "start_date", "end_date")
        ):
            first, last = read_date(start), read_date(end)
            if first is None or last is None or last < first:
                self._odd["gtfs-calendar"] += 1
            else:
                yield service, tuple(day == "1" for day in weekdays), first, last

    def _exceptions(self) -> Iterator[tuple[str, date, bool]]:
        for service, text, kind in self._feed.rows("calendar_dates.txt", ("service_id", "date", "exception_type")):
            day = read_date(text)
            if day is None or kind not in {"1", "2"}:
                self._odd["gtfs-calendar"] += 1
            else:
                yield service, day, kind == "1"

    def _repeats(self) -> dict[str, int]:
        """Return how often trips run that are given by a headway."""
        found: dict[str, int] = defaultdict(int)
        for trip, start, end, headway in self._feed.rows(
            "frequencies.txt", ("trip_id", "start_time", "end_time", "headway_secs")
        ):
            first, last = read_time_s(start), read_time_s(end)
            if first is None or last is None or not headway.isdigit() or int(headway) == 0 or last <= first:
                self._odd["gtfs-frequency"] += 1
            else:
                found[trip] += -(-(last - first) // int(headway))
        return found

    def _read_times(self, trips: dict[str, tuple[str, int]]) -> Iterator[Progress]:
        before, course = "", list[str]()
        columns = ("trip_id", "stop_id"), ("departure_time", "arrival_time", "pickup_type")
        for number, (trip, stop_id, departure, arrival, pickup) in enumerate(
            self._feed.rows("stop_times.txt", *columns), 1
        ):
            if number % PROGRESS_ROWS == 0:
                yield Progress(number, None, "stop times")
            known = trips.get(trip)
            if known is None:
                continue
            stop = self._stops.get(stop_id)
            if stop is None:
                self._odd["gtfs-time-without-stop"] += 1
                continue
            route, times = known
            if trip != before:
                self._keep_course(before, course, trips)
                before, course = trip, []
            course.append(stop_id)
            stop.routes.add(route)
            at = read_time_s(departure or arrival)
            if at is None:
                self._odd["gtfs-time-missing"] += 1
            elif pickup != "1":
                stop.departures[at // 3600 % 24] += times
        self._keep_course(before, course, trips)

    def _keep_course(self, trip: str, course: list[str], trips: dict[str, tuple[str, int]]) -> None:
        if trip:
            route = self._routes[trips[trip][0]]
            if len(course) > len(route.course):
                route.course = course

    def _stop_objects(self, way: Projection) -> Iterator[CityObject]:
        keys = list(self._stops)
        lonlat = np.array([[*self._stops[key].lonlat, 0.0] for key in keys])
        for key, (x, y, _) in zip(keys, way(lonlat).tolist(), strict=True):
            stop = self._stops[key]
            facts = {"name": Attribute(stop.name)} if stop.name else {}
            if stop.code:
                facts["stop_code"] = Attribute(stop.code)
            if stop.is_station:
                facts["station"] = Attribute(value=True)
            if stop.parent and stop.parent in self._stops:
                facts["station_id"] = Attribute(f"{self._context.dataset}:stop/{stop.parent}")
            if not stop.is_station:
                facts.update(self._timetable(stop))
            yield CityObject(
                f"{self._context.dataset}:stop/{key}", "+TransitStop", shapely.Point(x, y), attributes=facts
            )

    def _timetable(self, stop: _Stop) -> dict[str, Attribute]:
        total = sum(stop.departures)
        served = [hour for hour, count in enumerate(stop.departures) if count]
        routes = sorted({self._routes[route].name for route in stop.routes})
        modes = sorted({self._routes[route].kind for route in stop.routes})
        return {
            "departures_per_day": Attribute(total, method=METHOD_DEPARTURES),
            "departures_per_h": Attribute(round(total / len(served), 2) if served else 0, method=METHOD_DEPARTURES),
            "departures_per_h_max": Attribute(max(stop.departures), method=METHOD_DEPARTURES),
            "departures_by_hour": Attribute(list(stop.departures), method=METHOD_DEPARTURES),
            "routes": Attribute(list(routes)),
            "modes": Attribute(list(modes)),
            **({"service_day": Attribute(self._day.isoformat())} if self._day else {}),
        }

    def _route_objects(self, way: Projection) -> Iterator[CityObject]:
        shapes = self._read_shapes()
        for key, route in self._routes.items():
            lines = [shapes[shape] for shape in sorted(route.shapes) if len(shapes.get(shape, ())) > 1]
            if not lines and len(route.course) > 1:
                lines = [np.array([self._stops[stop].lonlat for stop in route.course])]
            if not lines:
                self._aside(key, "route-no-course", "No trip of the route runs on the day of most trips.")
                continue
            drawn = [way(np.column_stack((line, np.zeros(len(line)))))[:, :2] for line in lines]
            place = (
                shapely.linestrings(drawn[0])
                if len(drawn) == 1
                else shapely.multilinestrings([shapely.linestrings(line) for line in drawn])
            )
            facts = {"name": Attribute(route.name), "mode": Attribute(route.kind)}
            for name, value in (("long_name", route.long_name), ("operator", route.agency), ("colour", route.colour)):
                if value:
                    facts[name] = Attribute(value)
            facts["trips_per_day"] = Attribute(route.trips, method=METHOD_DEPARTURES)
            yield CityObject(f"{self._context.dataset}:route/{key}", "+TransitRoute", place, attributes=facts)

    def _read_shapes(self) -> dict[str, np.ndarray]:
        """Return the shapes that are used, (n, 2) degrees in the order of their points."""
        used = {shape for route in self._routes.values() for shape in route.shapes}
        points: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
        count = 0
        columns = ("shape_id", "shape_pt_lon", "shape_pt_lat", "shape_pt_sequence")
        for shape, lon, lat, order in self._feed.rows("shapes.txt", columns):
            place = _lonlat(lon, lat)
            if shape not in used:
                continue
            if place is None or not order.isdigit():
                self._odd["gtfs-shape-point"] += 1
                continue
            points[shape].append((float(order), *place))
            count += 1
            check_limit("SHAPE_POINTS_MAX", count, SHAPE_POINTS_MAX, "The number of points of shapes")
        return {shape: np.array(sorted(listed))[:, 1:] for shape, listed in points.items()}


def _lonlat(lon: str, lat: str) -> tuple[float, float] | None:
    try:
        place = float(lon), float(lat)
    except ValueError:
        return None
    # 0, 0 is what feeds write where they know nothing.
    return place if abs(place[0]) <= 180 and abs(place[1]) <= 90 and place != (0.0, 0.0) else None
