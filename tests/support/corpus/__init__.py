"""Malformed files of every format, made from good ones, and the harness that sees what becomes of them."""
