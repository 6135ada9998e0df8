-- A network that was taken back is no network of the city any more, until it comes again.
ALTER TABLE network ADD COLUMN withdrawn BOOLEAN;
