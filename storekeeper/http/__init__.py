"""The handling of requests and responses that the API and the console share."""
