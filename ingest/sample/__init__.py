"""The sample city: central Helsinki with generated parts on the real base."""
