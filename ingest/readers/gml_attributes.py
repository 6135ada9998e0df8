"""Attributes of GML features: plain ones, generic ones, code lists, and what extensions (ADE) add; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

from ingest.readers.gml_types import UNITS
from ingest.readers.gml_xml import Element, local, named_attribute, text_of

_GENERIC: Final = {
    "stringAttribute": str, "intAttribute": int, "doubleAttribute": float, "dateAttribute": str, "uriAttribute": str,
    "measureAttribute": float, "codeAttribute": str,
}  # fmt: skip
_SETS: Final = frozenset({"genericAttributeSet", "GenericAttributeSet"})
_NUMBERS: Final = frozenset(
    {"measuredHeight", "storeysAboveGround", "storeysBelowGround", "averageHeight", "height", "crownDiameter",
     "trunkDiameter", "lod"}
)  # fmt: skip
_BOOLEANS: Final = {"true": True, "false": False}
HREF_MAX: Final = 500


@dataclass(slots=True)
class Facts:
    """Attributes by name, and the units of those that have one."""

    values: dict[str, Any] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, value: Any, unit: str | None = None) -> None:
        """Keep a value; a second one of a name makes a list."""
        if value is None or value == {}:
            return
        if name in self.values:
            before = self.values[name]
            self.values[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            self.values[name] = value
            if unit is not None:
                self.units[name] = unit


def take(facts: Facts, element: Element) -> None:
    """Add what one property of a feature says; geometry and parts are taken elsewhere."""
    name = local(element)
    if name in _GENERIC:
        _generic(facts, element, element.get("name"), _GENERIC[name])
    elif name in _SETS:
        inner = _set_of(element)
        facts.put(str(element.get("name") or name), inner)
    elif name == "genericAttribute":
        for child in element:
            _generic_of_3(facts, child)
    elif name == "address":
        facts.put("address", ", ".join(text for text in map(str.strip, element.itertext()) if text))
    elif len(element):
        facts.put(name, nested(element))
    else:
        _plain(facts, name, element)


def _plain(facts: Facts, name: str, element: Element) -> None:
    text = text_of(element)
    uom = element.get("uom")
    if not text:
        href = named_attribute(element, "href")
        facts.put(name, None if href is None else href[:HREF_MAX])
        return
    if uom is not None or name in _NUMBERS:
        value, unit = measure(text, uom)
        facts.put(name, value, unit)
    else:
        facts.put(name, _BOOLEANS.get(text, text))
    code_space = element.get("codeSpace")
    if code_space and f"{name}_codeSpace" not in facts.values:
        facts.put(f"{name}_codeSpace", code_space[:HREF_MAX])


def measure(text: str, uom: str | None) -> tuple[Any, str | None]:
    """Return a measured value and its unit, lengths in metres; what is no number stays as it is."""
    value = _number(text)
    if value is None:
        return text, uom
    if uom is None:
        return value, None
    unit, factor = UNITS.get(uom.lower(), (uom[:40], 1.0))
    return (value if factor == 1.0 else float(value) * factor), unit


def _number(text: str) -> int | float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and text.lstrip("+-").isdigit() and len(text) < 16 else value


def _generic(facts: Facts, element: Element, name: str | None, kind: type) -> None:
    value = next((child for child in element if local(child) == "value"), None)
    if not name or value is None:
        return
    text = text_of(value)
    if kind is str:
        facts.put(name, text or None)
        code_space = value.get("codeSpace")
        if code_space:
            facts.put(f"{name}_codeSpace", code_space[:HREF_MAX])
    else:
        facts.put(name, *measure(text, value.get("uom")))


def _generic_of_3(facts: Facts, element: Element) -> None:
    """Take a generic attribute as CityGML 3.0 writes it: its name is an element, too."""
    kind = local(element)
    name = next((text_of(child) for child in element if local(child) == "name"), "")
    if kind in _SETS:
        facts.put(name or kind, _set_of(element))
        return
    found = _GENERIC.get(kind[:1].lower() + kind[1:], str)
    _generic(facts, element, name, found)


def _set_of(element: Element) -> dict[str, Any]:
    inner = Facts()
    for child in element:
        if local(child) not in {"name", "codeSpace"}:
            take(inner, child)
    return _with_units(inner)


def nested(element: Element) -> Any:
    """Return what an element with elements inside says, as names and values, without types that repeat the name."""
    if not len(element):
        text = text_of(element)
        if not text:
            href = named_attribute(element, "href")
            return None if href is None else href[:HREF_MAX]
        return measure(text, element.get("uom"))[0] if element.get("uom") is not None else text
    children = list(element)
    if len(children) == 1 and local(children[0])[:1].isupper() and len(children[0]):
        value, kind = nested(children[0]), local(children[0])
        differs = kind.lower() != local(element).lower()
        return {"type": kind, **value} if differs and isinstance(value, dict) and "type" not in value else value
    inner = Facts()
    for child in children:
        name = local(child)
        value = nested(child)
        if child.get("uom") is not None and not len(child):
            inner.put(name, *measure(text_of(child), child.get("uom")))
        else:
            inner.put(name, value)
        code_space = child.get("codeSpace")
        if code_space and f"{name}_codeSpace" not in inner.values:
            inner.put(f"{name}_codeSpace", code_space[:HREF_MAX])
    return _with_units(inner)


def _with_units(facts: Facts) -> dict[str, Any]:
    """Return values with their units beside them, for they have no place of their own inside a value."""
    return {**facts.values, **{f"{name}_uom": unit for name, unit in facts.units.items()}}


def settled(facts: Facts) -> Facts:
    """Give what CityGML 3.0 says in other words the names of 2.0 too, which the city knows."""
    values = facts.values
    names = values.get("name")
    if isinstance(names, list):
        values["name"], values["names"] = names[0], names
    height = values.get("height")
    heights = height if isinstance(height, list) else [height]
    for one in heights:
        if isinstance(one, dict) and isinstance(one.get("value"), int | float) and "measuredHeight" not in values:
            values["measuredHeight"] = one["value"]
            facts.units["measuredHeight"] = str(one.get("value_uom", "m"))
    if isinstance(height, list | dict):
        values["constructionHeights"] = values.pop("height")
    built = values.get("dateOfConstruction")
    if isinstance(built, str) and "yearOfConstruction" not in values:
        values["yearOfConstruction"] = built[:4]
    return facts
