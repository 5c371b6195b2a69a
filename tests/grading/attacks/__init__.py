"""The attacks that a grading must withstand, as data: one module per group of families, and what runs them."""
