"""The impact of schemes, put together: service, live readings, routes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from cim.accounts.model import Role
from cim.city.service import CityService
from cim.findings import Finding
from cim.impact.api import impact_router
from cim.impact.graph import Node
from cim.impact.indicators import indicator_graph
from cim.impact.light.service import LightService
from cim.impact.service import ImpactService, Subject
from cim.impact.stock import Overlay
from cim.ports import Clock
from cim.schemes.actor import SchemeActor
from cim.schemes.bus import Item
from cim.schemes.documents import finding_json
from cim.schemes.model import SchemeState
from cim.schemes.service import Done, Seen
from cim.schemes.view import scheme_document
from cim.wiring.schemes import Planning


class SchemeRegistry:
    """Schemes as their impact sees them."""

    def __init__(self, planning: Planning, city: CityService) -> None:
        self._planning = planning
        self._city = city

    def subject(self, scheme_id: str, authorization: str) -> Subject:
        """Return what somebody may see of a scheme; raises ``NotFound`` where that is nothing."""
        role = self._planning.accounts.role_in(authorization)
        return self.of(self._planning.schemes.seen(scheme_id, role), planner=role is Role.PLANNER)

    def of(self, seen: Seen, *, planner: bool) -> Subject:
        """Return a scheme as somebody sees it; its objects are made when they are asked for."""

        def overlay() -> Overlay:
            return self._planning.schemes.realised(seen.state(head))

        head = seen.head
        return Subject(seen.actor.scheme.id, head, overlay, planner, seen.state(head).base.version)

    def published(self) -> Sequence[Subject]:
        """Return what everybody may see."""
        return [self.of(seen, planner=False) for seen in self._planning.schemes.visible(Role.VISITOR)]

    def describe(self, subject: Subject) -> Mapping[str, Any]:
        """Return a scheme's card."""
        role = Role.PLANNER if subject.planner else Role.VISITOR
        return scheme_document(self._planning.schemes, self._planning.schemes.seen(subject.scheme_id, role))

    def finding_json(self, finding: Finding) -> Mapping[str, Any]:
        """Return a finding, its witness in degrees."""
        return finding_json(finding, self._city.view.working)


@dataclass(slots=True)
class Impact:
    """What the impact needs, wired."""

    service: ImpactService
    registry: SchemeRegistry
    light: LightService

    def routers(self) -> Sequence[APIRouter]:
        """Return the routes."""
        return [impact_router(self.service, self.registry, self.light.document)]

    async def start(self) -> None:
        """Start the worker, and have ready what is published: that is what is asked for first."""
        self.service.start()
        self.light.start()
        for subject in self.registry.published():
            self.service.submit(subject)

    async def stop(self) -> None:
        """Stop the worker."""
        self.light.stop()
        await asyncio.to_thread(self.service.stop)


def wire_impact(planning: Planning, city: CityService, clock: Clock, more: Iterable[Node] = ()) -> Impact:
    """Return the impact over wired schemes; ``more`` are indicators of other capabilities."""
    registry = SchemeRegistry(planning, city)
    light = LightService(city)

    def publish(subject: Subject, items: Sequence[Mapping[str, Any]]) -> None:
        planning.bus.publish(subject.scheme_id, items, planner=subject.planner)

    service = ImpactService(city, indicator_graph((*light.nodes(), *more)), publish, clock)

    def edited(actor: SchemeActor, done: Done | None) -> None:
        name = actor.scheme.id
        if done is not None:
            service.submit(registry.of(planning.schemes.seen(name, Role.PLANNER), planner=True))
        elif actor.scheme.state is SchemeState.PUBLISHED:
            service.submit(registry.of(planning.schemes.seen(name, Role.VISITOR), planner=False))

    def assess(seen: Seen) -> Sequence[Finding]:
        return service.findings(registry.of(seen, planner=seen.sequence is None))

    def items(seen: Seen) -> Sequence[Item]:
        return service.items(registry.of(seen, planner=seen.sequence is None))

    planning.schemes.listen(edited)
    planning.schemes.assess_with(assess)
    planning.more_items.append(items)
    return Impact(service, registry, light)
