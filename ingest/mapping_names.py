"""Well-known names of columns and layers, in English, German, Chinese and Japanese: what a mapping is guessed from."""

from __future__ import annotations

import re
from typing import Final

COLUMN_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "height_m": (
        "height_m", "height", "bldg_height", "building_height", "bldgheight", "measuredheight", "measured_height",
        "hoehe", "höhe", "gebaeudehoehe", "gebäudehöhe", "hoehe_m", "height_ft", "hgt_agl", "roofheight", "hgt",
        "建筑高度", "高度", "楼高", "高さ", "建物高さ", "計測高さ", "z",
    ),
    "storeys_above_ground": (
        "storeys_above_ground", "storeysaboveground", "storeys", "stories", "storey", "floors", "num_floors",
        "numfloors", "floor_count", "nfloors", "levels", "building_levels", "story_ht", "no_floors", "gf_floors",
        "geschosse", "geschosszahl", "anzahl_geschosse", "vollgeschosse", "层数", "楼层", "楼层数", "地上层数",
        "階数", "地上階数", "floor",
    ),
    "storeys_below_ground": ("storeys_below_ground", "storeysbelowground", "地下层数", "地下階数", "basements"),
    "year_of_construction": (
        "year_of_construction", "yearofconstruction", "year_built", "yearbuilt", "yr_built", "built", "build_year",
        "construction_year", "start_date", "baujahr", "建成年份", "建造年份", "竣工年份", "建筑年代", "建築年",
        "竣工年", "appear_dt",
    ),
    "function": (
        "function", "use", "usage", "building_use", "bldg_use", "landuse", "lnduse", "land_use", "zone_type",
        "nutzung", "gebaeudefunktion", "gebäudefunktion", "用途", "建筑用途", "使用性质", "主要用途", "建物用途",
        "用地性质", "地类名称", "prim_purp", "bra_use", "building",
    ),
    "name": (
        "name", "site_name", "bldg_name", "building_name", "bezeichnung", "名称", "建筑名称", "名前", "建物名称",
        "st_name", "street_name",
    ),
    "parcel_id": ("parcel_id", "pid_long", "parcelid", "flurstueckskennzeichen", "宗地代码", "地番"),
    "address": ("address", "full_addr", "addr", "adresse", "anschrift", "地址", "门牌", "住所", "所在地"),
    "roof_type": ("roof_type", "rooftype", "roof_shape", "dachform", "屋顶类型", "屋根形状"),
    "crown_diameter_m": ("crown_diameter_m", "crown_diameter", "crown", "kronendurchmesser", "冠幅", "樹冠径"),
    "width_m": ("width_m", "width", "road_width", "breite", "路宽", "宽度", "道路宽度", "幅員"),
    "lanes": ("lanes", "num_lanes", "numlanes", "fahrstreifen", "车道数", "車線数"),
    "highway": ("highway", "road_class", "roadclass", "道路等级", "道路種別"),
}  # fmt: skip
"""Names of columns by the attribute that they become, the likeliest first; compared without case and signs."""

ID_NAMES: Final = (
    "gml_id", "gmlid", "building_id", "buildingid", "bldg_id", "bldgid", "struct_id", "pid_long", "parcel_id", "pid",
    "globalid", "objectid", "object_id", "osm_id", "uid", "uuid", "fid_source", "id", "gid", "identifier", "kennung",
    "建筑编号", "编号", "标识码", "建物id", "bsm",
)  # fmt: skip
"""Names of columns that identify a feature, the likeliest first; one is taken only where its values differ."""

LAYER_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "Building": (
        "building", "bldg", "footprint", "gebaeude", "gebäude", "haus", "建筑", "房屋", "建物", "batiment", "bâtiment",
    ),
    "+Parcel": (
        "parcel", "plot", "cadastr", "taxlot", "flurstueck", "flurstück", "grundst", "宗地", "地块", "地番",
    ),
    "SolitaryVegetationObject": ("tree", "baum", "bäume", "树", "樹木", "街路樹"),
    "Railway": ("rail", "track", "subway", "metro", "gleis", "铁路", "地铁", "鉄道"),
    "WaterBody": ("water", "lake", "river", "gewaesser", "gewässer", "hydro", "水系", "河", "湖", "水域", "水面"),
    "PlantCover": (
        "park", "green", "forest", "grass", "openspace", "open_space", "grün", "wald", "绿地", "公园", "公園",
    ),
    "+TransitStop": ("transit", "bus_stop", "station", "haltestelle", "公交", "车站", "駅", "バス停"),
    "+District": (
        "district", "neighborhood", "neighbourhood", "ward", "bezirk", "stadtteil", "区划", "街道办", "行政区",
    ),
    "LandUse": (
        "landuse", "land_use", "zoning", "zone", "flaechennutzung", "用地", "土地利用", "用途地域", "tessellation",
    ),
    "Road": (
        "street", "road", "highway", "centerline", "centreline", "strasse", "straße", "weg", "道路", "路网", "街路",
    ),
    "CityFurniture": (
        "hydrant", "lamp", "light", "pole", "sensor", "camera", "signal", "meter", "leuchte", "路灯",
        "消火栓", "传感器",
    ),
}  # fmt: skip
"""Parts of a layer's name by the type that they speak for; the first type that fits a layer's geometry wins."""

PARCEL_IDS: Final = frozenset({"parcelid", "pidlong", "pid", "flurstueckskennzeichen", "宗地代码", "taxlotid", "地番"})
"""Columns that speak for parcels where the layer's name does not speak for buildings."""

UNIT_ENDINGS: Final = {"_ft": "ft", "_feet": "ft", "ft": "ft", "_cm": "cm", "_mm": "mm"}
"""What the end of a column's name says about the unit of a length."""


def plain(name: str) -> str:
    """Return a name without case, signs and blanks, as it is compared."""
    return re.sub(r"[\W_]+", "", name.casefold())


def unit_of(column: str) -> str:
    """Return the unit that the name of a column of lengths states, metres where it states none."""
    lower = column.casefold()
    for ending, unit in UNIT_ENDINGS.items():
        if lower.endswith(ending) and lower != ending:
            return unit
    return "m"
