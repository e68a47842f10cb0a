"""The story of Blob storage with azure-storage-blob. Prints what it sees of each step."""
import hashlib
import json
import os
from datetime import datetime, timedelta, timezone

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.storage.blob import (
    AccessPolicy, AccountSasPermissions, BlobBlock, BlobClient, BlobSasPermissions, BlobServiceClient, ContainerClient,
    ContainerSasPermissions, ContentSettings, CorsRule, ResourceTypes, RetentionPolicy, StandardBlobTier, generate_account_sas,
    generate_blob_sas, generate_container_sas)

URL, ACCOUNT, KEY, DOOR = (os.environ[name] for name in ("ACCOUNT_URL", "ACCOUNT", "ACCOUNT_KEY", "DOOR_URL"))
SOON = datetime.now(timezone.utc) + timedelta(hours=1)
authority = {"authority": DOOR, "disable_instance_discovery": True} if DOOR else {}
tuned = {"max_block_size": 8 << 20, "max_single_put_size": 8 << 20, "max_chunk_get_size": 8 << 20, "max_single_get_size": 8 << 20}


def keyed(url, account, key):
    return BlobServiceClient(url, credential={"account_name": account, "account_key": key}, **tuned)


def token(who):
    return ClientSecretCredential(os.environ["AZURE_TENANT_ID"], os.environ[who + "_ID"], os.environ[who + "_SECRET"], **authority)


def code(act, *args, **more):
    """The service's code for a refusal."""
    try:
        act(*args, **more)
    except HttpResponseError as e:
        return e.error_code or e.status_code
    return "allowed"


def text(client, **more):
    return client.download_blob(**more).readall().decode()


def say(step, *seen):
    print(step + ":", json.dumps(seen))


service = keyed(URL, ACCOUNT, KEY)

# Containers.
one = service.create_container("one", metadata={"color": "blue"})
for name in "three", "two":
    service.create_container(name)
say("container", code(service.create_container, "one"), one.get_container_properties().metadata)
one.set_container_metadata({"color": "red"})
pages = [[c.name for c in page] for page in service.list_containers(results_per_page=2).by_page()]
say("containers", pages, [c.metadata for c in service.list_containers("one", include_metadata=True)])
one.set_container_access_policy({"readers": AccessPolicy(ContainerSasPermissions(read=True, list=True), SOON)})
acl = one.get_container_access_policy()
say("acl", acl["public_access"], [(p.id, p.access_policy.permission) for p in acl["signed_identifiers"]])
lease = service.get_container_client("two").acquire_lease(15)
say("container lease", code(service.delete_container, "two"), code(lease.renew), code(lease.change, "00000000-0000-0000-0000-000000000001"))
lease.break_lease(0)
lease = service.get_container_client("two").acquire_lease()
lease.release()

# Block blobs.
put = one.upload_blob("put", b"0123456789", metadata={"shape": "round"}, tags={"kind": "digit"}, content_settings=ContentSettings(content_type="text/plain"), validate_content=True)
seen = put.get_blob_properties()
say("put", text(put), seen.size, seen.content_settings.content_type, seen.metadata, seen.content_settings.content_md5 == hashlib.md5(b"0123456789").digest())
say("put again", code(put.upload_blob, b"x"))
wrong = {"headers": {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}}
say("content", code(put.upload_blob, b"x", overwrite=True, **wrong), code(put.upload_blob, b"x", overwrite=True, headers={"x-ms-content-crc64": "AAAAAAAAAAA="}))
blocks = one.get_blob_client("blocks")
blocks.stage_block("MQ==", b"one ", validate_content=True)
blocks.stage_block("Mg==", b"two")
before = blocks.get_block_list("all")
blocks.commit_block_list([BlobBlock("Mg=="), BlobBlock("MQ==")])
after = blocks.get_block_list("all")
say("blocks", [len(x) for x in before], [len(x) for x in after], text(blocks), code(blocks.commit_block_list, [BlobBlock("Mw==")]))
append = one.get_blob_client("append")
append.create_append_blob()
append.append_block(b"first ")
append.append_block(b"second")
say("append", text(append), code(append.append_block, b"x", appendpos_condition=3))
append.seal_append_blob()
say("sealed", code(append.append_block, b"x"))
say("range", text(put, offset=3, length=4), code(put.download_blob, offset=100, length=1))
etag = put.get_blob_properties().etag
say("conditions", code(put.download_blob, etag=etag, match_condition=MatchConditions.IfModified), code(put.upload_blob, b"x", overwrite=True, etag="wrong", match_condition=MatchConditions.IfNotModified),
    code(put.get_blob_properties, if_unmodified_since=datetime(2020, 1, 1, tzinfo=timezone.utc)))
