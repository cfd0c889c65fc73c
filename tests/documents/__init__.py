"""Tests of the documents and of what they show."""
