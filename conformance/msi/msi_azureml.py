"""azureml-core's way: prints whose token it gets, by itself and with each client id in the arguments."""
import base64, json, sys
from azureml.core.authentication import MsiAuthentication

for config in [{}] + [{"identity_config": {"client_id": client}} for client in sys.argv[1:]]:
    token = MsiAuthentication(**config).get_authentication_header()["Authorization"]
    claims = token.split(".")[1]
    print(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["oid"])
