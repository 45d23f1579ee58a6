"""The line to change, for the framework that a request was received with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Framework(NamedTuple):
    """`raw_body` gives the bytes as they came, `header` reads {name}. Both are one line of code."""

    title: str
    language: str
    raw_body: str
    header: str


class Fix(NamedTuple):
    framework: str
    code: str
    note: str


FRAMEWORKS: dict[str, Framework] = {
    "express": Framework(
        "Express",
        "node",
        "app.post('/webhooks', express.raw({ type: '*/*' }), handler)  // req.body is the Buffer",
        "req.get('{name}')",
    ),
    "nextjs": Framework(
        "Next.js",
        "node",
        "const body = await request.text()  // app router; before any request.json()",
        "request.headers.get('{name}')",
    ),
    "fastify": Framework(
        "Fastify",
        "node",
        "fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, "
        "(req, body, done) => done(null, body))",
        "request.headers['{lower}']",
    ),
    "flask": Framework(
        "Flask",
        "python",
        "body = request.get_data()  # bytes, before request.json",
        "request.headers.get('{name}', '')",
    ),
    "django": Framework(
        "Django",
        "python",
        "body = request.body  # bytes; before request.POST or request.data",
        "request.headers.get('{name}', '')",
    ),
    "fastapi": Framework(
        "FastAPI",
        "python",
        "body = await request.body()  # request: Request, instead of a model as parameter",
        "request.headers.get('{name}', '')",
    ),
    "laravel": Framework(
        "Laravel",
        "php",
        "$body = $request->getContent();  // not $request->all()",
        "$request->header('{name}')",
    ),
    "symfony": Framework(
        "Symfony",
        "php",
        "$body = $request->getContent();",
        "$request->headers->get('{name}')",
    ),
    "php": Framework(
        "PHP",
        "php",
        "$body = file_get_contents('php://input');  // not $_POST",
        "$_SERVER['HTTP_{upper}'] ?? ''",
    ),
    "rails": Framework(
        "Rails",
        "ruby",
        "body = request.raw_post  # not params",
        "request.headers['{name}']",
    ),
    "go": Framework(
        "Go net/http",
        "go",
        "body, err := io.ReadAll(r.Body)  // before any json.NewDecoder(r.Body)",
        'r.Header.Get("{name}")',
    ),
    "aspnet": Framework(
        "ASP.NET",
        "csharp",
        "using var buffer = new MemoryStream(); await Request.Body.CopyToAsync(buffer); "
        "var body = buffer.ToArray();",
        'Request.Headers["{name}"].ToString()',
    ),
    "spring": Framework(
        "Spring",
        "java",
        "ResponseEntity<Void> receive(@RequestBody byte[] body, @RequestHeader HttpHeaders h)",
        'h.getFirst("{name}")',
    ),
    "lambda": Framework(
        "AWS Lambda, API Gateway",
        "node",
        "const body = Buffer.from(event.body, event.isBase64Encoded ? 'base64' : 'utf8')",
        "event.headers['{lower}']",
    ),
}

_HEX, _BASE64, _STANDARD = "hmac-sha256-hex", "hmac-sha256-base64", "standard"
# The signature in one line: {key} and {signed} stand for what the scheme has in their place.
_DIGESTS: dict[str, tuple[str, str]] = {
    "node": (
        "crypto.createHmac('sha256', {key}).update({signed}).digest('hex')",
        "crypto.createHmac('sha256', {key}).update({signed}).digest('base64')",
    ),
    "python": (
        "hmac.new({key}, {signed}, hashlib.sha256).hexdigest()",
        "base64.b64encode(hmac.new({key}, {signed}, hashlib.sha256).digest()).decode()",
    ),
    "php": (
        "hash_hmac('sha256', {signed}, {key})",
        "base64_encode(hash_hmac('sha256', {signed}, {key}, true))",
    ),
    "ruby": (
        "OpenSSL::HMAC.hexdigest('SHA256', {key}, {signed})",
        "Base64.strict_encode64(OpenSSL::HMAC.digest('SHA256', {key}, {signed}))",
    ),
    "go": (
        "m := hmac.New(sha256.New, {key}); m.Write({signed}); hex.EncodeToString(m.Sum(nil))",
        "m := hmac.New(sha256.New, {key}); m.Write({signed}); "
        "base64.StdEncoding.EncodeToString(m.Sum(nil))",
    ),
    "csharp": (
        "Convert.ToHexString(HMACSHA256.HashData({key}, {signed})).ToLowerInvariant()",
        "Convert.ToBase64String(HMACSHA256.HashData({key}, {signed}))",
    ),
    "java": (
        'mac.init(new SecretKeySpec({key}, "HmacSHA256")); '
        "HexFormat.of().formatHex(mac.doFinal({signed}))",
        'mac.init(new SecretKeySpec({key}, "HmacSHA256")); '
        "Base64.getEncoder().encodeToString(mac.doFinal({signed}))",
    ),
}
# Key as text, key of a whsec_ token, id.timestamp.body as bytes.
_PARTS: dict[str, tuple[str, str, str]] = {
    "node": (
        "token",
        "Buffer.from(token.slice('whsec_'.length), 'base64')",
        "`${id}.${timestamp}.${body}`",
    ),
    "python": (
        "token.encode()",
        "base64.b64decode(token.removeprefix('whsec_'))",
        "f'{id}.{timestamp}.'.encode() + body",
    ),
    "php": (
        "$token",
        "base64_decode(substr($token, strlen('whsec_')))",
        '"$id.$timestamp.$body"',
    ),
    "ruby": (
        "token",
        "Base64.strict_decode64(token.delete_prefix('whsec_'))",
        '"#{id}.#{timestamp}.#{body}"',
    ),
    "go": ("[]byte(token)", "key", '[]byte(id + "." + timestamp + "." + string(body))'),
    "csharp": (
        "Encoding.UTF8.GetBytes(token)",
        'Convert.FromBase64String(token["whsec_".Length..])',
        '[.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body]',
    ),
    "java": (
        "token.getBytes(UTF_8)",
        'Base64.getDecoder().decode(token.substring("whsec_".length()))',
        '(id + "." + timestamp + "." + new String(body, UTF_8)).getBytes(UTF_8)',
    ),
}
_COMPARISONS = {
    "node": "a.length === b.length && crypto.timingSafeEqual(a, b)  // a, b: Buffers",
    "python": "hmac.compare_digest(expected, given)  # both str, or both bytes",
    "php": "hash_equals($expected, $given)",
    "ruby": "OpenSSL.secure_compare(expected, given)",
    "go": "hmac.Equal([]byte(expected), []byte(given))",
    "csharp": "CryptographicOperations.FixedTimeEquals(expected, given)  // both byte[]",
    "java": "MessageDigest.isEqual(expected, given)  // both byte[]",
}
_SECRETS = {
    "node": "const token = process.env.WEBHOOK_TOKEN.trim()",
    "python": "token = os.environ['WEBHOOK_TOKEN'].strip()",
    "php": "$token = trim(getenv('WEBHOOK_TOKEN'));",
    "ruby": "token = ENV.fetch('WEBHOOK_TOKEN').strip",
    "go": 'token := strings.TrimSpace(os.Getenv("WEBHOOK_TOKEN"))',
    "csharp": 'var token = Environment.GetEnvironmentVariable("WEBHOOK_TOKEN")!.Trim();',
    "java": 'var token = System.getenv("WEBHOOK_TOKEN").strip();',
}
_STYLES = {
    "lambda": ("lambda",),
    "rack": ("rails",),
    "go": ("go",),
    "php": ("php", "laravel", "symfony"),
    "wsgi": ("flask", "django"),
    "node": ("express", "nextjs", "fastify"),
}
_BODY_SIGNS = {
    "python-json": ("flask", "django", "fastapi"),
    "python-repr": ("flask", "django", "fastapi"),
    "python-bytes-repr": ("flask", "django", "fastapi"),
    "escaped-slashes": ("laravel", "symfony", "php"),
    "php-empty-object": ("laravel", "symfony", "php"),
    "go-json": ("go",),
    "dotnet-json": ("aspnet",),
    "html-safe-json": ("rails", "spring"),
    "node-buffer": ("express", "fastify"),
    "object-object": ("express", "fastify"),
    "lambda-event": ("lambda",),
}
_HEADER_SIGNS = (
    (re.compile(r"x-vercel-", re.I), ("nextjs",)),
    (re.compile(r"x-amzn-|x-amz-|x-apigw", re.I), ("lambda",)),
    (re.compile(r"x-appengine-", re.I), ("go", "flask")),
    (re.compile(r"x-ms-|x-arr-|disguised-host|x-original-url", re.I), ("aspnet",)),
)
_LANGUAGE_OF_NOTHING = ("express", "flask", "laravel")


def frameworks_told(
    *, chosen: str, style: str, headers: Iterable[tuple[str, str]], code: str
) -> tuple[tuple[str, ...], str]:
    """Names of frameworks that it may be, at most three, and by what it is told ("" by nothing)."""
    if chosen in FRAMEWORKS:
        return (chosen,), "You chose it."
    if found := _BODY_SIGNS.get(code):
        return found, "The body tells it."
    for name, _ in headers:
        for sign, frameworks in _HEADER_SIGNS:
            if sign.match(name):
                return frameworks, f"The header {name} tells it."
    if found := _STYLES.get(style):
        return found, "The form of the headers that you pasted tells it."
    return (), ""


def fixes(
    names: Iterable[str], *, family: str, scheme: str, header: str, is_whsec: bool
) -> list[Fix]:
    """One line for each framework; none for a family without code."""
    found = []
    for name in names:
        framework = FRAMEWORKS[name]
        if code := _line(framework, family, scheme, header, is_whsec=is_whsec):
            found.append(Fix(framework.title, code, ""))
    return found


def _line(framework: Framework, family: str, scheme: str, header: str, *, is_whsec: bool) -> str:
    language = framework.language
    if family == "raw-body":
        return framework.raw_body
    if family == "header":
        return _filled(framework.header, {
            "name": header,
            "lower": header.lower(),
            "upper": header.upper().replace("-", "_"),
        })  # fmt: skip
    if family == "compare":
        return _COMPARISONS[language]
    if family == "secret" and not (scheme == _STANDARD and is_whsec):
        return _SECRETS[language]
    if family in ("form", "hash", "message", "secret"):
        return expression(language, scheme, is_whsec=is_whsec)
    return ""


def expression(language: str, scheme: str, *, is_whsec: bool) -> str:
    """The right signature in one line of that language."""
    as_hex, as_base64 = _DIGESTS[language]
    text_key, whsec_key, framed = _PARTS[language]
    is_standard = scheme == _STANDARD
    key = whsec_key if is_standard and is_whsec else text_key
    signed = framed if is_standard else "$body" if language == "php" else "body"
    line = _filled(as_hex if scheme == _HEX else as_base64, {"key": key, "signed": signed})
    if language == "go" and key == "key":
        line = f'key, _ := base64.StdEncoding.DecodeString(token[len("whsec_"):]); {line}'
    return line


def _filled(template: str, values: Mapping[str, str]) -> str:
    """Only the named places: code has braces of its own."""
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template
