"""Two requests at once: every order of their database calls, with every placement of few faults."""
