"""Three ready schemes for one square of the sample city, generated to be compared.

The place is real: Railway Square (``helsinki:relation/2919118`` in OpenStreetMap), 0.9 ha between the station,
the art museum and the theatre.  Nobody proposes to build on it: what stands there in these schemes is made
up, because every planner and resident knows the place, and every scheme says so.  Lengths are metres in the
city's working CRS (EPSG:3879); views and suns are as links carry them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cim.accounts.model import Who
from cim.schemes.joining.service import JoiningService
from cim.schemes.model import Text, Words
from cim.schemes.service import SchemeService, Wish

AUTHOR: Final = "sample"
SITE: Final = "helsinki:relation/2919118"
VIEW: Final = "24.9442,60.1711,17.0,52,-22"
"""Longitude, latitude, zoom, pitch, bearing: the square from the south-east."""
NEAR: Final = "24.9443,60.1713,17.7,58,28"
EQUINOX_NOON: Final = "2026-03-20T10:30:00Z"
EQUINOX_AFTERNOON: Final = "2026-03-20T14:00:00Z"

SOUTH: Final = (25_496_897.7, 6_673_118.0)
NORTH: Final = (25_496_897.7, 6_673_165.0)
MALL: Final = "helsinki:way/22273017"
"""A shopping centre of three storeys to the south-east."""
KIOSK: Final = "helsinki:way/300626401"
STREET: Final = "helsinki:way/238779011"
"""Vilhonkatu, north of the square."""

GENERATED: Final = Text(" Generated for the sample city.", "示例城市生成数据。")


@dataclass(frozen=True, slots=True)
class Step:
    """One edit; ``on_made`` means what the step of that number (from 0) made first, in place of ``wish.target``."""

    wish: Wish
    on_made: int | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """A scheme to be made: what is said of it, and its edits in order."""

    words: Words
    steps: tuple[Step, ...] = field(default_factory=tuple)


def make_missing_schemes(schemes: SchemeService, joining: JoiningService) -> list[str]:
    """Make the sample's schemes in a city that has their site and not all of them; return the ids of what was made."""
    plots = sample_schemes()
    own = sum(actor.scheme.branch.author == AUTHOR for actor in schemes.shelf.actors())
    if own >= len(plots) or SITE not in schemes.city.view.index.row_of:
        return []
    return make_schemes(schemes, joining, plots)


def make_schemes(schemes: SchemeService, joining: JoiningService, plots: Sequence[Plot]) -> list[str]:
    """Make and publish schemes on the newest baseline and return their ids.

    Each write has a key of its own, so that a start that was interrupted goes on where it stopped.
    """
    made = []
    for number, plot in enumerate(plots):
        key = f"sample-scheme-{number}"
        scheme_id = schemes.create(plot.words, Who(AUTHOR, key)).scheme.id
        targets: list[str] = []
        for place, step in enumerate(plot.steps):
            wish = step.wish
            if step.on_made is not None:
                wish = Wish(wish.kind, targets[step.on_made], wish.params, wish.phase_year)
            done = schemes.edit(scheme_id, wish, Who(AUTHOR, f"{key}-{place}"))
            targets.append(done.edit.targets[0])
        joining.publish(scheme_id, Who(AUTHOR, f"{key}-publish"))
        made.append(scheme_id)
    return made


def _edit(kind: str, year: int, target: str | None = None, *, on_made: int | None = None, **params: Any) -> Step:
    return Step(Wish(kind, target, params, year), on_made)


def _form(form: str, at: tuple[float, float], year: int, use: str = "residential", **numbers: float) -> Step:
    return _edit("massing.add", year, form=form, place=list(at), numbers=numbers, use=use, bearing_deg=0.0)


def _row(first: tuple[float, float], step: tuple[float, float], count: int) -> list[list[float]]:
    return [[first[0] + step[0] * i, first[1] + step[1] * i] for i in range(count)]


def _stop(title: Text, text: Text, view: str = VIEW, sun: str = EQUINOX_NOON) -> Mapping[str, Any]:
    return {"title": title.as_json(), "text": text.as_json(), "view": view, "sun": sun}


def _words(name: Text, summary: Text, *tour: Mapping[str, Any]) -> Words:
    return Words(name, Text(summary.en + GENERATED.en, summary.zh + GENERATED.zh), tour)


def sample_schemes() -> tuple[Plot, ...]:
    """Return the three: courtyards, towers, park first."""
    return (_courtyards(), _towers(), _park_first())


