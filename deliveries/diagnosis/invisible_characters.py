"""Characters that are not shown, or that change how the text around them is read."""

# As the inside of a regular expression's [class], without tab and line breaks: C0 and C1, marks of
# direction, joiners and fillers without width, odd line breaks, musical and language tags,
# variation selectors of the second plane, noncharacters, lone surrogates.
INVISIBLE_CHARACTERS = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0"
    "\ufff0-\uffff\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
