"""What people and instruments have hung on objects of the city, and lose hold of when an object goes (pure)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple, TypeAlias

from cim.networks.model import Network, NetworkLink, NetworkNode
from cim.sensing.model import Datastream

RULE = "attached-gone"
"""The rule of a finding that an object went to which something was attached."""


class Attachment(NamedTuple):
    """Something that names an object: ``kind`` is scheme, datastream or network, ``id`` its own.

    ``is_public`` is false for what only planners may know of: a scheme that is not published.
    """

    object_id: str
    kind: str
    id: str
    is_public: bool = True

    def json(self) -> dict[str, str]:
        """Return it as JSON members."""
        return {"object_id": self.object_id, "kind": self.kind, "id": self.id}


FindAttachments: TypeAlias = Callable[[Collection[str]], Iterable[Attachment]]
"""Returns what is attached to any of some objects."""


def of_datastreams(streams: Iterable[Datastream], objects: Collection[str]) -> list[Attachment]:
    """Return the datastreams that measure at some objects."""
    return [Attachment(s.object_id, "datastream", s.id) for s in streams if s.object_id in objects and s.object_id]


def of_networks(networks: Iterable[Network], objects: Collection[str]) -> list[Attachment]:
    """Return the elements of networks whose attributes name some objects: a customer's building, a plant's site."""
    found: list[Attachment] = []
    for network in networks:
        elements: list[NetworkNode | NetworkLink] = [*network.nodes, *network.links]
        for element in elements:
            named = {value for value in element.attributes.values() if isinstance(value, str)}.intersection(objects)
            found.extend(Attachment(one, "network", f"{network.id}/{element.element_id}") for one in sorted(named))
    return found
