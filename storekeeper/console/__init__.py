"""The console: the shop in a browser. Pages for people, over the same models as the API."""
