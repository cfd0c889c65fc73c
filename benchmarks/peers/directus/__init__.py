"""Directus: its project is nothing but a package; the collections are made through its API."""
