"""GTFS: a small feed whose departures can be counted by hand, and what can be wrong with one."""

import random
import zipfile

import numpy as np
import pyproj
import pytest

from cim.city.model import Quarantined, check_object
from cim.errors import CimError, InvalidInput, LimitExceeded
from cim.findings import Finding
from ingest.readers import gtfs
from ingest.readers.registry import reader_for
from ingest.records import ReadContext
from tests.support.city_records import objects_of

TABLES = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nA,Tram Company,http://x,Europe/Berlin\n",
    "feed_info.txt": "feed_publisher_name,feed_publisher_url,feed_lang\nThe City,http://x,de\n",
    "stops.txt": "\ufeffstop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,stop_code\n"
    "s1,Market,50.0000,8.0000,0,st,11\ns2,Bridge,50.0100,8.0000,,,\ns3,Park,50.0100,8.0200,0,,\n"
    "st,Market Station,50.0001,8.0001,1,,\ne1,Entrance,50,8,2,st,\nbad,Nowhere,95,8,0,,\nzero,Null,0,0,0,,\n"
    "s1,Again,50,8,0,,\n",
    "routes.txt": "route_id,agency_id,route_short_name,route_long_name,route_type,route_color\n"
    "r1,A,1,Market to Park,0,FF0000\nr2,A,,Night line,700,\nr3,A,9,Never,3,\n",
    "trips.txt": "route_id,service_id,trip_id,shape_id\nr1,wk,t1,h1\nr1,wk,t2,h1\nr1,we,t3,\nr2,wk,t4,\nr9,wk,t9,\n"
    "r2,wk,t5,\n",
    "calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "wk,1,1,1,1,1,0,0,20260302,20260306\nwe,0,0,0,0,0,1,1,20260302,20260331\nodd,1,1,1,1,1,1,1,20260301,20260201\n",
    "calendar_dates.txt": "service_id,date,exception_type\nwk,20260302,2\nwe,20260303,1\nwk,2026030x,1\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type\n"
    "t1,08:00:00,08:00:00,s1,1,0\nt1,08:05:00,08:06:00,s2,2,\nt1,08:10:00,,s3,3,1\n"
    "t2,08:30:00,08:30:00,s1,1,0\nt2,08:35:00,08:36:00,s2,2,\n"
    "t3,09:00:00,09:00:00,s1,1,0\n"
    "t4,25:10:00,25:10:00,s2,1,0\nt4,25:20:00,25:20:00,s1,2,0\nt4,,,s9,3,0\n"
    "t5,06:00:00,06:00:00,s3,1,\nt5,,,s2,2,\n",
    "frequencies.txt": "trip_id,start_time,end_time,headway_secs\nt5,06:00:00,07:00:00,900\nt5,x,07:00:00,900\n",
    "shapes.txt": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\nh1,50.01,8.02,3\nh1,50.00,8.00,1\n"
    "h1,50.01,8.00,2\nh1,x,8.00,4\nunused,50,8,1\n",
}


def feed(tmp_path, folder="", **changes):
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**TABLES, **{f"{key}.txt": text for key, text in changes.items()}}.items():
            if text is not None:
                archive.writestr(folder + name, text)
    return path


def read(path, **context):
    return list(reader_for(path).read(path, ReadContext("t", **context)))


@pytest.mark.parametrize("folder", ["", "inside/"])
def test_stops_and_routes(tmp_path, folder):
    records = read(feed(tmp_path, folder), working_crs="EPSG:25832")
    header = records[0]
    assert (header.title, header.attribution, header.working_crs) == (
        "The City: timetable", "Tram Company", "EPSG:25832",
    )  # fmt: skip
    found = objects_of(records)
    for one in found.values():
        check_object(one)
    assert set(found) == {"t:stop/s1", "t:stop/s2", "t:stop/s3", "t:stop/st", "t:route/r1", "t:route/r2"}
    # Tuesday 3 March has the working day's trips and, added, the weekend's: t1, t2, t3, t4, and t5 four times.
    s1 = found["t:stop/s1"].attributes
    assert s1["service_day"].value == "2026-03-03"
    assert s1["departures_per_day"].value == 4
    assert [hour for hour, count in enumerate(s1["departures_by_hour"].value) if count] == [1, 8, 9]
    assert s1["departures_per_h_max"].value == 2
    assert s1["departures_per_h"].value == round(4 / 3, 2)
    assert s1["routes"].value == ["1", "Night line"]
    assert s1["modes"].value == ["bus", "tram"]
    assert s1["station_id"].value == "t:stop/st"
    assert found["t:stop/s3"].attributes["departures_per_day"].value == 4  # nobody gets on t1 at its end
    assert found["t:stop/st"].attributes["station"].value is True
    assert "departures_per_day" not in found["t:stop/st"].attributes
    r1 = found["t:route/r1"]
    assert (r1.type, r1.attributes["mode"].value, r1.attributes["trips_per_day"].value) == ("+TransitRoute", "tram", 3)
    assert found["t:route/r2"].attributes["trips_per_day"].value == 5


