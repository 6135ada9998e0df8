"""Sources that share buildings, put together: what is attached to objects, the undo of jobs, and their routes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from fastapi import APIRouter

from cim.accounts.service import Accounts
from cim.city.api import city_router
from cim.city.attached import Attachment, of_datastreams, of_networks
from cim.city.service import CityService
from cim.city.telling.service import ObjectTeller
from cim.city.undoing.api import undo_router
from cim.city.undoing.service import UndoKind, UndoService
from cim.db.store import Database
from cim.jobs.service import JobService
from cim.networks.service import NetworkService
from cim.ports import Clock
from cim.schemes.model import SchemeState
from cim.schemes.service import SchemeService
from cim.sensing.service import SensingService
from cim.web.asking import Asking


def attach(city: CityService, schemes: SchemeService, sensing: SensingService, networks: NetworkService) -> None:
    """Have the city ask schemes, datastreams and networks what they have attached to objects that go."""

    def of_schemes(objects: Collection[str]) -> Iterable[Attachment]:
        for actor in schemes.shelf.actors():
            named = {target for edit in actor.log() for target in edit.targets}
            is_public = actor.scheme.state is SchemeState.PUBLISHED
            for one in sorted(named.intersection(objects)):
                yield Attachment(one, "scheme", actor.scheme.id, is_public)

    city.attachments.extend(
        [
            of_schemes,
            lambda objects: of_datastreams(sensing.datastreams, objects),
            lambda objects: of_networks(networks.networks(city.baseline_version), objects),
        ]
    )


def undo_kind(database: Database, city: CityService, clock: Clock) -> UndoKind:
    """Return the kind of job that takes another back."""
    return UndoKind(UndoService(database, city), city, clock)


def city_routers(
    city: CityService,
    database: Database,
    jobs: JobService,
    sensing: SensingService,
    accounts: Accounts,
    extra: Callable[[], Mapping[str, Any]],
) -> list[APIRouter]:
    """Return the routes of the city, of what a job did to it, and of taking that back, which a planner may."""
    undo = UndoService(database, city)
    return [
        city_router(city, extra=extra, datastreams_of=sensing.cards_of, teller=ObjectTeller(database, city)),
        undo_router(city, undo, jobs, Asking(accounts)),
    ]
