"""How the book is made: its notebooks are executed and kept, its pages are built, its outputs are compared."""
