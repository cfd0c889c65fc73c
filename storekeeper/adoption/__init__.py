"""Taking over the course's own database: `source` reads it, `plan` decides, `report` words it, `target` writes."""
