"""What every part of the HTTP API has in common, in both apps.

Who calls (authentication, permissions, the tenant's viewsets), what may be asked (query, fields,
parsers, path_ids, times), how a page of a list is cut (pagination), what a refusal looks like
(problems, after RFC 9457), and how all of it stands in the OpenAPI description (openapi). The
resources themselves are in `subscriptions.api` and `deliveries.api`. Django REST framework imports
some of these modules by their names while it is imported itself: so this package imports nothing.
"""
