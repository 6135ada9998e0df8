"""Preview pictures of schemes: what a shared link shows before it is opened."""
