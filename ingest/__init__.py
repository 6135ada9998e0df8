"""Files and feeds into the city."""
