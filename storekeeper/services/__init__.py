"""What the API and the console both do."""
