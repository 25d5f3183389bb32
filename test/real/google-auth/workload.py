"""A pod's program in Python: what Google's library finds in the environment must be enough to read one address."""

import json
import sys

import google.auth
from google.auth import exceptions
from google.auth.transport.requests import AuthorizedSession

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


def main() -> None:
    try:
        credentials, _ = google.auth.default(scopes=SCOPES)
        answer = AuthorizedSession(credentials).get(sys.argv[1])
        told = {"status": answer.status_code, "body": answer.text}
    except exceptions.GoogleAuthError as error:
        told = {"error": str(error)}
    print(json.dumps(told))


main()
