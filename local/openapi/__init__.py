"""docs/openapi.json: the whole API in OpenAPI 3.1, made of the code that answers it."""
