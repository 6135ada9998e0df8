"""Light as nodes of the indicator graph: five readings from one comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from cim.findings import Quality
from cim.impact.graph import SITE, Case, Node
from cim.impact.light.figures import LightFigures
from cim.impact.light.standards import LightStandard
from cim.impact.light.sun import SunPath
from cim.impact.model import Better, Outcome, Scope, Share, Target, Title, rounded

METHOD: Final = "light"
LIGHT_RANK: Final = 80
"""After all that costs milliseconds."""
BREAKDOWN_MAX: Final = 100


class LightDesk(Protocol):
    """Whoever works light out for a case."""

    def refine(self, case: Case) -> Iterator[LightFigures | None]:
        """Yield coarse figures, then complete ones; ``None`` where a case has no place to look at."""
        ...

    def standard(self, case: Case) -> LightStandard:
        """Return the rule that a case is judged by."""
        ...


Read = Callable[[LightFigures, LightStandard], Outcome]


def light_nodes(desk: LightDesk) -> tuple[Node, ...]:
    """Return the indicators of light; the first one to be computed does the work for all."""

    def node(identifier: str, unit: str, title: Title, better: Better, read: Read) -> Node:
        def refine(case: Case) -> Iterator[Outcome]:
            standard = desk.standard(case)
            for figures in desk.refine(case):
                yield Outcome(None) if figures is None else read(figures, standard)

        def compute(case: Case) -> Outcome:
            *_, last = refine(case)
            return last

        return Node(
            identifier, unit, title, ("buildings", "green", SITE), METHOD, compute,
            quality=Quality.MODELLED, better=better, scope=Scope.SITE, rank=LIGHT_RANK, refine=refine,
        )  # fmt: skip

    return (
        node("light.facade_sun_hours", "h", Title("Sun on the façades of homes", "住宅立面日照时数"), "more", _facades),
        node("light.homes_sun", "%", Title("Homes with the hours of sun", "满足日照标准的住宅比例"), "more", _homes),
        node("light.ground_sun_hours", "h", Title("Sun on parks", "公园日照时数"), "more", _parks),
        node("light.shadow_on_parks", "m2", Title("Park area that loses sun", "公园新增阴影面积"), "less", _shadow),
        node("light.neighbours_losing", "1", Title("Neighbours that lose sun", "日照受损的邻近住宅"), "less", _losers),
    )


def _facades(figures: LightFigures, standard: LightStandard) -> Outcome:
    del standard
    return Outcome(figures.facade_h, tuple(Share(side, hours) for side, hours in figures.sides_h.items()))


def _homes(figures: LightFigures, standard: LightStandard) -> Outcome:
    source = f"{standard.source}; {standard.homes_h_min:g} h; {standard.evidence}"
    return Outcome(figures.homes_share, (), findings=figures.findings, target=Target(source))


def _parks(figures: LightFigures, standard: LightStandard) -> Outcome:
    del standard
    shares = [Share(park.object_id, park.after_h) for park in figures.parks if park.after_h is not None]
    return Outcome(figures.park_h, tuple(shares[:BREAKDOWN_MAX]))


def _shadow(figures: LightFigures, standard: LightStandard) -> Outcome:
    del standard
    shares = [Share(park.object_id, park.shaded_m2) for park in figures.parks if park.shaded_m2 > 0]
    return Outcome(figures.shaded_park_m2, tuple(shares[:BREAKDOWN_MAX]))


def _losers(figures: LightFigures, standard: LightStandard) -> Outcome:
    del standard
    homes = [loser for loser in figures.losers if loser.home]
    shares = tuple(Share(loser.object_id, loser.lost_h, "h") for loser in homes[:BREAKDOWN_MAX])
    return Outcome(figures.losing, shares)


def light_document(
    figures: LightFigures | None, standard: LightStandard, sun: SunPath, sequence: int
) -> dict[str, Any]:
    """Return who wins and loses how many hours, as JSON members."""
    head = {
        "sequence": sequence,
        "day": sun.day.isoformat(),
        "hours": list(standard.hours),
        "elevation_deg_min": standard.elevation_deg_min,
        "step_min": rounded(sun.step_h * 60.0),
        "standard": {
            "id": standard.id,
            "title": standard.title.as_json(),
            "homes_h_min": standard.homes_h_min,
            "source": standard.source,
            "evidence": standard.evidence,
        },
    }
    if figures is None:
        return {**head, "losers": [], "parks": [], "facades": {}}
    losers = [
        {
            "object_id": loser.object_id, "name": loser.name, "home": loser.home, "side": loser.side,
            "before_h": round(loser.before_h, 3), "after_h": round(loser.after_h, 3),
        }
        for loser in figures.losers
    ]  # fmt: skip
    parks = [
        {
            "object_id": park.object_id, "name": park.name, "before_h": rounded(park.before_h),
            "after_h": rounded(park.after_h), "shaded_m2": round(park.shaded_m2, 1),
        }
        for park in figures.parks
    ]  # fmt: skip
    facades = {identifier: round(hours, 3) for identifier, hours in figures.facades.items()}
    return {**head, "losers": losers, "parks": parks, "facades": facades}
