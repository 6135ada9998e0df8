"""Files that planners bring from a browser: kept in the data directory until they are taken in."""
