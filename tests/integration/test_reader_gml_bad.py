"""Bad CityGML: each fault is one clear error or one feature put aside, soon, in little memory."""

import random
import time
import tracemalloc

import pytest

from cim.city.model import Quarantined
from cim.errors import CimError, InvalidInput, LimitExceeded, UnsupportedFormat
from cim.findings import Finding
from ingest.readers import gml_xml
from tests.support import gml_city as gml

SECONDS_MAX = 10


@pytest.fixture(autouse=True)
def soon():
    begun = time.process_time()
    yield
    assert time.process_time() - begun < SECONDS_MAX


def lod1(points):
    return f"<bldg:lod1MultiSurface>{gml.multi_surface(gml.member(gml.polygon(points)))}</bldg:lod1MultiSurface>"


def block(identifier, x=gml.X):
    shape = gml.solid(*(gml.member(gml.polygon(p)) for p in gml.box(x, gml.Y, gml.Z).values()))
    return gml.building(identifier, f"<bldg:lod1Solid>{shape}</bldg:lod1Solid>")


def refused(path, **context):
    with pytest.raises(CimError) as caught:
        gml.records(path, **context)
    error = caught.value
    assert error.message
    assert error.hint
    assert "lxml" not in error.message
    assert "line " not in error.message
    return error


def text(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.999])
def test_truncated(tmp_path, share):
    whole = gml.write(tmp_path / "whole.gml", *(block(f"b{n}", gml.X + 20 * n) for n in range(300))).read_bytes()
    cut = text(tmp_path / "cut.gml", whole[: int(len(whole) * share)])
    assert refused(cut).problem_code == ("file-empty" if share == 0 else "file-damaged")


