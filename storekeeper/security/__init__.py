"""Passwords, tokens, signatures and keys. Knows neither HTTP nor SQL."""
