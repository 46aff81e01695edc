"""The Lambda functions, one folder each; only their handlers are deployed."""
