"""What is said of a body that is not the one that was signed."""

from __future__ import annotations

from deliveries.signature_debugger.verdict_words import Words

_RAW = "Verify the bytes as they came in, before anything parses, decodes or trims them."

VERDICTS_ON_BODIES: dict[str, Words] = {
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
}
