import numpy as np
import shapely

from ingest.readers.osm_sea import close_sea

BORDER = shapely.box(0, 0, 1000, 1000)


def areas(*coastlines):
    land, sea = close_sea([np.array(line, dtype=float) for line in coastlines], BORDER)
    return sum(p.area for p in land), sum(p.area for p in sea)


def test_without_a_coastline_all_is_land():
    assert areas() == (1_000_000, 0)


def test_water_is_on_the_right():
    # Northward along x = 400: the right hand is the east.
    land, sea = areas([(400, 0), (400, 1000)])
    assert (round(land), round(sea)) == (400_000, 600_000)
    land, sea = areas([(400, 1000), (400, 0)])
    assert (round(land), round(sea)) == (600_000, 400_000)


def test_open_ends_are_led_to_the_nearest_border():
    land, sea = areas([(400, 10), (400, 990)])
    assert (round(land), round(sea)) == (400_000, 600_000)


def test_pieces_join_and_an_island_is_land():
    coast = [[(400, -50), (400, 500)], [(400, 500), (400, 1050)]]
    # Counter-clockwise: land inside, on the left.
    island = [(600, 400), (700, 400), (700, 500), (600, 500), (600, 400)]
    land, sea = areas(*coast, island)
    assert (round(land), round(sea)) == (410_000, 590_000)


def test_land_and_sea_fill_the_border():
    land, sea = areas([(0, 300), (500, 350), (1000, 320)], [(1000, 700), (0, 650)])
    assert abs(land + sea - BORDER.area) < 1e-6 * BORDER.area
    assert sea > 0 < land
