"""What the API and the console share about a request and its response."""
