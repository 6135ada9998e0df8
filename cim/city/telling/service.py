"""The card of an object with its sources and its past; and what is answered for one that is not shown any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from cim.city.columns import attributes_from_json
from cim.city.matching import Match
from cim.city.merge import Member, combine
from cim.city.merging.plan import Link, dataset_of
from cim.city.merging.report import conflict_json
from cim.city.merging.store import read_arrivals, read_priority
from cim.city.priority import Priority
from cim.city.priority import read_priority as priority_of
from cim.city.service import CityService, fact_json
from cim.city.telling import store
from cim.city.telling.store import Gave, Version
from cim.db.store import Database
from cim.errors import Gone, NotFound


class ObjectTeller:
    """Answers for one object."""

    def __init__(self, database: Database, city: CityService) -> None:
        self._database = database
        self._city = city

    def tell_at(self, identifier: str, version: int) -> dict[str, Any]:
        """Return an object as a baseline had it; raises :class:`NotFound`."""
        found = self._city.objects_at(version, [identifier]).get(identifier)
        if found is None:
            raise NotFound(
                "That baseline has no object of that id.",
                code="object-not-found",
                id=identifier[:240],
                baseline_version=version,
            )
        name, place = found.attributes.get("name"), found.place
        return {
            "id": identifier,
            "type": found.type,
            "dataset": found.dataset,
            "parent_id": found.parent_id,
            "baseline_version": version,
            "name": None if name is None else name.value,
            "bbox": None if place is None else list(self._city.working.bbox_to_lonlat(place.bounds)),
            "lods": sorted({geometry.lod for geometry in found.geometries}),
            "attributes": [fact_json(key, fact, found.dataset) for key, fact in found.attributes.items()],
        }

    def tell(self, identifier: str) -> dict[str, Any]:
        """Return the card of an object with ``sources``, ``conflicts`` and ``history``.

        Each of its provenance names, as ``job_id``, the job that delivered it last.

        An object of a source that contributes to another is answered for as its source gives it, with
        ``merged_into``.  Raises :class:`Gone` for an object that the city showed once, :class:`NotFound` else.
        """
        version = self._city.baseline_version
        if identifier in self._city.view.index.row_of:
            card = self._city.card(identifier)
            with self._database.read() as cursor:
                links = store.read_contributions(cursor, identifier, version)
                given = store.read_given(cursor, list(links), version) if links else {}
                lods = store.read_lods(cursor, given) if given else {}
                rules = read_priority(cursor, version) if given else ""
                arrivals = read_arrivals(cursor) if given else []
                versions = store.read_versions(cursor, identifier)
                jobs = store.read_deliveries(cursor, version)
            priority = Priority(priority_of(rules), {dataset: number for number, dataset in enumerate(arrivals)})
            return {
                **card,
                "provenance": [{**one, "job_id": jobs.get(one["dataset"])} for one in card["provenance"]],
                "sources": _sources(identifier, links),
                "conflicts": _conflicts(identifier, links, given, lods, priority),
                "history": _history(versions),
            }
        with self._database.read() as cursor:
            link = store.read_link(cursor, identifier, version)
            given = store.read_given(cursor, [identifier], version) if link else {}
            versions = store.read_versions(cursor, identifier)
        if link is not None and identifier in given:
            return _merged(given[identifier], link)
        if not versions:
            raise NotFound("The city has no object of that id.", code="object-not-found", id=identifier[:240])
        raise _gone(identifier, versions)


def _sources(identifier: str, links: Mapping[str, Link]) -> list[dict[str, Any]]:
    if not links:
        return [{"id": identifier, "dataset": dataset_of(identifier), "match": "first", "overlap": None, "iou": None}]
    return [
        {"id": one, "dataset": dataset_of(one), "match": link.match, "overlap": link.overlap, "iou": link.iou}
        for one, link in links.items()
    ]


def _conflicts(
    identifier: str,
    links: Mapping[str, Link],
    given: Mapping[str, Gave],
    lods: Mapping[str, Sequence[str]],
    priority: Priority,
) -> list[dict[str, Any]]:
    """Return where the sources disagree: worked out again, so that it need not be kept for every building."""
    members = [
        Member(
            one,
            dataset_of(one),
            orjson.loads(given[one].attributes),
            tuple(lods.get(one, ())),
            tuple(sorted({lod for part in given.values() if part.parent_id == one for lod in lods.get(part.id, ())})),
            given[one].has_place,
        )
        for one, link in links.items()
        if link.match not in (Match.PART, Match.BODY) and one in given
    ]
    if len(members) < 2:
        return []
    return [conflict_json(one) for one in combine(members, dataset_of(identifier), priority).conflicts]


def _history(versions: Sequence[Version]) -> list[dict[str, Any]]:
    ends = [version.at.isoformat() for version in versions[1:]]
    return [
        {
            "baseline_version": version.baseline_version,
            "valid_from": version.at.isoformat(),
            "valid_to": end,
            "job_id": version.job_id,
        }
        for version, end in zip(versions, [*ends, None], strict=True)
        if not version.removed
    ]


def _merged(gave: Gave, link: Link) -> dict[str, Any]:
    facts = attributes_from_json(gave.attributes)
    name = facts.get("name")
    return {
        "id": gave.id,
        "type": gave.type,
        "dataset": gave.dataset,
        "parent_id": gave.parent_id,
        "merged_into": link.canonical_id,
        "match": link.match,
        "overlap": link.overlap,
        "iou": link.iou,
        "name": None if name is None else name.value,
        "attributes": [fact_json(key, fact, gave.dataset) for key, fact in facts.items()],
    }


def _gone(identifier: str, versions: Sequence[Version]) -> Gone:
    gone = versions[-1]
    last = next((version for version in reversed(versions) if not version.removed), gone)
    return Gone(
        "The city showed this object once; it went with a later delivery.",
        hint="Its last version is kept: add ?baseline_version= with the number that is named here.",
        code="object-gone",
        id=identifier[:240],
        last_baseline_version=gone.baseline_version - 1,
        valid_from=last.at.isoformat(),
        valid_to=gone.at.isoformat(),
        job_id=gone.job_id,
    )