held = put.acquire_lease(15)
say("lease", code(put.set_blob_metadata, {"a": "b"}), code(put.set_blob_metadata, {"shape": "square"}, lease=held), put.get_blob_properties().lease.state)
held.renew()
held.change("00000000-0000-0000-0000-000000000002")
held.release()
put.acquire_lease().break_lease(0)
snapshot = put.create_snapshot()["snapshot"]
put.upload_blob(b"new", overwrite=True)
old = BlobClient(URL, "one", "put", snapshot=snapshot, credential=service.credential)
say("snapshot", text(old), text(put), code(put.delete_blob))
put.set_blob_metadata({"shape": "flat"})
put.set_http_headers(ContentSettings(content_type="text/html", cache_control="no-store"))
put.set_standard_blob_tier(StandardBlobTier.COOL)
seen = put.get_blob_properties()
say("properties", seen.metadata, seen.content_settings.content_type, seen.content_settings.cache_control, seen.blob_tier)
put.set_blob_tags({"kind": "word", "size": "3"})
say("tags", put.get_blob_tags(), [b.name for b in service.find_blobs_by_tags("\"kind\" = 'word' AND \"size\" >= '2'")], [b.name for b in one.find_blobs_by_tags("\"kind\" = 'word'")],
    code(put.download_blob, if_tags_match_condition="\"kind\" = 'digit'"))


def blob_url(container, name, **more):
    sas = generate_blob_sas(ACCOUNT, container, name, expiry=SOON, **({"account_key": KEY} | more))
    return f"{URL}/{container}/{name}?{sas}"


source = blob_url("one", "blocks", permission=BlobSasPermissions(read=True))
copies = service.get_container_client("three")
now, later, begun, staged = (copies.get_blob_client(n) for n in ("now", "later", "begun", "staged"))
now.upload_blob_from_url(source)
later.start_copy_from_url(source, requires_sync=True)
copied = begun.start_copy_from_url(source)
staged.stage_block_from_url("MQ==", source, 0, 3)
staged.commit_block_list([BlobBlock("MQ==")])
grown = copies.get_blob_client("grown")
grown.create_append_blob()
grown.append_block_from_url(source)
say("copy", *(text(b) for b in (now, later, begun, staged, grown)), begun.get_blob_properties().copy.status, code(begun.abort_copy, copied["copy_id"]),
    code(now.upload_blob_from_url, URL + "/one/none", overwrite=True))

# Lists.
for name in "a/1", "a/2", "b/c/1":
    one.upload_blob(name, b"x")
pages = [[b.name for b in page] for page in one.list_blobs(results_per_page=3).by_page()]
say("flat", pages, [b.name for b in one.list_blobs("a/")])
say("hierarchy", [b.name for b in one.walk_blobs()], [b.name for b in one.walk_blobs("b/")])
say("included", [(b.name, b.metadata, b.tag_count, bool(b.snapshot)) for b in one.list_blobs("put", include=["metadata", "snapshots", "tags"])])

# The service.
service.set_service_properties(delete_retention_policy=RetentionPolicy(True, 7), cors=[CorsRule(["https://contoso.com"], ["GET"])])
seen = service.get_service_properties()
info = service.get_account_information(), one.get_account_information(), put.get_account_information()
say("service", seen["delete_retention_policy"].days, [c.allowed_origins for c in seen["cors"]], [i["account_kind"] for i in info])

