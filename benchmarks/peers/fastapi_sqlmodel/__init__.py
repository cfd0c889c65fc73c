"""FastAPI with SQLModel, put together as the full-stack template of its author does."""
