"""The platforms as TOML files, the rules that each states, and their strict reading.

Everything here takes texts and gives values: no database, settings or network. `files` reads a file
whole, `rules` is the part that deliveries need (wire format, signature, retries, limits), and a
fault names the file, the line and the key. The models import `rules`, so this package imports
nothing.
"""
