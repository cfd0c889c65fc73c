"""PocketBase: its collections as a migration, the rest as it comes."""
