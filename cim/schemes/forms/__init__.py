"""Ready forms: the massing library, and models that planners bring."""
