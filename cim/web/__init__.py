"""What every HTTP answer shares: problems, security headers, origin checks, limits."""
