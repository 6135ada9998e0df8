"""What a scheme does to land, people, cost and carbon: indicators as a graph over the building stock."""
