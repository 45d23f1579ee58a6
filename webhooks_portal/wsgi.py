"""WSGI entry point: `granian --interface wsgi webhooks_portal.wsgi:application`."""

import gc
import os
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webhooks_portal.settings")


class Request(WSGIRequest):
    """Takes any Content-Type, reads everything as UTF-8, and takes bodies of unknown length.

    Django's own fails on some types before a middleware could answer: on a parameter of an unknown
    encoding, and on a charset such as `hex`, by which it would read the URL. And it takes a body
    without a Content-Length for none.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            # One byte more than any view takes, so that what is too large is seen to be.
            body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
            environ["wsgi.input"] = BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        super().__init__(environ)

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        given = meta.get("CONTENT_TYPE", "")
        try:
            self.content_type, self.content_params = parse_header_parameters(given)
        except (ValueError, LookupError):
            self.content_type, self.content_params = given.partition(";")[0].strip().lower(), {}
            meta["CONTENT_TYPE"] = self.content_type


application = get_wsgi_application()
application.request_class = Request
# What is loaded by now stays for good. But how often Python looks for garbage stays as it is: Django
# REST framework leaves each request in a cycle, with its body of up to 8 MiB.
gc.freeze()
