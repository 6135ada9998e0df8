"""The named limits of sensing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SensingLimits:
    """How much may come in, be asked for and be kept; the field's name is what an error says.

    Only generated observations are pruned: what an instrument read is never thrown away.
    """

    datastreams_max: int = 100_000
    batch_observations_max: int = 100_000
    post_items_max: int = 10_000
    series_items_max: int = 10_000
    generated_age_days_max: float = 7.0
    """Age in the city's own time, counted back from the newest generated observation."""
    generated_rows_max: int = 3_000_000
    prune_every_batches: int = 300
