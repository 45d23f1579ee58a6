"""What an attempt's outcome is called, and what it means.

`classify` turns what the transport brought back into a verdict with a class of failure (`Failure`);
the dispatcher needs no more. `explanations` puts an attempt into words for people, and `attempts`
does so for stored ones. All but `attempts` is pure: values in, values out. What the dispatcher does
not need is not loaded here: import explanations from their own package.
"""

from deliveries.diagnosis.classification import Verdict, classify
from deliveries.diagnosis.failure import Failure, describe_latest, failure_name

__all__ = ["Failure", "Verdict", "classify", "describe_latest", "failure_name"]
