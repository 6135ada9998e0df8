-- What is said of a network as a whole, such as its patterns and controls, as JSON.
ALTER TABLE network ADD COLUMN attributes VARCHAR;
