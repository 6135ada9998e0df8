"""Taking back what a job did: a new baseline that says again what was said before it."""
