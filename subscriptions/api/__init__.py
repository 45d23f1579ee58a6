"""The HTTP API's resources about who gets what: account, catalogue, endpoints, publisher tokens.

Each view reads the request, calls the verb that the portal calls too, and writes the result. What
all resources share (tokens, pages, problems, the OpenAPI description) is in `subscriptions.rest`.
"""
