"""What a report of an error may hold: where it was, and nothing that was in hand there."""

from __future__ import annotations

import re
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class WithoutValues(SafeExceptionReporterFilter):
    """Outside of development: no variables, no form values, no settings that may hold a password.

    A variable's name does not tell what is in it: any frame on the way of a token has it in hand.
    """

    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern + "|PROXY|DATABASE|EMAIL|_URL", re.I
    )

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        given = super().get_post_parameters(request)
        if not self.is_active(request):
            return given
        return dict.fromkeys(given, self.cleansed_substitute)

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> Any:
        if self.is_active(request):
            return []
        return super().get_traceback_frame_variables(request, tb_frame)
