"""The story of Blob storage with the Azure CLI, all of it in one process. Prints what it sees of each step."""
import io
import json
import os
import sys
from datetime import datetime, timedelta, timezone

from azure.cli.core import get_default_cli

ACCOUNT, KEY, URL, CLOUD = (os.environ[name] for name in ("ACCOUNT", "ACCOUNT_KEY", "ACCOUNT_URL", "CLOUD_CONFIG"))
SOON = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%MZ")
at = nobody = ["--account-name", ACCOUNT]
by_key = by_string = to_sign = [*at, "--account-key", KEY]
closed = ["--account-name", os.environ["CLOSED_ACCOUNT"], "--account-key", os.environ["CLOSED_ACCOUNT_KEY"]]
cli = get_default_cli()
if CLOUD:  # by Sekisho's own name
    for line in ["register", "-n", "Sekisho", "--cloud-config", "@" + CLOUD], ["set", "-n", "Sekisho"]:
        assert cli.invoke(["cloud", *line, "--only-show-errors"]) == 0, cli.result.error
    cli = get_default_cli()
    at = ["--blob-endpoint", URL]
    by_key = [*at, *to_sign]
    # What looks something up before it does its work, or speaks to all services,
    # knows no endpoint but that of a connection string: _validators.py of the CLI.
    nobody = ["--connection-string", "BlobEndpoint=" + URL]
    by_string = ["--connection-string", f"BlobEndpoint={URL};AccountName={ACCOUNT};AccountKey={KEY}"]
    closed += ["--blob-endpoint", os.environ["CLOSED_URL"]]


def run(line, *more, by=by_key):
    """The result of a command; a refusal is raised."""
    arguments = ["storage", *line.split(), *more, *by, "--output", "json", "--only-show-errors"]
    status = cli.invoke(arguments, out_file=io.StringIO())
    if status:
        raise SystemExit(f"az {line}: status {status}: {cli.result.error}")
    return cli.result.result


def code(line, *more, by=by_key):
    """The service's code for a refusal."""
    stderr, sys.stderr = sys.stderr, io.StringIO()
    try:
        run(line, *more, by=by)
        return "allowed"
    except SystemExit as e:
        said = f"{e} {sys.stderr.getvalue()}"
    finally:
        sys.stderr = stderr
    return next((word for word in KNOWN if word in said), said.strip())


KNOWN = ["ContainerNotFound", "LeaseIdMissing", "BlobAlreadyExists", "SnapshotsPresent", "BlobNotFound", "AuthorizationPermissionMismatch",
         "KeyBasedAuthenticationNotPermitted", "AuthenticationFailed", "NoAuthenticationInformation"]


def text(container, name, *more, by=by_key):
    run(f"blob download -c {container} -n {name} --no-progress --file got", *more, by=by)
    with open("got") as f:
        return f.read()


def text_or_code(container, name, *more, by=by_key):
    refused = code(f"blob download -c {container} -n {name} --no-progress --file got", *more, by=by)
    return text(container, name, *more, by=by) if refused == "allowed" else refused


def file(content):
    with open("sent", "w") as f:
        f.write(content)
    return ["--file", "sent", "--no-progress"]


def say(step, *seen):
    print(step + ":", json.dumps(seen), flush=True)


def names(line, *more, by=by_key):
    return [one["name"] for one in run(line, *more, by=by)]


made = run("container create -n one --metadata color=blue --fail-on-exist")["created"]
run("container create -n two")
run("container metadata update -n one --metadata color=red")
say("container", made, run("container create -n one")["created"], run("container metadata show -n one"), run("container exists -n none")["exists"], names("container list"))
run("container policy create -c one -n readers --permissions rl --expiry " + SOON)
say("acl", run("container show-permission -n one")["publicAccess"], list(run("container policy list -c one")))
lease = run("container lease acquire -c two --lease-duration 15")
say("container lease", code("container delete -n two"), run("container lease break -c two --lease-break-period 0"))

