"""The version of the package, the book and the exercises: one number, kept here."""

__version__ = "0.1.0"
