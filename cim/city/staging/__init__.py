"""What jobs read, staged on a bench, and compared there with what the city has."""
