"""The API's OpenAPI description: paths and methods as deployed, the rest from the app's own validators."""
