"""Signs in with azure-identity without a secret: with a certificate, and with the
token that a cluster writes into a file. Prints each step that it has taken."""
import os

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientAssertionCredential, WorkloadIdentityCredential

TENANT, CLIENT = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"]
ARM, AI = "https://management.azure.com/.default", "https://cognitiveservices.azure.com/.default"

certificate = CertificateCredential(TENANT, CLIENT, os.environ["CERTIFICATE"])
assert certificate.get_token(ARM).token.count(".") == 2
print("certificate")

try:
    CertificateCredential(TENANT, CLIENT, os.environ["OTHER_CERTIFICATE"]).get_token(ARM)
except ClientAuthenticationError as e:
    assert "AADSTS700027" in str(e), e
    print("other certificate refused")

# MSAL sends the assertion that it has a second time.
assert certificate.get_token(AI).token != certificate.get_token(ARM).token
chain = CertificateCredential(TENANT, CLIENT, os.environ["CERTIFICATE"], send_certificate_chain=True)
assert chain.get_token(ARM).token.count(".") == 2
print("again")


def read():
    with open(os.environ["AZURE_FEDERATED_TOKEN_FILE"], encoding="ascii") as f:
        return f.read()


for credential in ClientAssertionCredential(TENANT, CLIENT, read), WorkloadIdentityCredential():
    for scope in ARM, AI:
        assert credential.get_token(scope).token.count(".") == 2
print("workload")
