"""Customers' endpoints (webhooks, in the portal): what may be set, and the verbs that change them.

`lifecycle` makes, changes and deletes them, `status` switches, suspends and resumes them,
`signing_tokens` gives, rotates and reveals their tokens; each verb is one transaction, recorded in
the audit log. `addresses`, `url_rules`, `header_rules` and `signing_token_format` are the rules
alone, without a database: the transport and the signing of deliveries use them too, which is why
this package imports nothing. Nothing here sends a request; what follows from a change for
deliveries follows from `signals`.
"""
