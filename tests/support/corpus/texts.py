"""What can go wrong with one format of text only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from tests.support.corpus.model import ANY, NOTICED, REFUSED, Case, bytes_of
from tests.support.made_vector import squares, write_layer

DEEP = 1_000_000
UTM = "EPSG:32635"


def json_texts(good: Path) -> Iterator[Case]:
    """JSON that is nested, huge, or says numbers that are none."""
    text, name = good.read_text(encoding="utf-8"), good.name
    kind = name.partition(".")[2]

    def case(what: str, expect: str, body: str) -> Case:
        crs = "EPSG:4326" if kind == "topojson" else None
        return Case(f"{kind}: {what}", expect, bytes_of(name, body.encode()), crs=crs)

    if kind == "topojson":
        yield Case("topojson: no coordinate system", REFUSED, bytes_of(name, text.encode()))
    inner = text.index("{", 1)
    yield case("10^6 nested arrays", REFUSED, text[:inner] + "[" * DEEP + "]" * DEEP + text[inner:])
    yield case("10^6 open arrays", REFUSED, text[:inner] + "[" * DEEP)
    yield case(
        "10^6 nested objects", REFUSED, '{"type":"FeatureCollection","a":' + '{"a":' * DEEP + "1" + "}" * DEEP + "}"
    )
    yield case("an array on top", NOTICED, "[" + text + "]")
    yield case("a brace too many", NOTICED, text + "}")
    yield case("a member twice", ANY, text.replace('"type"', '"type":"x","type"', 1))
    yield case("a lone surrogate", ANY, text.replace('"b1"', '"\\ud800"'))
    yield case("a number beyond all", NOTICED, _number(text, "1e999"))
    yield case("a number of a megabyte", NOTICED, _number(text, "1" * 1_000_000))
    yield case("not a number", NOTICED, _number(text, "NaN"))


def cityjson_texts(good: Path) -> Iterator[Case]:
    """CityJSON, document and stream, whose members contradict one another."""
    yield from json_texts(good)
    text, kind = good.read_text(encoding="utf-8"), good.name.partition(".")[2]

    def case(what: str, expect: str, body: str) -> Case:
        return Case(f"{kind}: {what}", expect, bytes_of(good.name, body.encode()))

    def swapped(old: str, new: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    texture = '"appearance":{"textures":[{"type":"PNG","image":"../../gone.png"}]},"version":'
    yield case("a texture that is missing", NOTICED, swapped('"version":', texture))
    yield case("axes swapped", NOTICED, swapped("[90000.0,435000.0,0.0]", "[435000.0,90000.0,0.0]"))
    yield case("places beyond all", NOTICED, swapped("[90000.0,", "[1e300,"))
    yield case("a scale of nothing", REFUSED, swapped("[0.001,", "[0,"))
    yield case("an unknown coordinate system", REFUSED, swapped("EPSG/0/7415", "EPSG/0/99999"))
    yield case("no coordinate system", REFUSED, swapped('"referenceSystem"', '"reference"'))
    yield case("another version", REFUSED, swapped('"version":"2.0"', '"version":"9.9"'))
    yield case("a vertex that is not there", NOTICED, swapped('"boundaries":[[[[', '"boundaries":[[[[999999999,'))
    yield case("a vertex before the first", NOTICED, swapped('"boundaries":[[[[', '"boundaries":[[[[-1,'))
    yield case("a ring of two corners", NOTICED, re.sub(r"\[\[\[\[[\d,]*\]", "[[[[1,2]", text, count=1))
    yield case("a ring of words", NOTICED, swapped('"boundaries":[[[[', '"boundaries":[[[["here",'))
    yield case("a meaning that is not there", NOTICED, swapped('"values":[[0,', '"values":[[77,'))
    yield case("fewer meanings than surfaces", NOTICED, swapped('"values":[[0,1,', '"values":[['))
    yield case("an unknown geometry", NOTICED, swapped('"type":"Solid"', '"type":"Blob"'))
    yield case("a template that is not there", NOTICED, swapped('"type":"Solid"', '"type":"GeometryInstance"'))
    yield case("a member of an object twice", NOTICED, swapped('"type":"Building"', '"type":"Road","type":"Building"'))
    for what, parent in (("of itself", "b0"), ("that is not there", "gone")):
        named = swapped('"type":"Building"', f'"type":"Building","parents":["{parent}"]')
        yield case(f"a parent {what}", NOTICED, named)


def _number(text: str, value: str) -> str:
    """Return the text with the last coordinate replaced."""
    last = list(re.finditer(r"-?[\d.]+(?=\s*\]\s*\])", text))[-1]
    return text[: last.start()] + value + text[last.end() :]


def geojson_texts(good: Path) -> Iterator[Case]:
    """GeoJSON with geometry that is none."""
    yield from json_texts(good)
    head = '{"type":"FeatureCollection","features":['
    square = "[[[24.94,60.17],[24.941,60.17],[24.941,60.171],[24.94,60.17]]]"

    def case(what: str, expect: str, geometry: str, mapping: dict[str, Any] | None = None) -> Case:
        features = (feature("sound", polygon(square)), feature("wrong", geometry))
        body = f"{head}{','.join(features)}]}}".encode()
        told = json.dumps({"type": "Building", "id": "id", **(mapping or {})})
        return Case(f"geojson geometry: {what}", expect, bytes_of("b.geojson", body), mapping=told)

    def feature(name: str, geometry: str) -> str:
        return '{"type":"Feature","properties":{"id":"' + name + '"},"geometry":' + geometry + "}"

    def polygon(rings: str) -> str:
        return '{"type":"Polygon","coordinates":' + rings + "}"

    yield case("a ring that does not close", NOTICED, polygon("[[[24.94,60.17],[24.941,60.17],[24.941,60.171]]]"))
    yield case("a bow tie", NOTICED, polygon("[[[24.9,60.1],[24.91,60.11],[24.91,60.1],[24.9,60.11],[24.9,60.1]]]"))
    yield case("NaN", NOTICED, polygon("[[[24.94,NaN],[24.941,60.17],[24.941,60.171],[24.94,60.17]]]"))
    yield case("Infinity", NOTICED, polygon("[[[24.94,Infinity],[24.941,60.17],[24.941,60.171],[24.94,60.17]]]"))
    yield case("beyond the pole", NOTICED, polygon("[[[24.94,460.17],[24.941,60.17],[24.941,60.171],[24.94,460.17]]]"))
    yield case("texts for numbers", NOTICED, polygon('[[["a","b"],["c","d"],["e","f"],["a","b"]]]'))
    yield case("a point for a building", NOTICED, '{"type":"Point","coordinates":[24.94,60.17]}')
    yield case("no coordinates", NOTICED, '{"type":"Polygon"}')
    yield case("an unknown type", NOTICED, '{"type":"Blob","coordinates":[]}')
    yield case("nothing", NOTICED, "null")
    yield case("a collection in a collection", NOTICED, '{"type":"GeometryCollection","geometries":[]}')
    yield case("one place four times", NOTICED, polygon("[[[24.9,60.1],[24.9,60.1],[24.9,60.1],[24.9,60.1]]]"))
    yield case("a column that is not there", REFUSED, "null", {"attributes": {"height_m": "nowhere"}})
    yield Case("vector: axes swapped", REFUSED, _swapped)
    yield Case("vector: no coordinate system", REFUSED, lambda f: write_layer(f / "b.fgb", squares(2), crs=None))
    yield Case("vector: an unknown coordinate system", REFUSED, _vector_as_is, crs="EPSG:999999")
    yield Case("vector: a coordinate system that does not fit", NOTICED, _vector_as_is, crs="EPSG:2249")
    yield Case("vector: 2,100,000 vertices", NOTICED, _huge)


def _vector_as_is(folder: Path) -> Path:
    return write_layer(folder / "b.fgb", squares(3))


def _swapped(folder: Path) -> Path:
    turned = [shapely.transform(shape, lambda xy: xy[:, ::-1]) for shape in squares(5, at=(139.7, 35.6))]
    return write_layer(folder / "b.fgb", turned)


def _huge(folder: Path) -> Path:
    angle = np.linspace(0, 2 * np.pi, 2_100_000)
    ring = np.column_stack((24.94 + 0.01 * np.cos(angle), 60.17 + 0.01 * np.sin(angle)))
    return write_layer(folder / "b.fgb", [shapely.Polygon(ring), *squares(1)])


def xml_texts(good: Path) -> Iterator[Case]:
    """XML that grows, reads other files, nests, links in circles."""
    text = good.read_text(encoding="utf-8")
    start = text.index("<core:CityModel")
    poly = text.index("<gml:Polygon>")
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "lol"}">' for i in range(10))

    def case(what: str, expect: str, body: str | bytes) -> Case:
        return Case(f"gml: {what}", expect, bytes_of("c.gml", body if isinstance(body, bytes) else body.encode()))

    def dtd(entities: str, use: str) -> str:
        return (
            text[:start]
            + f"<!DOCTYPE x [{entities}]>"
            + text[start:].replace("</bldg:Building>", f"{use}</bldg:Building>", 1)
        )

    yield case("billion laughs", REFUSED, dtd(laughs, "<gml:name>&l9;</gml:name>"))
    yield case(
        "quadratic growth", REFUSED, dtd(f'<!ENTITY a "{"a" * 100_000}">', f"<gml:name>{'&a;' * 1000}</gml:name>")
    )
    yield case(
        "a file of the machine", NOTICED, dtd('<!ENTITY a SYSTEM "file:///etc/passwd">', "<gml:name>&a;</gml:name>")
    )
    yield case("10^6 nested elements", REFUSED, text[:poly] + "<a>" * DEEP + "</a>" * DEEP + text[poly:])
    yield case("a tag that does not close", REFUSED, text.replace("</gml:Polygon>", "", 1))
    yield case("another encoding than it says", ANY, text.replace("UTF-8", "UTF-16", 1))
    yield case("an encoding that nobody knows", NOTICED, text.replace("UTF-8", "KLINGON-8", 1))
    yield case("no coordinate system", REFUSED, text.replace(' srsName="', ' other="'))
    yield case("an unknown coordinate system", REFUSED, text.replace("EPSG::25832", "EPSG::99999"))
    yield case("an id twice", NOTICED, text.replace('gml:id="B1"', 'gml:id="B0"'))
    yield case("NaN", NOTICED, text.replace("<gml:posList>", "<gml:posList>NaN ", 1))
    yield case("words for numbers", NOTICED, text.replace("<gml:posList>", "<gml:posList>here ", 1))
    yield case(
        "a position short",
        NOTICED,
        text.replace("<gml:posList>500", "<gml:posList>", 1).replace("00.0 5400000.0", "", 1),
    )
    yield case("no positions", NOTICED, _emptied(text))
    yield case("axes swapped", NOTICED, re.sub(r"(5\d{5}\.\d+) (5400\d{3}\.\d+)", r"\2 \1", text))
    yield case(
        "a ring that does not close", NOTICED, re.sub(r"( [\d.]+){3}</gml:posList>", "</gml:posList>", text, count=1)
    )
    ring = '<gml:surfaceMember xlink:href="#%s"/>'
    loop = '<gml:CompositeSurface gml:id="c1">' + ring % "c2" + "</gml:CompositeSurface>"
    back = '<gml:CompositeSurface gml:id="c2">' + ring % "c1" + "</gml:CompositeSurface>"
    body = f"<bldg:lod2MultiSurface><gml:MultiSurface><gml:surfaceMember>{loop}</gml:surfaceMember>"
    body += f"<gml:surfaceMember>{back}</gml:surfaceMember></gml:MultiSurface></bldg:lod2MultiSurface>"
    yield case("links in a circle", NOTICED, text.replace("</bldg:Building>", body + "</bldg:Building>", 1))
    nowhere = (
        "<bldg:lod2MultiSurface><gml:MultiSurface>" + ring % "gone" + "</gml:MultiSurface></bldg:lod2MultiSurface>"
    )
    yield case("a link to nowhere", NOTICED, text.replace("</bldg:Building>", nowhere + "</bldg:Building>", 1))
    texture = '<app:appearance xmlns:app="http://www.opengis.net/citygml/appearance/2.0"><app:Appearance><app:surfaceDataMember>'
    texture += "<app:ParameterizedTexture><app:imageURI>../../etc/gone.png</app:imageURI></app:ParameterizedTexture>"
    texture += "</app:surfaceDataMember></app:Appearance></app:appearance>"
    yield case("a texture that is missing", NOTICED, text.replace("</bldg:Building>", texture + "</bldg:Building>", 1))
    yield case(
        "a vertex 10^6 times", NOTICED, text.replace("<gml:posList>", "<gml:posList>" + "500000 5400000 100 " * DEEP, 1)
    )


def _emptied(text: str) -> str:
    start = text.index("<gml:posList>") + len("<gml:posList>")
    return text[:start] + text[text.index("</gml:posList>") :]


def networks(good: Path) -> Iterator[Case]:
    """Networks whose elements are missing."""
    text = good.read_text(encoding="utf-8")

    def case(what: str, expect: str, body: str) -> Case:
        return Case(f"epanet: {what}", expect, bytes_of("n.inp", body.encode()), crs=UTM)

    yield case("a pipe to nowhere", NOTICED, text.replace("P3 J2 J3", "P3 J2 NOWHERE"))
    yield case("NaN", NOTICED, text.replace("J2 90 5", "J2 nan 5"))
    yield case("an id twice", NOTICED, text.replace(" J3 80 5", " J2 80 5"))
    yield case("axes swapped", NOTICED, re.sub(r"(500\d{3}) (5000000)", r"\2 \1", text))
    yield case("a line of a megabyte", REFUSED, text.replace("Small", "x" * 1_000_000))
    yield case("no coordinates", NOTICED, text[: text.index("[COORDINATES]")])
    yield Case("epanet: no coordinate system", REFUSED, bytes_of("n.inp", text.encode()))


def streets(good: Path) -> Iterator[Case]:
    """SUMO networks that grow, nest, or lie nowhere."""
    text = good.read_text(encoding="utf-8")
    start = text.index("<net ")

    def case(what: str, expect: str, body: str) -> Case:
        return Case(f"sumo: {what}", expect, bytes_of(good.name, body.encode()))

    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "lol"}">' for i in range(10))
    yield case("billion laughs", REFUSED, f"<!DOCTYPE net [{laughs}]>" + text[start:].replace("Main", "&l9;"))
    inside = text.index("<junction")
    yield case("10^6 nested elements", REFUSED, text[:inside] + "<a>" * DEEP + "</a>" * DEEP + text[inside:])
    yield case("a tag that does not close", REFUSED, text.replace("</edge>", "", 1))
    yield case("an edge twice", NOTICED, text.replace('id="B"', 'id="A"'))
    yield case("a shape of NaN", NOTICED, text.replace("1100,1000,5", "NaN,1000,5"))
    yield case("a shape of words", NOTICED, text.replace("1100,1000,5", "here,there"))
    yield case("a shape beyond all", NOTICED, text.replace("1100,1000,5", "1e300,1000"))
    yield case("a shape of 10^6 corners", NOTICED, text.replace("1100,1000,5", "1100,1000 " * DEEP))
    yield case("no edges", REFUSED, re.sub("<edge.*</edge>", "", text, flags=re.DOTALL))
    yield case("no location", REFUSED, re.sub("<location.*?/>", "", text, flags=re.DOTALL))
    yield case("a shift beyond all", NOTICED, text.replace("-389000.00", "1e300"))
    yield case("a shift that is missing", NOTICED, text.replace("-389000.00,-5819000.00", ""))
    yield case("axes swapped", NOTICED, text.replace("-389000.00,-5819000.00", "-58190000.00,-389000.00"))
    yield case("a projection of noise", REFUSED, text.replace("+proj=utm", "+proj=klingon"))
    yield case("a projection that reads a file", REFUSED, text.replace("+proj=utm", "+init=/etc/passwd:1 +proj=x"))
    yield case("lanes beyond all", ANY, text.replace('width="4.0"', 'width="1e999"'))
    yield case("an id of control characters", ANY, text.replace('id="B"', 'id="&#10;&#9;"'))


def building_models(good: Path) -> Iterator[Case]:
    """IFC models that refer in circles, to nothing, or to what is of another kind."""
    text = good.read_text(encoding="utf-8")

    def case(what: str, expect: str, body: str) -> Case:
        return Case(f"ifc: {what}", expect, bytes_of(good.name, body.encode()))

    yield case("a schema that nobody knows", REFUSED, text.replace("'IFC4'", "'IFC99'"))
    yield case("no building", REFUSED, text.replace("IFCBUILDING(", "IFCSPACE("))
    yield case("no place on Earth", REFUSED, text.replace("IFCMAPCONVERSION", "IFCNOTHING"))
    yield case("a coordinate system of noise", REFUSED, text.replace("EPSG:25832", "EPSG:999999"))
    yield case("a coordinate system in feet", REFUSED, text.replace("EPSG:25832", "EPSG:2249"))
    yield case("a shift of nothing", NOTICED, text.replace("500000.,5300000.", "$,$"))
    yield case("a shift of NaN", NOTICED, text.replace("500000.,5300000.", "NAN,5300000."))
    yield case("a shift beyond all", NOTICED, text.replace("500000.,5300000.", "1.E300,5300000."))
    yield case("axes swapped", NOTICED, text.replace("500000.,5300000.", "5300000.,500000."))
    place = "#202=IFCLOCALPLACEMENT("
    yield case("an element that is its own place", REFUSED, text.replace(place + "#9", place + "#202"))
    links = "".join(f"#{n}=IFCLOCALPLACEMENT(#{n + 1},#5);\n" for n in range(10_000, 110_000))
    chain = text.replace(place + "#9", place + "#10000").replace("ENDSEC;\nEND-", links + "ENDSEC;\nEND-")
    yield case("10^5 places in a chain", REFUSED, chain)
    yield case("a building that is in itself", ANY, text.replace("$,$,$,#10,(#11)", "$,$,$,#11,(#11)"))
    yield case("storeys in a circle", ANY, text.replace("$,$,$,#11,(#13,#12,#14)", "$,$,$,#12,(#13,#12,#14)"))
    solid = "#204=IFCEXTRUDEDAREASOLID("
    yield case("a reference to nothing", NOTICED, text.replace(solid + "#203", solid + "#999"))
    yield case("a reference to another kind", NOTICED, text.replace(solid + "#203", solid + "#1"))
    yield case("a wall of no height", NOTICED, text.replace("#5,#20,6000.0)", "#5,#20,0.0)"))
    yield case("a wall of NaN", NOTICED, text.replace("#5,#20,6000.0)", "#5,#20,NAN)"))
    yield case("a wall of 10^300 m", NOTICED, text.replace("#5,#20,6000.0)", "#5,#20,1.E300)"))
    yield case("a number twice", ANY, text.replace("#227=", "#207="))
    yield case("an id twice", ANY, text.replace("000000000111", "000000000110"))
    yield case("units of nothing", ANY, text.replace("#3=IFCUNITASSIGNMENT((#1,#2))", "#3=IFCUNITASSIGNMENT(())"))
    yield case("10^5 nested lists", ANY, text.replace("((0.,0.,0.))", "(" * 100_000 + "0." + ")" * 100_000, 1))
    yield case("a text that does not close", NOTICED, text.replace("Town house'", "Town house"))


def series(good: Path) -> Iterator[Case]:
    """Observations that are none."""
    text = good.read_text(encoding="utf-8")

    def case(what: str, expect: str, body: str) -> Case:
        return Case(f"csv: {what}", expect, bytes_of("s.csv", body.encode()), crs=None)

    yield case("no rows", NOTICED, text[: text.index("\n") + 1])
    yield case("NaN", NOTICED, text.replace("1.5", "NaN"))
    yield case("a quote that does not close", NOTICED, text.replace("p1", '"p1', 1))
    yield case("times that are none", NOTICED, text.replace("2026-01-01T", "2026-13-41T"))
    yield case(
        "10^5 columns", NOTICED, text.replace("result", "result," + ",".join(f"c{i}" for i in range(100_000)), 1)
    )
    yield case("a cell of 30 megabytes", NOTICED, text.replace("p1", "p" * 30_000_000, 1))


def models(good: Path) -> Iterator[Case]:
    """Models whose faces point nowhere."""
    text = good.read_text(encoding="utf-8")

    def case(what: str, expect: str, body: str) -> Case:
        return Case(f"obj: {what}", expect, bytes_of("m.obj", body.encode()), crs=UTM)

    yield case("a texture that is missing", NOTICED, "mtllib gone.mtl\nusemtl wall\n" + text)
    yield case("a face to nowhere", NOTICED, text.replace("f 4 3 2 1", "f 4 3 2 99"))
    yield case("a face to 0", NOTICED, text.replace("f 4 3 2 1", "f 4 3 2 0"))
    yield case("a face far behind", NOTICED, text.replace("f 4 3 2 1", "f -999999999999999999999 3 2 1"))
    yield case("NaN", NOTICED, text.replace("v 2 3 0", "v NaN 3 0"))
    yield case("infinity", NOTICED, text.replace("v 2 3 0", "v 1e999 3 0"))
    yield case("words", NOTICED, text.replace("v 2 3 0", "v here 3 0"))
    yield case("no faces", NOTICED, text[: text.index("f ")])
    yield case("a face of 10^6 corners", ANY, text + "f " + "1 2 3 " * 333_333 + "\n")
    yield Case("obj: no coordinate system", REFUSED, bytes_of("m.obj", text.encode()))
