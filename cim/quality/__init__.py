"""What is wrong with the geometry, the facts and the extent of what was taken in."""
