"""City objects: what the city is made of, and where it is kept."""
