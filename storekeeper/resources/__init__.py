"""The JSON API: a file for each noun, a class for each URL, a method for each verb."""
