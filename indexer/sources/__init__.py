"""Readers of article files, one a format."""
