"""Networks of water, power and streets, as snapshots of a baseline."""
