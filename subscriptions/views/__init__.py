"""Pages of the portal about webhooks, topics, tokens, the team and the account.

A module is one screen: who may open it, its form, the verb that it calls, its response. What these
pages show of deliveries is added by the app above: see `subscriptions.portal.page_parts`.
"""
