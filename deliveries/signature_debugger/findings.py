"""What each verdict of the signature debugger says."""

from __future__ import annotations

from deliveries.signature_debugger.verdict_words import Words
from deliveries.signature_debugger.verdicts_on_bodies import VERDICTS_ON_BODIES
from deliveries.signature_debugger.verdicts_on_signatures import VERDICTS_ON_SIGNATURES

_SECRET = "Give your code the token just as the portal shows it."  # noqa: S105  a sentence

_GENERAL: dict[str, Words] = {
    # right
    "right": Words(
        "The signature is right",
        "It was made over exactly this body with a token that is good. If your code refuses it, "
        "your code checks something else than these bytes.",
        "Compare what your code signs with this body, byte by byte, or paste the signature that it "
        "computes.",
        "raw-body",
    ),
    "right-one-of-several": Words(
        "One of the signatures is right",
        "The header carries several signatures, and not all of them fit a token that is known "
        "here: one of a token that has ended, or one that was changed. A receiver needs one.",
        "Accept a request when any one of its signatures fits.",
        "compare",
    ),
    "unsigned": Words(
        "This request carries no signature, as set",
        "The webhook's requests are not signed, so there is nothing to verify.",
        "To have them signed, choose Standard Webhooks under the webhook's Settings, Advanced.",
        "",
    ),
    "timestamp-old": Words(
        "The signature is right, its timestamp is out of tolerance",
        "webhook-timestamp is more than five minutes before the time it is compared with. Fresh "
        "when it was sent, such a request is refused as a possible replay.",
        "Verify a request when it arrives, not when a queue gets to it; and set your server's "
        "clock by NTP.",
        "clock",
    ),
    "timestamp-ahead": Words(
        "The signature is right, its timestamp is out of tolerance",
        "webhook-timestamp is more than five minutes after the time it is compared with: one of "
        "the two clocks is wrong.",
        "Set your server's clock by NTP.",
        "clock",
    ),
    # the user's code, with a request that is right
    "comparison": Words(
        "Your code computes the right signature",
        "It equals the header, so what refuses the request is the comparison after it.",
        "Compare text with text or bytes with bytes of the same encoding, in constant time, and "
        "look at what your comparison gets on both sides.",
        "compare",
    ),
    "computed-unexplained": Words(
        "Your code's signature cannot be explained",
        "No known mistake with a known token gives it. Most often the secret is of somewhere else, "
        "or the body was changed in more ways than one.",
        "Print the length and the first and last bytes of what your code signs, and paste its "
        "secret too.",
        "raw-body",
    ),
    "computed-is-no-signature": Words(
        "What your code computes is no signature",
        "A signature is a digest in hexadecimal or base64, and this is neither.",
        "Print what your code compares with the header, and paste that.",
        "form",
    ),
    # tokens and secrets
    "token-ended": Words(
        "It was signed with a token that has ended",
        "The request is older than the rotation's end, or is one that you recorded then.",
        "Try it with a request that is sent now: send a test.",
        "secret",
    ),
    "token-of-another": Words(
        "It was signed for another webhook",
        "Each webhook has a token of its own, and this request was signed with another one's.",
        "Use the token of the webhook that it was sent for, or one URL for each webhook.",
        "secret",
    ),
    "token-of-twin": Words(
        "It was signed in the other environment",
        "Live and sandbox have tokens of their own, and this request comes from the other one.",
        "Give each environment its own URL, and its own token.",
        "secret",
    ),
    "token-of-deleted": Words(
        "It was signed for a webhook that is deleted",
        "The token is that of a webhook that was deleted here.",
        "Use the token of the webhook that took its place.",
        "secret",
    ),
    "secret-unknown": Words(
        "The secret that you gave is no token of these webhooks",
        "It differs from every token that is known here, ended ones and the other environment's "
        "included.",
        "Copy the token anew: Token, Reveal.",
        "secret",
    ),
    "secret-wrong-token": Words(
        "Your code has another token than the one that signed",
        "The secret that you gave is a token known here, but not the one this request was signed "
        "with.",
        "Give your code the token that signs; during an overlap let it accept both.",
        "secret",
    ),
    "secret-is-publisher-token": Words(
        "The secret that you gave is a publisher token",
        "A publisher token opens the API. Requests are signed with the webhook's signing token.",
        "Use the signing token of the webhook's page Token, and revoke a publisher token that was "
        "put where it does not belong.",
        "secret",
    ),
    "secret-cut": Words(
        "The secret that you gave is cut off", "It is only a part of the token.", _SECRET, "secret"
    ),
    "secret-missing": Words(
        "The secret is missing",
        "The key was empty or a word like undefined: the variable that holds it is not set.",
        "Set the variable where the code runs, and let the code stop when it is empty.",
        "secret",
    ),
    "secret-placeholder": Words(
        "The secret is still the placeholder of the sample code",
        "The code was run without the token filled in.",
        "Put the token in its place.",
        "secret",
    ),
    "secret-with-prefix": Words(
        "The secret was not decoded",
        "The key is the text with its whsec_ in front, where Standard Webhooks takes the bytes "
        "that the base64 after it stands for.",
        "Take whsec_ off, and decode the rest from base64.",
        "secret",
    ),
    "secret-not-decoded": Words(
        "The secret was not decoded from base64",
        "whsec_ was taken off, and the base64 after it was used as text.",
        "Decode what stands after whsec_ from base64, and use those bytes.",
        "secret",
    ),
    "secret-decoded": Words(
        "The secret was decoded, and must not be",
        "This token is text: its bytes as UTF-8 are the key, whatever it looks like.",
        "Use the token's text as the key, all of it.",
        "secret",
    ),
    "secret-whitespace": Words(
        "The secret has white space around it",
        "A space or a line end came along, from a file or when it was copied.",
        "Trim it when it is read.",
        "secret",
    ),
    "secret-quotes": Words(
        "The secret has quotation marks around it",
        "Some tools take the quotes in an .env file for part of the value.",
        "Take the quotes off.",
        "secret",
    ),
    "secret-encoded": Words(
        "The secret was encoded", "It was encoded once more before it was used.", _SECRET, "secret"
    ),
    "secret-hashed": Words(
        "The secret was hashed", "A hash of it was used as the key.", _SECRET, "secret"
    ),
    "secret-case": Words(
        "The secret is in other letters",
        "Capital and small letters differ in a token.",
        _SECRET,
        "secret",
    ),
    # nothing fits
    "unknown-event": Words(
        "Nothing here is known of this request",
        "The id in it is not one of this broadcaster's events, and no token that is known here "
        "signed it.",
        "See whether it comes from another broadcaster, from the other environment or from "
        "somewhere else.",
        "",
    ),
    "no-token": Words(
        "There is no signing token to verify it with",
        "The request carries a signature, and no webhook here has a token.",
        "See whether it was sent by another broadcaster or another portal.",
        "",
    ),
    "unexplained": Words(
        "No token that is known here fits",
        "Either it was signed with a token of somewhere else, or the body was changed in a way "
        "that cannot be undone.",
        "Name the delivery, so that the body can be compared with the one that was sent.",
        "raw-body",
    ),
    "signed-then-unknown": Words(
        "It was signed with a token that is gone",
        "Body and signature are those that were sent, and the token of that time was replaced and "
        "erased.",
        "Send it again: it is then signed with the token of now.",
        "secret",
    ),
}
VERDICTS = _GENERAL | VERDICTS_ON_SIGNATURES | VERDICTS_ON_BODIES
