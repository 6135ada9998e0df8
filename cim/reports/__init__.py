"""The comparison of schemes as a PDF: the report page, printed by a browser without a window."""
