"""The signature debugger: why does this request's signature not verify?

The way of a case, and the module of each step:

1. `pasted_request` reads headers and body as people paste them.
2. `sources` loads what the database knows: tokens, the delivery, recent events. It alone reads it.
3. `case` holds all of that, and what is tried on one of the request's signatures.
4. `debugger` decides which step broke. It asks `search` for the way in which the signature was made:
   by key, message, body and hash. `encodings` reads digests however they are written,
   `possible_originals` and `transformations` (with `json_dialects`) give the bodies to try,
   `body_comparison` names the change of a body, `receiver_code` checks the receiver's own code.
5. `report` puts the finding into words: `findings` has its texts, `framework_fixes` the line to change.

All but `sources` is pure. Nothing that it says repeats a token or a secret.
"""
