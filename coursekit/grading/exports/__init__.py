"""Marks and assignments in the formats of other systems, one module a format; all read the same table."""
