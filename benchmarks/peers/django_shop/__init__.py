"""One Django project for its two APIs: the models and settings are the same."""
