"""How a model is rolled out to a service."""
