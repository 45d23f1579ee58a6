"""The base of all forms of the portal."""

from __future__ import annotations

from typing import Any

from django import forms

from subscriptions.errors import PortalError, SeveralRefused


class PortalForm(forms.Form):
    """A form whose widgets have the classes of portal.css, and that can show a verb's refusal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            label = field.label or name.replace("_", " ").capitalize()
            field.error_messages["required"] = f"{label} is missing."
            widget = field.widget
            if isinstance(widget, forms.CheckboxInput):
                widget.attrs.setdefault("class", "form-check-input")
            elif isinstance(widget, forms.Select) and not isinstance(widget, forms.RadioSelect):
                widget.attrs.setdefault("class", "form-select")
            elif not isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
                widget.attrs.setdefault("class", "form-control")

    def refuse(self, error: PortalError) -> None:
        """Show what a verb refused: at the field that it names, else above the form."""
        faults = error.faults if isinstance(error, SeveralRefused) else [error]
        for fault in faults:
            field = fault.pointer.strip("/").split("/")[0]
            self.add_error(field if field in self.fields else None, fault.detail)
