"""What each verdict of the signature debugger says. Who must act follows from whose mistake it is.

`family` is the kind of fix: raw-body, header, form, hash, message, secret, compare, clock or "".
"""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    title: str
    cause: str
    action: str
    family: str


_RAW = "Verify the bytes as they came in, before anything parses, decodes or trims them."
_SECRET = "Give your code the token just as the portal shows it."  # noqa: S105  a sentence

VERDICTS: dict[str, Words] = {
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
    # headers
    "missing-header": Words(
        "The signature's header is missing",
        "Without it nothing can be verified. A proxy that passes only known headers takes it away, "
        "and so does a request that does not come from here.",
        "Let every proxy, gateway and CDN before your code pass the header on.",
        "header",
    ),
    "header-renamed": Words(
        "The header was renamed on its way",
        "The signature is there, under another name: a proxy or gateway changed it.",
        "Let the proxy pass the header on under its own name, or read it under the new one.",
        "header",
    ),
    "wrong-header": Words(
        "The signature stands in another header",
        "The header that should carry it is missing, and another one carries a signature that "
        "fits.",
        "Read the header that the signature is sent in.",
        "header",
    ),
    "masked-header": Words(
        "The signature is masked",
        "What you pasted comes from a log that hides such values.",
        "Print the header itself in your handler, once, and paste that.",
        "",
    ),
    "signature-cut": Words(
        "The signature is cut off",
        "It is the beginning of the right one.",
        "Look for a field, a column or a log that shortens it.",
        "header",
    ),
    "header-altered": Words(
        "The signature's header was changed on its way",
        "The body is the one that was sent, and the signature is not.",
        "Look at what stands between the portal and your code: proxy, gateway, middleware.",
        "header",
    ),
    "not-a-signature": Words(
        "The header holds no signature",
        "A signature is a digest in hexadecimal or base64, and this value is neither.",
        "Paste the header's value just as it came.",
        "header",
    ),
    "timestamp-form": Words(
        "webhook-timestamp is no number of seconds",
        "It must be whole Unix seconds, and was changed or made up.",
        "Leave the header as it comes, and read it as text when you verify.",
        "header",
    ),
    # how it is written
    "form-hex": Words(
        "Hexadecimal instead of base64",
        "The digest is right, and written in hexadecimal where the scheme has base64.",
        "Write the digest in base64.",
        "form",
    ),
    "form-base64": Words(
        "Base64 instead of hexadecimal",
        "The digest is right, and written in base64 where the scheme has lower-case hexadecimal.",
        "Write the digest in hexadecimal.",
        "form",
    ),
    "form-base64url": Words(
        "URL-safe base64 instead of standard base64",
        "It has - and _ where standard base64 has + and /, or lacks its padding.",
        "Use the standard alphabet, with padding.",
        "form",
    ),
    "form-unpadded": Words(
        "Base64 without its padding",
        "The = at its end is missing.",
        "Keep the padding.",
        "form",
    ),
    "form-upper": Words(
        "Hexadecimal in capital letters",
        "The digest is right; the scheme writes it in small letters.",
        "Write it in small letters before you compare.",
        "form",
    ),
    "form-prefix": Words(
        "A prefix that does not belong there",
        "The digest is right, with something like sha256= before it.",
        "Compare without a prefix: this scheme has none.",
        "form",
    ),
    "form-prefix-missing": Words(
        "The prefix v1, is missing",
        "The digest is right. Standard Webhooks puts v1, before each signature.",
        "Split the header at spaces, and compare with v1, and the base64.",
        "form",
    ),
    "form-prefix-other": Words(
        "Another prefix than v1,",
        "The digest is right, with another prefix before it than Standard Webhooks has.",
        "Split the header at spaces, and compare with v1, and the base64.",
        "form",
    ),
    "form-quotes": Words(
        "Quotation marks around the signature",
        "The digest is right; quotes came along, as of a value printed for a programmer.",
        "Compare the text itself, and not its printed form.",
        "form",
    ),
    "form-whitespace": Words(
        "White space in the signature",
        "The digest is right; some base64 functions break or end the line.",
        "Use the function that adds no line ends, or trim the value.",
        "form",
    ),
    "form-name": Words(
        "The header's name is part of the value",
        "The digest is right, with the name of the header before it.",
        "Compare the header's value alone.",
        "form",
    ),
    "form-percent": Words(
        "The signature is percent-encoded",
        "The digest is right; + / = became %2B %2F %3D.",
        "Decode it once, or read it from the header and not from a URL or a form.",
        "form",
    ),
    "form-plus-lost": Words(
        "Plus signs became spaces",
        "The digest is right; a form or URL decoder took its + for spaces.",
        "Read it from the header and not from a URL or a form.",
        "form",
    ),
    "form-repeated": Words(
        "The header is there twice",
        "Both are right; a proxy joined them to one value.",
        "Find what adds it a second time, or take the first.",
        "header",
    ),
    "form-twice": Words(
        "The digest was encoded twice",
        "The hexadecimal text was encoded in base64, or the other way round.",
        "Encode the digest's bytes, and once.",
        "form",
    ),
    "form-last-character": Words(
        "The signature's last character was changed",
        "It decodes to the same bytes, and is not the text that was sent.",
        "Compare the decoded bytes, or find what changes the header.",
        "header",
    ),
    # hash
    "hash-sha1": Words(
        "SHA-1 instead of SHA-256",
        "Everything else is right.",
        "Use HMAC with SHA-256.",
        "hash",
    ),
    "hash-sha512": Words(
        "SHA-512 instead of SHA-256",
        "Everything else is right.",
        "Use HMAC with SHA-256.",
        "hash",
    ),
    "hash-sha384": Words(
        "SHA-384 instead of SHA-256",
        "Everything else is right.",
        "Use HMAC with SHA-256.",
        "hash",
    ),
    "hash-md5": Words(
        "MD5 instead of SHA-256", "Everything else is right.", "Use HMAC with SHA-256.", "hash"
    ),
    "no-hmac": Words(
        "A plain hash instead of an HMAC",
        "SHA-256 was taken of the body, or of body and secret joined.",
        "Use HMAC with SHA-256: it takes the secret as a key.",
        "hash",
    ),
    "swapped-arguments": Words(
        "Secret and body in each other's place",
        "The HMAC got the body as its key, and the secret as what to sign.",
        "Swap the two arguments.",
        "hash",
    ),
    # message
    "without-id-and-timestamp": Words(
        "Signed without id and timestamp",
        "Only the body was signed. Standard Webhooks signs webhook-id, webhook-timestamp and body, "
        "joined with dots.",
        "Sign id + '.' + timestamp + '.' + body.",
        "message",
    ),
    "without-id": Words(
        "Signed without the id",
        "Timestamp and body were signed, and webhook-id was left out.",
        "Sign id + '.' + timestamp + '.' + body.",
        "message",
    ),
    "without-timestamp": Words(
        "Signed without the timestamp",
        "Id and body were signed, and webhook-timestamp was left out.",
        "Sign id + '.' + timestamp + '.' + body.",
        "message",
    ),
    "without-dots": Words(
        "Signed without the dots",
        "Id, timestamp and body were joined without the dots between them.",
        "Sign id + '.' + timestamp + '.' + body.",
        "message",
    ),
    "id-and-timestamp-swapped": Words(
        "Id and timestamp are in each other's place",
        "The timestamp was put before the id.",
        "Sign id + '.' + timestamp + '.' + body.",
        "message",
    ),
    "other-id": Words(
        "Signed with another id",
        "The id was not that of webhook-id, but one of another header or of the body.",
        "Take the id from the header webhook-id.",
        "message",
    ),
    "timestamp-changed": Words(
        "The timestamp is not the one that was signed",
        "It was changed on its way or converted, to milliseconds for instance.",
        "Use the text of webhook-timestamp just as it came.",
        "message",
    ),
    "signed-as-standard": Words(
        "Signed as Standard Webhooks does it",
        "Id and timestamp were signed too. The platform's own signature is over the body alone.",
        "Sign the body alone.",
        "message",
    ),
    "with-timestamp": Words(
        "Something was put before the body",
        "Id or timestamp was signed too. The platform's own signature is over the body alone.",
        "Sign the body alone.",
        "message",
    ),
    "hash-of-body": Words(
        "A hash of the body was signed",
        "The body was hashed first, and the hash signed.",
        "Sign the body itself.",
        "message",
    ),
    # the body
    "python-json": Words(
        "The body was parsed and written anew by Python",
        "json.dumps puts a space after each comma and colon, and escapes what is not ASCII.",
        _RAW,
        "raw-body",
    ),
    "escaped-unicode": Words(
        "Its letters beyond ASCII were escaped",
        "The body was parsed and written anew: ö became \\u00f6. That is the same JSON, in other "
        "bytes.",
        _RAW,
        "raw-body",
    ),
    "sorted-keys": Words(
        "The body was written anew with its keys sorted",
        "Sorting keys keeps the meaning and changes the bytes.",
        _RAW,
        "raw-body",
    ),
    "reordered-keys": Words(
        "The body was written anew with its keys in another order",
        "A map without an order of its own held it in between.",
        _RAW,
        "raw-body",
    ),
    "indented-json": Words(
        "The body was written anew with line breaks",
        "It was formatted for reading, by code or by the tool that it was copied from.",
        _RAW,
        "raw-body",
    ),
    "escaped-slashes": Words(
        "The body was written anew by PHP",
        "json_encode writes / as \\/ unless it is told not to.",
        _RAW,
        "raw-body",
    ),
    "php-empty-object": Words(
        "The body was written anew by PHP, and {} became []",
        "json_decode(..., true) makes an empty object an empty array.",
        _RAW,
        "raw-body",
    ),
    "go-json": Words(
        "The body was written anew by Go",
        "json.Marshal of a map sorts the keys and escapes < > and &.",
        _RAW,
        "raw-body",
    ),
    "html-safe-json": Words(
        "The body was written anew, with < > & escaped",
        "Writers that make JSON safe for HTML do that: Rails, Gson, Go.",
        _RAW,
        "raw-body",
    ),
    "dotnet-json": Words(
        "The body was written anew by .NET",
        "System.Text.Json escapes what is not ASCII and some of what is.",
        _RAW,
        "raw-body",
    ),
    "rewritten-json": Words(
        "The body was parsed and written anew",
        "It has the same values, in other bytes.",
        _RAW,
        "raw-body",
    ),
    "number-format": Words(
        "Its numbers are written in another way",
        "The body was parsed and written anew: 475.5 and 475.50 are the same number in other "
        "bytes.",
        _RAW,
        "raw-body",
    ),
    "part-of-body": Words(
        "Only a part of the body was signed",
        "One field of it was taken. The signature is over the whole body.",
        _RAW,
        "raw-body",
    ),
    "fields-lost": Words(
        "The body has lost fields",
        "It was parsed into a model that does not know all of them, and written anew.",
        _RAW,
        "raw-body",
    ),
    "values-changed": Words(
        "Values in the body were changed",
        "It is not the body that was signed: a middleware changed it, or it is another event's.",
        _RAW,
        "raw-body",
    ),
    "python-repr": Words(
        "The body is Python's print of a dictionary",
        "str() of a parsed body has single quotes, True and None, and is no JSON.",
        _RAW,
        "raw-body",
    ),
    "python-bytes-repr": Words(
        "The body is Python's print of bytes",
        "str() of bytes gives b'...': two marks and escapes that were never sent.",
        "Pass the bytes to hmac, or decode them as UTF-8.",
        "raw-body",
    ),
    "node-buffer": Words(
        "The body is a Buffer written as JSON",
        "JSON.stringify of a Buffer lists its bytes as numbers.",
        "Pass the Buffer itself to createHmac's update.",
        "raw-body",
    ),
    "object-object": Words(
        "The body is what String() makes of an object",
        "A parsed body was used as text.",
        _RAW,
        "raw-body",
    ),
    "empty-body": Words(
        "The body is empty",
        "Something read the stream before, a JSON parser most often, and left nothing for you.",
        _RAW,
        "raw-body",
    ),
    "truncated-body": Words(
        "The body is cut off",
        "It ends before its end: a limit, a buffer or a log cut it, or it was read once and not to "
        "the end.",
        "Read until the body ends, and raise the limit.",
        "raw-body",
    ),
    "trailing-newline": Words(
        "A line end was added to the body",
        "The bytes fit without it. An editor, echo or print adds one.",
        "Take the bytes as they came. If only what you pasted has it, the signature is right.",
        "raw-body",
    ),
    "surrounding-space": Words(
        "White space around the body",
        "The bytes fit without it, or with what was trimmed off.",
        "Take the bytes as they came, and do not trim them.",
        "raw-body",
    ),
    "trailing-nul": Words(
        "A zero byte was added to the body",
        "A buffer longer than the body was signed.",
        "Sign as many bytes as were received.",
        "raw-body",
    ),
    "byte-order-mark": Words(
        "A byte order mark stands before the body",
        "Three bytes (EF BB BF) were put before it, by a file or an encoder.",
        "Encode as UTF-8 without a byte order mark.",
        "raw-body",
    ),
    "line-endings": Words(
        "The line ends of the body were changed",
        "LF became CR LF or the other way round: text mode, an editor or Git did that.",
        "Read the body in binary, not as text.",
        "raw-body",
    ),
    "form-encoded": Words(
        "The body was treated as a form",
        "It is percent-encoded, or stands in a form's field.",
        _RAW,
        "raw-body",
    ),
    "double-encoded": Words(
        "The body was encoded as JSON twice",
        "The JSON text was made a JSON string.",
        _RAW,
        "raw-body",
    ),
    "quotes-lost": Words(
        "The body has lost its quotation marks",
        "A shell took them.",
        "Put single quotes around the body, or read it from a file.",
        "raw-body",
    ),
    "base64-body": Words(
        "The body is in base64",
        "API gateways hand binary bodies over in base64.",
        "Decode it before you verify.",
        "raw-body",
    ),
    "hex-body": Words(
        "The body is in hexadecimal",
        "The digits were used, and not the bytes they stand for.",
        "Decode it before you verify.",
        "raw-body",
    ),
    "lambda-event": Words(
        "The whole event of the gateway was taken for the body",
        "The request's body is the event's field body.",
        "Verify event.body, decoded from base64 where isBase64Encoded is true.",
        "raw-body",
    ),
    "compressed": Words(
        "The body is compressed",
        "Something on the way compressed it; it was signed and sent plain.",
        "Decompress it before you verify, or switch compression of requests off.",
        "raw-body",
    ),
    "html-escaped": Words(
        "The body was escaped for HTML",
        'Its " became &quot;, by a template or a sanitising middleware.',
        _RAW,
        "raw-body",
    ),
    "latin-1": Words(
        "The body is in Latin-1",
        "It was decoded and encoded again, in another encoding than UTF-8.",
        "Take the bytes, or encode the text as UTF-8.",
        "raw-body",
    ),
    "mojibake": Words(
        "UTF-8 was read as Latin-1",
        "Ã¶ stands where ö should: the bytes were decoded as Latin-1 and encoded as UTF-8.",
        "Take the bytes, or decode them as UTF-8.",
        "raw-body",
    ),
    "lost-characters": Words(
        "Letters beyond ASCII were lost",
        "They became question marks or nothing: the text went through an encoding without them.",
        "Take the bytes, or decode them as UTF-8.",
        "raw-body",
    ),
    "unicode-normalised": Words(
        "Its Unicode was normalised",
        "An accented letter is one character or two: the same to the eye, and other bytes.",
        _RAW,
        "raw-body",
    ),
    "utf-16": Words(
        "The body is in UTF-16",
        "Two bytes for each character: strings of .NET, Java or PowerShell as they are in memory.",
        "Encode the text as UTF-8.",
        "raw-body",
    ),
    "changed-body": Words(
        "The body was changed",
        "Its bytes are not those that were signed, in no way that is known here.",
        _RAW,
        "raw-body",
    ),
    "other-event": Words(
        "The signature belongs to another event",
        "It fits the body of another event of yours: headers and body of two requests were mixed.",
        "Take headers and body of the same request.",
        "",
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