def _courtyards() -> Plot:
    words = _words(
        Text("Mid-rise courtyards", "多层围合院落"),
        Text(
            "Two blocks of six and five storeys round green courts, with shops along the street and a kindergarten; "
            "two storeys of homes on the shopping centre nearby.",
            "两组六层与五层围合院落，沿街商业，设幼儿园；附近购物中心加建两层住宅。",
        ),
        _stop(
            Text("Two green courts", "两处绿院"),
            Text("Homes look onto a quiet court and onto the street.", "住宅一面朝内院，一面朝街道。"),
        ),
        _stop(
            Text("Afternoon sun", "午后日照"),
            Text("Six storeys are as high as the neighbours across the street.", "六层高度与街对面的邻屋相当。"),
            NEAR,
            EQUINOX_AFTERNOON,
        ),
    )
    return Plot(
        words,
        (
            _form("courtyard", SOUTH, 2028, length_m=56, width_m=44, depth_m=12, storeys=6),
            _form("courtyard", NORTH, 2030, length_m=56, width_m=44, depth_m=12, storeys=5),
            _edit("building.use", 2030, on_made=1, use="kindergarten", levels=[0]),
            _edit("building.solar", 2030, on_made=1, solar_share=0.4),
            _edit("tree.add", 2030, places=[*_row((25_496_885.0, 6_673_121.0), (8.5, 0.0), 4),
                                            *_row((25_496_885.0, 6_673_168.0), (8.5, 0.0), 4)]),
            _edit("building.height", 2030, MALL, height_m=16.0),
            _edit("building.use", 2030, MALL, use="residential", levels=[3, 4]),
        ),
    )  # fmt: skip


def _towers() -> Plot:
    words = _words(
        Text("Towers", "塔楼"),
        Text(
            "Two towers on podiums of shops, fourteen storeys of homes and ten of offices: the most floor area of "
            "the three.",
            "两座裙房塔楼，十四层住宅与十层办公，三个方案中建筑面积最大。",
        ),
        _stop(
            Text("Two towers", "两座塔楼"),
            Text("The higher one rises to 54 m, three times its neighbours.", "较高者达 54 m，为邻屋的三倍。"),
        ),
        _stop(
            Text("Long shadows", "长影"),
            Text("In the afternoon the shadows reach the houses to the east.", "午后阴影覆盖东侧建筑。"),
            NEAR,
            EQUINOX_AFTERNOON,
        ),
    )
    return Plot(
        words,
        (
            _form("podium-tower", SOUTH, 2028, length_m=50, width_m=42, tower_m=22, podium_storeys=2, storeys=14),
            _form("podium-tower", NORTH, 2031, "office", length_m=50, width_m=42, tower_m=24, podium_storeys=2,
                  storeys=10),
            _edit("building.demolish", 2028, KIOSK),
        ),
    )  # fmt: skip


def _park_first() -> Plot:
    words = _words(
        Text("Park first", "公园优先"),
        Text(
            "One row of six storeys along the north edge; the rest of the square becomes a park with trees, and a "
            "street beside it is closed to cars.",
            "北侧一排六层住宅，广场其余部分辟为种树的公园，旁侧街道禁止机动车通行。",
        ),
        _stop(
            Text("A park in the sun", "阳光下的公园"),
            Text("Homes stand north of the park and cast no shadow on it.", "住宅位于公园北侧，不遮挡公园。"),
        ),
        _stop(
            Text("A street to walk", "步行街道"),
            Text("The street north of the square is closed to cars.", "广场北侧街道禁止机动车通行。"),
            NEAR,
        ),
    )
    west, east, south, north = 25_496_868.0, 25_496_927.0, 6_673_096.0, 6_673_169.0
    park = [[[west, south], [east, south], [east, north], [west, north]]]
    rows = [_row((west + 5.0, south + 6.0 + 15.0 * i), (9.8, 0.0), 6) for i in range(5)]
    return Plot(
        words,
        (
            _form("slab", (25_496_897.7, 6_673_180.0), 2029, length_m=58, depth_m=13, storeys=6),
            _edit("building.solar", 2029, on_made=0, solar_share=0.6),
            _edit("park.add", 2028, footprint=park, name="Sample park"),
            _edit("tree.add", 2028, places=[place for row in rows for place in row]),
            _edit("street.close", 2028, STREET),
        ),
    )
