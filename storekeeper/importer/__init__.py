"""The work of an import job: checks a file and applies its rows."""
