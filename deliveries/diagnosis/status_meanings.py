"""What the statuses mean when a receiver of webhooks answers with them."""

from __future__ import annotations

from deliveries.diagnosis.explanation import RECEIVER, YOU, Who

# status: (what it is called, what it means, who must act, what to do)
STATUSES: dict[int, tuple[str, str, Who, str]] = {
    400: (
        "Bad Request",
        "The receiver could not make sense of the request.",
        RECEIVER,
        "Its answer or log says what it missed. Compare the body with what its code expects.",
    ),
    402: (
        "Payment Required",
        "The receiver's hosting or plan does not serve requests at the moment.",
        RECEIVER,
        "Settle the receiver's account with its host.",
    ),
    406: (
        "Not Acceptable",
        "The receiver, or a firewall before it, did not like the request.",
        RECEIVER,
        "Let the receiver answer whatever the request's Accept header is; look in its log.",
    ),
    408: (
        "Request Timeout",
        "The receiver waited for more of the request and gave up.",
        RECEIVER,
        "Check what stands before the receiver.",
    ),
    409: (
        "Conflict",
        "The receiver says that the event conflicts with its state; often it had the event before.",
        RECEIVER,
        "Let it answer a repeated event with success: events can arrive more than once.",
    ),
    411: (
        "Length Required",
        "The receiver did not see the request's length, although it was sent.",
        RECEIVER,
        "Check the proxy before the receiver: it should pass Content-Length on.",
    ),
    413: (
        "Content Too Large",
        "The body is longer than the receiver takes.",
        RECEIVER,
        "Raise the limit of the receiver and of the web server before it (nginx: "
        "client_max_body_size) to at least 256 KiB.",
    ),
    414: (
        "URI Too Long",
        "The URL is longer than the receiver takes.",
        YOU,
        "Shorten the webhook's URL.",
    ),
    421: (
        "Misdirected Request",
        "The server that answered does not serve this host name.",
        RECEIVER,
        "Set the host name up on the server, or correct the DNS record.",
    ),
    422: (
        "Unprocessable Content",
        "The receiver understood the request but refused its content.",
        RECEIVER,
        "Its answer or log says which field; compare the body with what its code expects.",
    ),
    426: (
        "Upgrade Required",
        "The receiver wants another protocol than HTTP/1.1, or https in place of http.",
        RECEIVER,
        "Let it accept HTTP/1.1; if it wants https, change the URL.",
    ),
    431: (
        "Request Header Fields Too Large",
        "The headers are larger than the receiver takes.",
        YOU,
        "Remove or shorten the webhook's custom headers, or raise the receiver's limit.",
    ),
    451: (
        "Unavailable For Legal Reasons",
        "The receiver refuses for legal reasons, often by country.",
        RECEIVER,
        "Allow this portal's addresses in the receiver's rules.",
    ),
    500: (
        "Internal Server Error",
        "The receiver's code failed while handling the event.",
        RECEIVER,
        "Look in its log for an error at this time.",
    ),
    501: (
        "Not Implemented",
        "The receiver does not handle POST here.",
        RECEIVER,
        "Handle POST at this URL, or correct the URL.",
    ),
    502: (
        "Bad Gateway",
        "The web server before the receiver got no valid answer from it: the program behind is "
        "down or crashed.",
        RECEIVER,
        "Start the program behind the web server, and look in its log.",
    ),
    503: (
        "Service Unavailable",
        "The receiver is down for maintenance, overloaded, or just starting.",
        RECEIVER,
        "Usually it passes by itself; if it stays, look in the receiver's log.",
    ),
    504: (
        "Gateway Timeout",
        "The web server before the receiver waited too long for it.",
        RECEIVER,
        "Answer at once and do the work afterwards, in a queue.",
    ),
    520: (
        "Unknown Error",
        "Cloudflare got an empty or strange answer from the origin.",
        RECEIVER,
        "Look at the origin server's log.",
    ),
    521: (
        "Web Server Is Down",
        "Cloudflare's connection to the origin was refused.",
        RECEIVER,
        "Start the origin server, and let Cloudflare's addresses in.",
    ),
    522: (
        "Connection Timed Out",
        "Cloudflare got no connection to the origin.",
        RECEIVER,
        "Check the origin's firewall and load.",
    ),
    523: (
        "Origin Is Unreachable",
        "Cloudflare finds no way to the origin.",
        RECEIVER,
        "Check the origin's address in Cloudflare's DNS.",
    ),
    524: (
        "A Timeout Occurred",
        "The origin did not answer Cloudflare in time.",
        RECEIVER,
        "Answer at once and do the work afterwards.",
    ),
    525: (
        "SSL Handshake Failed",
        "Cloudflare could not agree on TLS with the origin.",
        RECEIVER,
        "Check the origin's certificate.",
    ),
    526: (
        "Invalid SSL Certificate",
        "Cloudflare does not accept the origin's certificate.",
        RECEIVER,
        "Renew the origin's certificate.",
    ),
    530: (
        "Origin Error",
        "Cloudflare cannot reach the origin, or its tunnel is not running.",
        RECEIVER,
        "Start the origin or its tunnel.",
    ),
}
