"""Check RO-Crates with their validator, without a network: check_crate.py FOLDER...

The validator asks the network for the format's context. Here it gets the one that the rocrate package brings.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests
import requests_cache
import rocrate
import urllib3
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings

PROFILE = "ro-crate-1.3"
CONTEXT = "https://w3id.org/ro/crate/1.3/context"
ACCEPTED = {"Accept": "application/ld+json, application/json"}


class Brought(requests.adapters.BaseAdapter):
    """Answers every request with the context."""

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        """Return the context."""
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 200, str(request.url), request
        answer.headers["Content-Type"] = "application/ld+json"
        body = io.BytesIO((Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld").read_bytes())
        answer.raw = urllib3.HTTPResponse(body, answer.headers, 200, preload_content=False)
        return answer

    def close(self) -> None:
        """Do nothing: there is no connection."""


def problems(crate: str, cache: Path) -> list[str]:
    """Return what the format requires and the crate does not have."""
    settings = ValidationSettings(
        rocrate_uri=crate,
        profile_identifier=PROFILE,
        requirement_severity=Severity.REQUIRED,
        offline=True,
        cache_path=cache,
    )
    found = services.validate(settings)
    issues = [str(issue.message) for issue in found.get_issues()]
    return issues or ([] if found.passed() else ["it did not pass"])


def main() -> None:
    """Check the crates that are named; say what is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        session = requests_cache.CachedSession(str(cache))
        session.mount("https://", Brought())
        session.get(CONTEXT, headers=ACCEPTED)
        found = {crate: problems(crate, cache) for crate in sys.argv[1:]}
    for crate, issues in found.items():
        sys.stdout.writelines(f"{crate}: {text}\n" for text in issues or ["valid"])
    sys.exit(any(found.values()) or not found)


if __name__ == "__main__":
    main()
