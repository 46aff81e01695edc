"""The storm: the real handlers in a simulated world where one seed repeats a whole history."""