say("batch", [r.headers.get("x-ms-error-code", "allowed") for r in one.delete_blobs("a/1", "a/2", "none", raise_on_any_failure=False)],
    [r.headers.get("x-ms-error-code", "allowed") for r in one.set_standard_blob_tier_blobs("Cool", "b/c/1")])
blocks.delete_blob()
say("deleted", code(blocks.get_blob_properties), [(b.name, b.deleted) for b in one.list_blobs("blocks", include=["deleted"])])
blocks.undelete_blob()
put.delete_blob(delete_snapshots="only")
say("undeleted", text(blocks), code(put.delete_blob))

big = os.urandom(100 << 20)
large = one.get_blob_client("large")
large.upload_blob(big, max_concurrency=4)
say("large", large.download_blob(max_concurrency=4).readall() == big, len(large.get_block_list()[0]))
large.delete_blob()

# Signed URLs.
sas = generate_account_sas(ACCOUNT, KEY, ResourceTypes(service=True, container=True, object=True), AccountSasPermissions(read=True, list=True), SOON)
by = BlobServiceClient(URL, credential=sas)
say("account SAS", [c.name for c in by.list_containers()], text(by.get_blob_client("one", "blocks")), code(by.get_blob_client("one", "x").upload_blob, b"x"))
by = BlobClient(URL, "one", "blocks", credential=generate_blob_sas(ACCOUNT, "one", "blocks", account_key=KEY, permission=BlobSasPermissions(read=True), expiry=SOON))
say("service SAS", text(by), code(by.upload_blob, b"x", overwrite=True))
by = ContainerClient(URL, "one", credential=generate_container_sas(ACCOUNT, "one", account_key=KEY, policy_id="readers"))
listed = [b.name for b in by.list_blobs("bl")], code(by.delete_blob, "blocks")
one.set_container_access_policy({})
say("stored policy", *listed, code(by.download_blob, "blocks"))
writer = BlobServiceClient(URL, credential=token("WRITER"))
delegated = writer.get_user_delegation_key(datetime.now(timezone.utc) - timedelta(minutes=1), SOON)
by = BlobClient(URL, "one", "blocks", credential=generate_blob_sas(ACCOUNT, "one", "blocks", user_delegation_key=delegated, permission=BlobSasPermissions(read=True), expiry=SOON))
say("user delegation SAS", text(by), code(by.delete_blob))
by = BlobClient(URL, "one", "append", credential=generate_blob_sas(ACCOUNT, "one", "blocks", account_key=KEY, permission=BlobSasPermissions(read=True), expiry=SOON))
say("altered SAS", code(by.download_blob))

# Without a key.
anybody = BlobServiceClient(URL)
denied = code(anybody.get_blob_client("one", "blocks").download_blob)
one.set_container_access_policy({}, public_access="blob")
by_blob = text(anybody.get_blob_client("one", "blocks")), code(anybody.get_container_client("one").get_container_properties)
one.set_container_access_policy({}, public_access="container")
say("anonymous", denied, *by_blob, [b.name for b in anybody.get_container_client("one").list_blobs("bl")], code(anybody.get_blob_client("one", "blocks").delete_blob))
one.set_container_access_policy({})


def holder(who):
    return BlobServiceClient(URL, credential=token(who)).get_container_client("one")


say("no data role", code(holder("OWNER").download_blob, "blocks"), code(holder("OWNER").get_container_properties))
say("reader", text(holder("READER").get_blob_client("blocks")), code(holder("READER").upload_blob, "x", b"x"))
say("contributor", code(holder("WRITER").upload_blob, "x", b"x"), code(holder("WRITER").delete_blob, "x"), code(holder("WRITER").set_container_access_policy, {}))
closed = keyed(os.environ["CLOSED_URL"], os.environ["CLOSED_ACCOUNT"], os.environ["CLOSED_ACCOUNT_KEY"])
say("key disabled", code(closed.create_container, "one"))

service.delete_container("three")
[gone] = [c for c in service.list_containers("three", include_deleted=True) if c.deleted]
say("container deleted", code(copies.get_container_properties), code(service.undelete_container, "three", gone.version), text(now))
