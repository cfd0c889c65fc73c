"""Databases that older versions have filled, and how they were made: see README.md."""
