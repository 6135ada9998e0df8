"""How the parts of one capability are put together; the composition root calls these."""
