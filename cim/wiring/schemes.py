"""Schemes, put together: service, live topic, routes, and who may write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from fastapi import APIRouter

from cim.accounts.model import Role
from cim.accounts.service import Accounts
from cim.accounts.store import planner_token
from cim.city.service import CityService
from cim.db.store import Database
from cim.errors import NotFound
from cim.live.hub import LiveHub
from cim.networks.service import NetworkService
from cim.ports import Clock
from cim.reports.api import reports_router
from cim.reports.service import Printer
from cim.schemes.actor import SchemeActor
from cim.schemes.api import schemes_router
from cim.schemes.bus import Item, SchemeBus, Send
from cim.schemes.forms.api import forms_router
from cim.schemes.forms.service import ModelService
from cim.schemes.forms.store import ModelStore
from cim.schemes.joining.api import joining_router
from cim.schemes.joining.service import JoiningService
from cim.schemes.model import SchemeState, Text
from cim.schemes.pictures.api import pictures_router
from cim.schemes.pictures.service import PictureService
from cim.schemes.pictures.store import PictureStore
from cim.schemes.published import PublishedScheme
from cim.schemes.realise import realise
from cim.schemes.service import Done, SchemeService, Seen
from cim.schemes.view import news_of, scheme_document, topic_items
from cim.web.asking import Asking

MODEL_ENTRY = "ingest.worker:read_model"
"""What a child process reads an uploaded model with."""


@dataclass(slots=True)
class Planning:
    """What planning needs, wired: others listen to ``schemes`` and publish through ``bus``."""

    schemes: SchemeService
    joining: JoiningService
    pictures: PictureService
    accounts: Accounts
    bus: SchemeBus
    token: str
    models: ModelService
    printer: Printer
    more_items: list[Callable[[Seen], Sequence[Item]]] = field(default_factory=list)
    """What other capabilities add to the state of a scheme's topic when it is opened."""
    _watch: asyncio.Task[None] | None = field(default=None)

    def routers(self) -> Sequence[APIRouter]:
        """Return the routes."""
        asking = Asking(self.accounts)
        return [
            schemes_router(self.schemes, asking, self.bus),
            joining_router(self.schemes, self.joining, asking),
            forms_router(self.models, asking),
            pictures_router(self.pictures, asking),
            reports_router(self.printer.print_pdf, asking),
        ]

    def published(self, scheme_id: str) -> PublishedScheme | None:
        """Return a scheme as it was last published; ``None`` where it is not published now."""
        try:
            seen = self.schemes.seen(scheme_id, Role.VISITOR)
        except NotFound:
            return None
        state = seen.state()
        return PublishedScheme(seen.head, lambda: realise(state, state.base))

    def all_published(self) -> list[str]:
        """Return the schemes that are published now."""
        return [seen.actor.scheme.id for seen in self.schemes.visible(Role.VISITOR)]

    async def start(self) -> None:
        """Begin to let go of those that have left."""
        self._watch = asyncio.create_task(self.bus.watch())

    async def stop(self) -> None:
        """End that."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch


def wire_planning(
    database: Database,
    city: CityService,
    hub: LiveHub,
    clock: Clock,
    browser: str = "",
    networks: NetworkService | None = None,
) -> Planning:
    """Return schemes over an open city; the planner token is kept in its data directory."""
    token = planner_token(database.directory.path)
    accounts = Accounts(token)
    schemes = SchemeService(database, city, clock)
    models = ModelService(ModelStore(database.directory.path / "models"), MODEL_ENTRY, clock)
    schemes.models, schemes.shelf.models = models.facts, models.placed
    if networks is not None:
        schemes.shelf.networks = networks.networks

    def allowed(scheme_id: str, given: str) -> bool | None:
        actor = schemes.shelf.find(scheme_id)
        if actor is None:
            return None
        if accounts.role_of(given) is Role.PLANNER:
            return True
        return False if actor.scheme.state is SchemeState.PUBLISHED else None

    def seed(scheme_id: str, planner: bool, send: Send) -> None:
        actor = schemes.shelf.actor(scheme_id)
        with actor.guard, suppress(NotFound):
            seen = schemes.seen(scheme_id, Role.PLANNER if planner else Role.VISITOR)
            send([*topic_items(schemes, seen), *(item for more in planning.more_items for item in more(seen))])

    bus = SchemeBus(hub, allowed, seed, clock)

    def tell(actor: SchemeActor, done: Done | None) -> None:
        name = actor.scheme.id
        if bus.follows(name):
            seen = schemes.seen(name, Role.PLANNER)
            card = {"id": "scheme", "scheme": scheme_document(schemes, seen)}
            bus.publish(name, [card] if done is None else news_of(schemes, seen, done))
        if done is None and bus.follows(name, planner=False):
            if actor.scheme.state is SchemeState.PUBLISHED:
                bus.publish(name, topic_items(schemes, schemes.seen(name, Role.VISITOR)), planner=False)
            else:
                bus.close_public(name)

    schemes.listen(tell)
    pictures = PictureService(schemes, PictureStore(database.directory.path / "previews"), lambda: _city_name(city))
    planning = Planning(
        schemes, JoiningService(schemes, clock), pictures, accounts, bus, token, models, Printer(browser)
    )
    return planning


def _city_name(city: CityService) -> Text:
    frame = city.view.frame
    return Text("City", "城市") if frame is None else Text(frame.title_en, frame.title_zh or frame.title_en)
