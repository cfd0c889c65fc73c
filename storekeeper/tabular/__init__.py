"""CSV, JSON Lines and Excel files as rows. Knows no stores and no items."""
