"""Live updates on one machine: the event API's two ends, POST /event and its sockets."""
