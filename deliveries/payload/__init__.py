"""The body of a request, as text: the platform's envelope around the event's data.

`canonical_json` reads and writes JSON exactly as JavaScript would, or refuses it; `json_errors`
words the refusals; `envelope` makes a body from an event, and reads the data back. All of it is
pure: it knows no database, settings or network. The models import it, so this package imports
nothing.
"""
