"""The HTTP API of events, deliveries and attempts, below /api/v1/.

View sets call the same verbs as the portal and start from the token's broadcaster; serializers
describe shapes for responses and for OpenAPI, and events are read without them, since a publish has
to be cheap. What both apps' APIs share is in `subscriptions.rest`.
"""
