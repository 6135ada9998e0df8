"""Three ready schemes for one site of the sample city, generated to be compared.

The site is real (OpenStreetMap calls it a construction site, ``helsinki:way/379319847``, 0.9 ha west of the
central library); what stands on it here is made up, and every scheme says so.  Lengths are metres in the
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
SITE: Final = "helsinki:way/379319847"
VIEW: Final = "24.9367,60.1741,16.9,52,-22"
"""Longitude, latitude, zoom, pitch, bearing: the site from the south-east."""
NEAR: Final = "24.9368,60.1742,17.6,58,28"
EQUINOX_NOON: Final = "2026-03-20T10:30:00Z"
EQUINOX_AFTERNOON: Final = "2026-03-20T14:00:00Z"

WEST: Final = (25_496_459.0, 6_673_471.0)
EAST: Final = (25_496_507.0, 6_673_471.0)
UPM: Final = "helsinki:way/224479206"
KIOSK: Final = "helsinki:way/464742772"
SERVICE_STREET: Final = "helsinki:way/177536271"

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
            "Two blocks of five and six storeys round green courts; shops along the street, a kindergarten inside.",
            "两组五至六层围合院落，沿街商业，院内设幼儿园。",
        ),
        _stop(
            Text("Two green courts", "两处绿院"),
            Text("Homes look onto a quiet court and onto the street.", "住宅一面朝内院，一面朝街道。"),
        ),
        _stop(
            Text("Afternoon sun", "午后日照"),
            Text("Six storeys leave the library most of its light.", "六层高度，图书馆仍有大部分日照。"),
            NEAR,
            EQUINOX_AFTERNOON,
        ),
    )
    return Plot(
        words,
        (
            _form("courtyard", WEST, 2028, length_m=42, width_m=54, depth_m=12, storeys=6),
            _form("courtyard", EAST, 2030, length_m=42, width_m=54, depth_m=12, storeys=5),
            _edit("building.use", 2030, on_made=1, use="kindergarten", levels=[0]),
            _edit("building.solar", 2030, on_made=1, solar_share=0.4),
            _edit("tree.add", 2030, places=[*_row((25_496_455.0, 6_673_466.0), (8.0, 0.0), 2),
                                            *_row((25_496_503.0, 6_673_466.0), (8.0, 0.0), 2)]),
            _edit("building.demolish", 2028, KIOSK),
        ),
    )  # fmt: skip


def _towers() -> Plot:
    words = _words(
        Text("Towers", "塔楼"),
        Text(
            "Two towers on podiums of shops: homes in the west, offices in the east; the most floor area of the three.",
            "两座裙房塔楼，西侧住宅、东侧办公，三个方案中建筑面积最大。",
        ),
        _stop(
            Text("Two towers", "两座塔楼"),
            Text("Sixteen storeys of homes beside twelve of offices.", "十六层住宅，毗邻十二层办公。"),
        ),
        _stop(
            Text("Long shadows", "长影"),
            Text(
                "In the afternoon the shadow reaches the library and the park.",
                "午后阴影覆盖图书馆与公园。",
            ),
            NEAR,
            EQUINOX_AFTERNOON,
        ),
    )
    return Plot(
        words,
        (
            _form("podium-tower", WEST, 2028, length_m=42, width_m=50, tower_m=22, podium_storeys=2, storeys=14),
            _form("podium-tower", EAST, 2031, "office", length_m=42, width_m=50, tower_m=24, podium_storeys=2,
                  storeys=10),
            _edit("building.storeys", 2031, UPM, count=7, storey_height_m=3.6, use="office"),
            _edit("building.demolish", 2028, KIOSK),
        ),
    )  # fmt: skip


def _park_first() -> Plot:
    words = _words(
        Text("Park first", "公园优先"),
        Text(
            "One seven-storey row along the north edge; the rest becomes a park, its service street is for walking.",
            "北侧一排七层住宅，其余辟为公园，内部道路改为步行。",
        ),
        _stop(
            Text("A park to the south", "南侧公园"),
            Text("The park lies in the sun; homes stand behind it.", "公园向阳，住宅位于其北。"),
        ),
        _stop(
            Text("A street to walk", "步行街道"),
            Text("The service street is closed to cars.", "服务道路禁止机动车通行。"),
            NEAR,
        ),
    )
    west, east, south, north = 25_496_441.0, 25_496_527.0, 6_673_444.0, 6_673_480.0
    return Plot(
        words,
        (
            _form("slab", (25_496_484.0, 6_673_491.0), 2029, length_m=86, depth_m=13, storeys=7),
            _edit("building.solar", 2029, on_made=0, solar_share=0.6),
            _edit("park.add", 2028, footprint=[[[west, south], [east, south], [east, north], [west, north]]],
                  name="Sample park"),
            _edit("tree.add", 2028, places=[*_row((25_496_446.0, 6_673_449.0), (11.0, 0.0), 8),
                                            *_row((25_496_451.0, 6_673_462.0), (11.0, 0.0), 7)]),
            _edit("street.close", 2028, SERVICE_STREET),
        ),
    )  # fmt: skip
