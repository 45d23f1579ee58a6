"""What is said of the signature itself: its header, how it is written, what was hashed and how."""

from __future__ import annotations

from deliveries.signature_debugger.verdict_words import Words

VERDICTS_ON_SIGNATURES: dict[str, Words] = {
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
}
