"""Long work: in a child process, bounded, watched, stopped on request, taken up again."""
