"""The commands that are too long for :mod:`cim.cli`, a file each."""