def test_random_damage_never_does_more_than_refuse_or_put_aside(tmp_path):
    whole = gml.write(tmp_path / "whole.gml", *(block(f"b{n}", gml.X + 20 * n) for n in range(3))).read_bytes()
    chance = random.Random(4)
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(damaged))
            damaged[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        try:
            gml.records(text(tmp_path / "a.gml", bytes(damaged)))
        except CimError as error:
            assert error.message  # noqa: PT017 -- it may also pass


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
BOMB = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>'


@pytest.mark.parametrize("inside", ["<gml:name>&l11;</gml:name>", '<gml:name id="&l11;"/>'])
def test_a_billion_laughs(tmp_path, inside):
    body = gml.HEAD_2.partition("?>")[2] + gml.envelope() + gml.building("b", inside) + gml.TAIL
    assert refused(text(tmp_path / "a.gml", BOMB + body)).problem_code == "xml-doctype"
    # However far down the declaration stands, and in whichever encoding.
    padded = f'<?xml version="1.0"?><!-- opengis.net/citygml {"x" * 700_000} -->' + BOMB.partition("?>")[2] + body
    assert refused(text(tmp_path / "b.gml", padded)).problem_code in {"xml-doctype", "file-damaged"}
    wide = (BOMB + body).replace("?>", ' encoding="UTF-16"?>', 1).encode("utf-16")
    assert refused(text(tmp_path / "c.gml", wide)).problem_code in {"xml-doctype", "file-damaged"}


def test_a_file_that_asks_for_others(tmp_path):
    secret = text(tmp_path / "secret.txt", "opengis.net/citygml hush")
    for wanted in (secret.as_uri(), "http://127.0.0.1:9/x"):
        doctype = f'<!DOCTYPE x [<!ENTITY s SYSTEM "{wanted}">]>'
        body = (
            gml.HEAD_2.partition("?>")[2]
            + gml.envelope()
            + gml.building("b", "<gml:name>&s;</gml:name>" + lod1(gml.FACES["roof"]))
        )
        error = refused(text(tmp_path / "a.gml", '<?xml version="1.0"?>' + doctype + body + gml.TAIL))
        assert error.problem_code == "xml-doctype"
        assert "hush" not in str(error.as_problem())


def test_numbers_that_are_none_put_aside_their_feature(tmp_path):
    good = block("good", gml.X + 50)
    for bad in ("NaN", "Infinity", "1e999", "-1e30", "abc", ""):
        points = gml.pos_list(gml.FACES["roof"]).split()
        points[4] = bad
        broken = lod1(gml.FACES["roof"]).replace(gml.pos_list(gml.FACES["roof"]), " ".join(points))
        found = gml.records(gml.write(tmp_path / "a.gml", gml.building("bad", broken), good))
        (fault,) = gml.of_kind(found, Quarantined)
        assert fault.feature.endswith("bad")
        assert fault.code in {"coordinate-absurd", "positions-damaged"}
        assert set(gml.objects_in(found)) == {"good"}


def test_axes_that_are_swapped_in_one_feature(tmp_path):
    good = [(35.26, 139.74, 5.0), (35.26001, 139.74, 5.0), (35.26, 139.74001, 5.0)]
    swapped = [(lon, lat, h) for lat, lon, h in good]
    path = gml.write(
        tmp_path / "a.gml", gml.building("good", lod1(good)), gml.building("bad", lod1(swapped)),
        bounds=gml.envelope("EPSG:6697", good[0]),
    )  # fmt: skip
    found = gml.records(path)
    assert [(q.feature, q.code) for q in gml.of_kind(found, Quarantined)] == [("bad", "coordinate-absurd")]
    assert set(gml.objects_in(found)) == {"good"}


def test_rings_that_are_not_closed_are_kept_and_said(tmp_path):
    shape = gml.multi_surface(
        gml.member(gml.polygon(gml.FACES["roof"], closed=False)), gml.member(gml.polygon(gml.FACES["wall0"]))
    )
    found = gml.records(
        gml.write(tmp_path / "a.gml", gml.building("b", f"<bldg:lod1MultiSurface>{shape}</bldg:lod1MultiSurface>"))
    )
    (said,) = gml.of_kind(found, Finding)
    assert (said.rule, said.object_id, said.measured) == ("gml-ring-open", "test:b", 1)
    assert gml.objects_in(found)["b"].geometries[0].ring_ends.tolist() == [4, 8]


def test_rings_too_short_and_without_vertices(tmp_path):
    for points, code in ((gml.FACES["roof"][:2], "ring-too-short"), (gml.FACES["roof"][:1], "ring-too-short")):
        found = gml.records(gml.write(tmp_path / "a.gml", gml.building("b", lod1(points)), block("good")))
        assert [q.code for q in gml.of_kind(found, Quarantined)] == [code]
    empty = lod1(gml.FACES["roof"]).replace(gml.pos_list(gml.FACES["roof"]), "")
    assert gml.of_kind(gml.records(gml.write(tmp_path / "b.gml", gml.building("b", empty), block("good"))), Quarantined)


def surfaces(identifier, *members):
    return f"<gml:MultiSurface gml:id='{identifier}'>{''.join(members)}</gml:MultiSurface>"


def test_references_in_a_circle(tmp_path):
    own = f"<bldg:lod1MultiSurface>{surfaces('a', gml.link('a'))}</bldg:lod1MultiSurface>"
    one = gml.building("x", f"<bldg:lod1MultiSurface>{surfaces('b', gml.link('c'))}</bldg:lod1MultiSurface>")
    two = gml.building("y", f"<bldg:lod1MultiSurface>{surfaces('c', gml.link('b'))}</bldg:lod1MultiSurface>")
    found = gml.records(gml.write(tmp_path / "a.gml", gml.building("own", own), one, two, block("good")))
    assert sorted((q.feature, q.code) for q in gml.of_kind(found, Quarantined)) == [
        ("own", "xlink-cyclic"), ("x", "xlink-cyclic"), ("y", "xlink-cyclic"),
    ]  # fmt: skip
    assert set(gml.objects_in(found)) == {"good"}


def test_references_that_double_at_every_step(tmp_path):
    """A billion laughs without an entity: each surface is two of the next."""
    chain = [
        f"<bldg:lod1MultiSurface>{surfaces(f'm{n}', *(gml.link(f'm{n + 1}'),) * 2)}</bldg:lod1MultiSurface>"
        for n in range(40)
    ]
    inner = "".join(chain)
    found = gml.records(gml.write(tmp_path / "a.gml", gml.building("one", inner), block("good")))
    assert "good" in gml.objects_in(found)
    assert [q.feature for q in gml.of_kind(found, Quarantined)] == ["one"]
    many = gml.records(
        gml.write(tmp_path / "b.gml", *(gml.building(f"s{n}", one) for n, one in enumerate(chain[:12])), block("good"))
    )
    assert "good" in gml.objects_in(many)


def test_references_to_nothing_and_to_other_files(tmp_path):
    found = gml.records(
        gml.write(
            tmp_path / "a.gml",
            gml.building(
                "none", f"<bldg:lod1MultiSurface>{gml.multi_surface(gml.link('nowhere'))}</bldg:lod1MultiSurface>"
            ),
            gml.building(
                "far",
                "<bldg:lod1MultiSurface><gml:MultiSurface>"
                '<gml:surfaceMember xlink:href="other.gml#x"/></gml:MultiSurface></bldg:lod1MultiSurface>',
            ),
            block("good"),
        )
    )
    assert sorted((q.feature, q.code) for q in gml.of_kind(found, Quarantined)) == [
        ("far", "xlink-foreign"), ("none", "xlink-missing"),
    ]  # fmt: skip
    assert set(gml.objects_in(found)) == {"good"}


def test_elements_without_end(tmp_path):
    deep = gml.HEAD_2 + gml.envelope() + "<core:cityObjectMember>" + "<a>" * 100_000
    error = refused(text(tmp_path / "a.gml", deep))
    assert isinstance(error, LimitExceeded)
    assert error.params["limit"] == "XML_DEPTH_MAX"
    nested = "<bldg:lod1MultiSurface>" + "<gml:MultiSurface><gml:surfaceMember>" * 100
    nested += (
        gml.polygon(gml.FACES["roof"]) + "</gml:surfaceMember></gml:MultiSurface>" * 100 + "</bldg:lod1MultiSurface>"
    )
    found = gml.records(gml.write(tmp_path / "b.gml", gml.building("deep", nested), block("good")))
    assert "good" in gml.objects_in(found)


def test_attributes_nested_too_deep_put_aside_their_feature(tmp_path):
    nested = "<uro:a>" * 90 + "<uro:b>1</uro:b>" + "</uro:a>" * 90
    found = gml.records(
        gml.write(tmp_path / "a.gml", gml.building("deep", nested + lod1(gml.FACES["roof"])), block("good"))
    )
    assert [q.code for q in gml.of_kind(found, Quarantined)] == ["nesting-max"]
    assert set(gml.objects_in(found)) == {"good"}


def test_a_feature_and_a_text_that_are_too_long_name_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(gml_xml, "XML_FEATURE_BYTES_MAX", 1_000_000)
    long = gml.building("b", lod1(gml.FACES["roof"]) + "<gml:name>x</gml:name>" * 200_000)
    error = refused(gml.write(tmp_path / "a.gml", long))
    assert error.params["limit"] == "XML_FEATURE_BYTES_MAX"
    monkeypatch.undo()
    error = refused(gml.write(tmp_path / "b.gml", gml.building("b", f"<gml:name>{'x' * 11_000_000}</gml:name>")))
    assert error.params["limit"] == "XML_TEXT_BYTES_MAX"


def test_an_encoding_that_is_not_the_one_it_says(tmp_path):
    named = gml.write(
        tmp_path / "a.gml", gml.building("b", "<gml:name>Zürich 市</gml:name>" + lod1(gml.FACES["roof"]))
    ).read_text()
    for content in (
        named.replace("市", "").encode("latin-1"),
        named.replace("UTF-8", "UTF-16").encode("utf-8"),
        named.replace("UTF-8", "no-such-encoding").encode("utf-8"),
        named.encode("utf-8").replace("市".encode(), b"\xff\xfe"),
    ):
        assert refused(text(tmp_path / "b.gml", content)).problem_code == "file-damaged"
    for encoding in ("UTF-16", "Shift_JIS"):
        content = named.replace("ü", "u").replace("UTF-8", encoding).encode(encoding.lower())
        assert (
            gml.objects_in(gml.records(text(tmp_path / "c.gml", content)))["b"].attributes["name"].value == "Zurich 市"
        )


def test_names_without_a_namespace_and_files_of_another_kind(tmp_path):
    assert isinstance(refused(text(tmp_path / "a.gml", "<CityModel/>")), UnsupportedFormat)
    empty = text(tmp_path / "b.gml", gml.HEAD_2 + gml.envelope() + gml.TAIL)
    assert gml.records(empty)[0].reader == "citygml"
    nothing = text(tmp_path / "c.gml", gml.HEAD_2 + gml.TAIL)
    assert isinstance(refused(nothing), InvalidInput)


@pytest.mark.parametrize(
    "srs", ["EPSG:999999", "urn:ogc:def:crs:EPSG::0", "nonsense", "EPSG:5773", "x" * 5000, "urn:adv:crs:UNKNOWN"]
)
def test_a_crs_that_is_none(tmp_path, srs):
    assert refused(gml.write(tmp_path / "a.gml", block("b"), bounds=gml.envelope(srs))).problem_code == "unknown-crs"


def test_ids_that_come_twice_and_ids_that_are_none(tmp_path):
    found = gml.records(gml.write(tmp_path / "a.gml", block("b"), block("b", gml.X + 50), block("x" * 300), block("y")))
    assert sorted(q.code for q in gml.of_kind(found, Quarantined)) == ["id-twice", "object-id"]
    assert set(gml.objects_in(found)) == {"b", "y"}


def relief(identifier, triangles):
    patches = "".join(
        f"<gml:Triangle><gml:exterior><gml:LinearRing><gml:posList>{one}</gml:posList></gml:LinearRing></gml:exterior>"
        "</gml:Triangle>"
        for one in triangles
    )
    return (
        '<core:cityObjectMember><dem:ReliefFeature gml:id="f"><dem:reliefComponent>'
        f'<dem:TINRelief gml:id="{identifier}">'
        f"<dem:lod>2</dem:lod><dem:tin><gml:TriangulatedSurface><gml:trianglePatches>{patches}</gml:trianglePatches>"
        "</gml:TriangulatedSurface></dem:tin></dem:TINRelief></dem:reliefComponent></dem:ReliefFeature>"
        "</core:cityObjectMember>"
    )


def test_triangles_that_are_none_are_counted_and_the_rest_is_ground(tmp_path):
    good = gml.pos_list([(gml.X, gml.Y, 1), (gml.X + 1, gml.Y, 1), (gml.X, gml.Y + 1, 2)])
    bad = [good.replace("1.0", "NaN", 1), good.rsplit(" ", 3)[0], "", good + " 1 2", gml.pos_list(gml.FACES["roof"])]
    found = gml.records(gml.write(tmp_path / "a.gml", relief("tin", [good, *bad, good])))
    (fault,) = gml.of_kind(found, Quarantined)
    assert (fault.feature, fault.code) == ("tin", "tin-triangle")
    assert fault.reason.startswith("4 ")
    (geometry,) = gml.objects_in(found)["tin"].geometries
    assert (geometry.lod, geometry.surface_count) == ("2", 3)  # one that is not closed is a triangle all the same


def test_a_relief_longer_than_any_feature_may_be_is_read_in_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(gml_xml, "XML_FEATURE_BYTES_MAX", 1_000_000)
    rows = [
        gml.pos_list([(gml.X + n, gml.Y, 1), (gml.X + n + 1, gml.Y, 1), (gml.X + n, gml.Y + 1, 2)])
        for n in range(25_000)
    ]
    path = gml.write(tmp_path / "a.gml", relief("tin", rows))
    assert path.stat().st_size > 4 * 1_000_000
    tracemalloc.start()
    pieces = [(i, o.geometries[0].surface_count) for i, o in gml.objects_in(gml.records(path)).items()]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pieces == [("tin", 20_000), ("tin/2", 5_000)]
    assert peak < 60_000_000
