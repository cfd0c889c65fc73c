"""The work of an import job."""
