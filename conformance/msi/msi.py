"""Asks for a token as each of the identities in the arguments, such as system,
client=ID, object=ID and resource=ID, and prints whose it is, or why there is none."""
import base64, json, sys
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential

for selector in sys.argv[1:]:
    by, _, value = selector.partition("=")
    options = {"client": {"client_id": value}, "system": {}}.get(by, {"identity_config": {by + "_id": value}})
    try:
        token = ManagedIdentityCredential(**options).get_token("https://cognitiveservices.azure.com/.default").token
        claims = token.split(".")[1]
        print(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["oid"])
    except ClientAuthenticationError as e:
        print("refused:", e.message.replace("\n", " "))
