"""Who gets what, and where: platforms, broadcasters and their people, endpoints, publisher tokens.

What happened, and how it reaches its receivers, is in `deliveries`, which imports this app and is
never imported by it: what has to be known there of a change here is sent as a signal (`endpoints.signals`).
Each folder is a room by subject; the modules beside them are what several rooms need.
"""
