"""What CityGML calls things, and what CityJSON 2.0 calls them; pure.

Sources: CityGML 2.0 (OGC 12-019), CityGML 3.0 (OGC 20-010, 21-006r2), CityJSON 2.0.1, IndoorGML 1.0 (OGC 14-005r3).
What CityJSON has no name for takes that of an extension, with a plus.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

TYPES: Final[Mapping[str, str]] = {
    "Building": "Building",
    "BuildingPart": "BuildingPart",
    "BuildingInstallation": "BuildingInstallation",
    "IntBuildingInstallation": "BuildingInstallation",
    "BuildingConstructiveElement": "BuildingConstructiveElement",
    "BuildingFurniture": "BuildingFurniture",
    "BuildingRoom": "BuildingRoom",
    "Room": "BuildingRoom",
    "CellSpace": "BuildingRoom",
    "Storey": "BuildingStorey",
    "BuildingUnit": "BuildingUnit",
    "Bridge": "Bridge",
    "BridgePart": "BridgePart",
    "BridgeInstallation": "BridgeInstallation",
    "IntBridgeInstallation": "BridgeInstallation",
    "BridgeConstructionElement": "BridgeConstructiveElement",
    "BridgeConstructiveElement": "BridgeConstructiveElement",
    "BridgeRoom": "BridgeRoom",
    "BridgeFurniture": "BridgeFurniture",
    "Tunnel": "Tunnel",
    "TunnelPart": "TunnelPart",
    "TunnelInstallation": "TunnelInstallation",
    "IntTunnelInstallation": "TunnelInstallation",
    "TunnelConstructiveElement": "TunnelConstructiveElement",
    "HollowSpace": "TunnelHollowSpace",
    "TunnelFurniture": "TunnelFurniture",
    "OtherConstruction": "OtherConstruction",
    "Road": "Road",
    "Track": "Road",
    "TransportationComplex": "Road",
    "Railway": "Railway",
    "Square": "TransportSquare",
    "Waterway": "Waterway",
    "LandUse": "LandUse",
    "WaterBody": "WaterBody",
    "PlantCover": "PlantCover",
    "SolitaryVegetationObject": "SolitaryVegetationObject",
    "CityFurniture": "CityFurniture",
    "CityObjectGroup": "CityObjectGroup",
    "GenericCityObject": "+GenericCityObject",
    "GenericOccupiedSpace": "+GenericOccupiedSpace",
    "GenericUnoccupiedSpace": "+GenericUnoccupiedSpace",
    "GenericLogicalSpace": "+GenericLogicalSpace",
    "GenericThematicSurface": "+GenericThematicSurface",
    "MassPointRelief": "+MassPointRelief",
    "BreaklineRelief": "+BreaklineRelief",
}
"""Features that become objects of their own."""

WITHIN: Final = frozenset(
    {
        "Section", "Intersection", "TrafficSpace", "AuxiliaryTrafficSpace", "ClearanceSpace", "Marking", "Hole",
        "BuildingSubdivision",
    }
)  # fmt: skip
"""Features whose geometry is that of the object they lie in."""

BOUNDING: Final = frozenset(
    {
        "boundedBy", "boundary", "opening", "fillingSurface", "filling", "trafficArea", "auxiliaryTrafficArea",
    }
)  # fmt: skip
"""Properties that lead to surfaces which say what they are."""

SURFACES: Final[Mapping[str, str]] = {
    "WindowSurface": "Window",
    "DoorSurface": "Door",
}
"""Names of surfaces that CityJSON writes otherwise."""

GEOMETRY: Final = re.compile(
    r"lod([0-4])(FootPrint|RoofEdge|Solid|MultiSurface|Geometry|MultiCurve|Network|Point|Surface|Curve"
    r"|ImplicitRepresentation|TerrainIntersection|TerrainIntersectionCurve)"
)
"""Properties that hold a geometry, and its level of detail."""

OTHER_GEOMETRY: Final[Mapping[str, str]] = {
    "cellSpaceGeometry": "3",
    "reliefPoints": "1",
    "ridgeOrValleyLines": "1",
    "breaklines": "1",
}
"""Properties that hold a geometry and do not say its level of detail in their name."""

FLAT_MEANING: Final[Mapping[str, str]] = {"FootPrint": "GroundSurface", "RoofEdge": "RoofSurface"}

MEMBERS: Final = ("cityObjectMember", "featureMember", "cellSpaceMember", "reliefComponent")
"""Properties that hold one feature each."""

LEFT_OUT: Final = ("surfaceDataMember", "stateMember", "transitionMember", "spaceLayerMember")
"""Properties whose content the city does not keep: textures and materials, graphs of rooms."""

GML_NAMESPACE: Final = "http://www.opengis.net/gml"
APPEARANCE: Final = "/appearance/"
FEET_M: Final = 0.3048
UNITS: Final[Mapping[str, tuple[str, float]]] = {
    "m": ("m", 1.0), "metre": ("m", 1.0), "meter": ("m", 1.0), "#m": ("m", 1.0), "urn:adv:uom:m": ("m", 1.0),
    "urn:ogc:def:uom:ucum::m": ("m", 1.0), "urn:ogc:def:uom:epsg::9001": ("m", 1.0),
    "ft": ("m", FEET_M), "foot": ("m", FEET_M), "feet": ("m", FEET_M), "urn:ogc:def:uom:epsg::9002": ("m", FEET_M),
    "cm": ("m", 0.01), "mm": ("m", 0.001), "km": ("m", 1000.0),
}  # fmt: skip
"""Names of lengths, what they become, and by which factor."""
