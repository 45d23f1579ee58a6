"""Pages of the portal about events and deliveries, tests, the request bin and the debugger.

A module is one screen: who may open it, its form, the verb that it calls, its response. `menu` and
`page_parts` register what this app adds to the portal's menu and to pages of subscriptions;
`service` and `request_bin` answer machines.
"""