run("blob upload -c one -n put --content-type text/plain --metadata shape=round --tags kind=digit", *file("0123456789"))
seen = run("blob show -c one -n put")
say("put", text("one", "put"), seen["properties"]["contentLength"], seen["properties"]["contentSettings"]["contentType"], seen["metadata"])
say("put again", code("blob upload -c one -n put", *file("x")))
run("blob upload -c one -n append --type append", *file("first "))
run("blob upload -c one -n append --type append", *file("second"))
say("append", text("one", "append"))
say("range", text("one", "put", "--start-range", "3", "--end-range", "6"))
lease = run("blob lease acquire -b put -c one --lease-duration 15")
say("lease", code("blob metadata update -c one -n put --metadata a=b"), run(f"blob lease renew -b put -c one --lease-id {lease}") == lease)
run(f"blob lease release -b put -c one --lease-id {lease}")
snapshot = run("blob snapshot -c one -n put")["snapshot"]
run("blob upload -c one -n put --overwrite", *file("new"))
say("snapshot", text("one", "put", "--snapshot", snapshot), text("one", "put"), code("blob delete -c one -n put"))
run("blob metadata update -c one -n put --metadata shape=flat")
run("blob update -c one -n put --content-type text/html --content-cache no-store", by=by_string)
run("blob set-tier -c one -n put --tier Cool")
seen = run("blob show -c one -n put")
say("properties", seen["metadata"], seen["properties"]["contentSettings"]["contentType"], seen["properties"]["contentSettings"]["cacheControl"], seen["properties"]["blobTier"])
sas = run(f"blob generate-sas -c one -n put --permissions r --expiry {SOON}")
run("blob copy start -c two -b copied --source-uri", f"{URL}/one/put?{sas}")
say("copy", text("two", "copied"), run("blob show -c two -n copied")["properties"]["copy"]["status"])
for name in "a/1", "a/2":
    run("blob upload -c one -n " + name, *file("x"))
say("flat", names("blob list -c one"), names("blob list -c one --num-results 2"), names("blob list -c one --prefix a/"))
say("hierarchy", names("blob list -c one --delimiter /"))
run("blob service-properties delete-policy update --enable true --days-retained 7")
run("cors add --services b --methods GET --origins https://contoso.com", by=by_string)
say("service", run("blob service-properties delete-policy show")["days"], [c["AllowedOrigins"] for c in run("cors list --services b", by=by_string)])
run("blob delete -c one -n a/1")
say("deleted", code("blob show -c one -n a/1"), run("blob undelete -c one -n a/1"), text("one", "a/1"))
say("batch", run("blob delete-batch --source one --pattern a/*", by=by_string), names("blob list -c one --prefix a/"))

account = run(f"account generate-sas --services b --resource-types sco --permissions rl --expiry {SOON}", by=to_sign)
say("account SAS", names("container list", by=[*at, "--sas-token", account]), code("blob delete -c one -n put", by=[*at, "--sas-token", account]))
say("service SAS", text("one", "put", by=[*at, "--sas-token", sas]), code("blob delete -c one -n put", by=[*at, "--sas-token", sas]))
stored = run("container generate-sas -n one --policy-name readers")
run("container policy delete -c one -n readers")
say("stored policy", code("blob list -c one", by=[*at, "--sas-token", stored]))


def login(who):
    arguments = ["login", "--service-principal", "-u", os.environ[who + "_ID"], "-p", os.environ[who + "_SECRET"], "--tenant", os.environ["AZURE_TENANT_ID"],
                 "--allow-no-subscriptions", "--output", "none", "--only-show-errors"]
    assert cli.invoke(arguments) == 0, cli.result.error
    return [*at, "--auth-mode", "login"]


owner = login("OWNER")
say("no data role", code("blob download -c one -n put --no-progress --file got", by=owner), code("container show -n one", by=owner))
reader = login("READER")
say("reader", text("one", "put", by=reader), code("blob upload -c one -n x", *file("x"), by=reader))
writer = login("WRITER")
say("contributor", code("blob upload -c one -n x", *file("x"), by=writer), code("blob delete -c one -n x", by=writer))
delegated = run(f"blob generate-sas -c one -n put --permissions r --expiry {SOON} --as-user", by=writer)
say("user delegation SAS", text_or_code("one", "put", by=[*at, "--sas-token", delegated]))
run("container set-permission -n one --public-access blob")
say("anonymous", code("blob download -c two -n copied --no-progress --file got", by=nobody), text("one", "put", by=nobody))
say("key disabled", code("container create -n one --fail-on-exist", by=closed))
run("container delete -n two")
[gone] = [c for c in run("container list --include-deleted --prefix two") if c["deleted"]]
refused = code("container show -n two")
run("container restore -n two --deleted-version " + gone["version"])
say("container deleted", refused, text("two", "copied"))
