"""The parts of the OpenAPI document that cannot be read off a signature."""
