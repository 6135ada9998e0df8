"""What is said of one object beyond the present: its sources, where they disagree, what it was before."""
