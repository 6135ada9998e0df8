-- Where a city is first looked at from: longitude, latitude, zoom, pitch, bearing, as a JSON list.
-- NULL leaves it to the viewer, which opens on the middle of the buildings.

ALTER TABLE city ADD COLUMN first_view VARCHAR;
