from . import commands, exercise, grade, gradebook, release

__all__ = ["commands", "exercise", "grade", "gradebook", "release"]
