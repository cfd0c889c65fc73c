"""Secrets and their checks. Knows neither HTTP nor SQL."""