def test_places(tmp_path):
    found = objects_of(read(feed(tmp_path), working_crs="EPSG:25832"))
    way = pyproj.Transformer.from_crs(4326, 25832, always_xy=True)
    course = np.column_stack(way.transform([8.0, 8.0, 8.02], [50.0, 50.01, 50.01]))
    np.testing.assert_allclose(np.array(found["t:route/r1"].place.coords), course, atol=1e-6)
    np.testing.assert_allclose(np.array(found["t:stop/s2"].place.coords)[0], course[1], atol=1e-6)
    # r2 has no shape: from stop to stop of its longest trip.
    np.testing.assert_allclose(np.array(found["t:route/r2"].place.coords), course[[1, 0]], atol=1e-6)
    assert read(feed(tmp_path))[0].working_crs == "EPSG:32632"


def test_what_is_wrong_with_one_is_told(tmp_path):
    records = read(feed(tmp_path))
    aside = {(one.feature, one.code) for one in records if isinstance(one, Quarantined)}
    assert aside == {
        ("bad", "stop-place"), ("zero", "stop-place"), ("s1", "object-twice"), ("r3", "route-no-course"),
    }  # fmt: skip
    told = {one.rule: one.measured for one in records if isinstance(one, Finding)}
    assert told == {
        "gtfs-trip-without-route": 1,
        "gtfs-calendar": 2,
        "gtfs-frequency": 1,
        "gtfs-time-without-stop": 1,
        "gtfs-time-missing": 1,
        "gtfs-shape-point": 1,
    }


def test_a_feed_without_calendar_runs_every_trip(tmp_path):
    found = objects_of(read(feed(tmp_path, calendar=None, calendar_dates=None, shapes=None, frequencies=None)))
    assert found["t:stop/s1"].attributes["departures_per_day"].value == 4
    assert "service_day" not in found["t:stop/s1"].attributes


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"routes": None}, "gtfs-table"),
        ({"trips": None}, "gtfs-table"),
        ({"stops": "id,lat\n"}, "gtfs-column"),
        ({"stop_times": ""}, "gtfs-column"),
        ({"stops": "stop_id,stop_lat,stop_lon\n"}, "source-empty"),
        ({"stops": "stop_id,stop_lat,stop_lon\na,nan,inf\n"}, "source-empty"),
        ({"stops": b"stop_id,stop_lat,stop_lon\n\xff\xfe,1,1\n"}, "file-damaged"),
        ({"stops": 'stop_id,stop_lat,stop_lon\n"a,1,1\n'}, "file-damaged"),
        ({"stops": "stop_id,stop_lat,stop_lon\n" + "x" * 100_000 + ",1,1\n"}, "file-damaged"),
    ],
)
def test_what_is_wrong_with_the_whole_is_refused(tmp_path, changes, code):
    with pytest.raises(InvalidInput) as caught:
        read(feed(tmp_path, **changes))
    assert caught.value.problem_code == code
    assert caught.value.hint


def test_limits(tmp_path, monkeypatch):
    for name in ("STOPS_MAX", "TRIPS_MAX", "SHAPE_POINTS_MAX"):
        monkeypatch.setattr(gtfs, name, 1)
        with pytest.raises(LimitExceeded) as caught:
            read(feed(tmp_path))
        assert caught.value.params["limit"] == name
        monkeypatch.setattr(gtfs, name, 100)


def test_a_bomb_is_refused(tmp_path):
    with pytest.raises(LimitExceeded) as caught:
        read(feed(tmp_path, shapes="shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\n" + " " * 80_000_000))
    assert caught.value.params["limit"] == "INFLATION_RATIO_MAX"


def test_damaged_feeds_are_refused_or_read(tmp_path):
    whole = feed(tmp_path).read_bytes()
    chance = random.Random(3)
    path = tmp_path / "broken.zip"
    for number in range(150):
        bad = bytearray(whole)
        if number % 2:
            bad = bad[: chance.randrange(30, len(bad))]
        else:
            for _ in range(6):
                bad[chance.randrange(4, len(bad))] = chance.randrange(256)
        path.write_bytes(bad)
        try:
            found, hint = objects_of(read(path)), "none needed"
        except CimError as error:
            found, hint = {}, error.hint
        assert len(found) <= 6
        assert hint
