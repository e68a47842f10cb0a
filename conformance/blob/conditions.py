"""Blobs under a condition, with azure-storage-blob. Prints what one who is bound by it sees."""
import json
import os

from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.storage.blob import BlobServiceClient

URL = os.environ["ACCOUNT_URL"]
owner = BlobServiceClient(URL, credential={"account_name": os.environ["ACCOUNT"], "account_key": os.environ["ACCOUNT_KEY"]})
bound = BlobServiceClient(URL, credential=ClientSecretCredential(*(os.environ[n] for n in ("AZURE_TENANT_ID", "BOUND_ID", "BOUND_SECRET"))))


def code(act, *args, **more):
    """The service's code for a refusal, or what there is to see."""
    try:
        return act(*args, **more)
    except HttpResponseError as e:
        return e.error_code


def say(step, *seen):
    print(step + ":", json.dumps(seen))


def text(name, **more):
    return bound.get_blob_client("plans", name).download_blob(**more).readall().decode()


def names(**more):
    return [b.name for b in bound.get_container_client("plans").list_blobs(**more)]


def upload(name, **more):
    bound.get_blob_client("plans", name).upload_blob(b"new", overwrite=True, **more)
    return "allowed"


plans = owner.create_container("plans")
for name, tags in ("open/cascade", {"Project": "Cascade"}), ("open/baker", {"Project": "Baker"}), ("open/none", {}):
    plans.upload_blob(name, name.encode(), tags=tags)
snapshot = plans.get_blob_client("open/cascade").create_snapshot()["snapshot"]

say("read by tag", *(code(text, "open/" + name) for name in ("cascade", "baker", "none")))
say("properties by tag", code(lambda: bound.get_blob_client("plans", "open/cascade").get_blob_properties().size),
    code(lambda: bound.get_blob_client("plans", "open/baker").get_blob_properties().size))
say("list by prefix", code(names, name_starts_with="open/"), code(names, name_starts_with="op"), code(names))
say("write with a tag", code(upload, "open/new", tags={"Project": "Cascade"}), code(upload, "open/other", tags={"Project": "Baker"}), code(upload, "open/bare"))

# Who has the tags has the condition.
plans.get_blob_client("open/baker").set_blob_tags({"Project": "Cascade"})
plans.get_blob_client("open/cascade").set_blob_tags({"Project": "Baker"})
say("tags changed", code(text, "open/cascade"), code(text, "open/baker"),
    code(lambda: bound.get_blob_client("plans", "open/cascade", snapshot=snapshot).download_blob().readall().decode()))
