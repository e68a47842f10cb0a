"""The story of Microsoft.Search with azure-mgmt-search: services, their keys, links and
quotas. Prints what it sees of each step."""
import json
import os

from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.search import SearchManagementClient, models as m

SUBSCRIPTION, GROUP, NAME, STORAGE = os.environ["SUBSCRIPTION"], "rg-sample", os.environ["NAME"], os.environ["STORAGE_ID"]
owner = ClientSecretCredential(os.environ["AZURE_TENANT_ID"], os.environ["OWNER_ID"], os.environ["OWNER_SECRET"])
search, resources = SearchManagementClient(owner, SUBSCRIPTION), ResourceManagementClient(owner, SUBSCRIPTION)
services, keys, links = search.services, search.query_keys, search.shared_private_link_resources
VERSION = "2025-05-01"


def say(step, *seen):
    print(f"{step}: {json.dumps(seen)}", flush=True)


def refusal(act, *args, **more):
    """The exception's class, the status and the code of a refusal."""
    try:
        result = act(*args, **more)
        if hasattr(result, "result"):
            result.result()
    except HttpResponseError as e:
        return [type(e).__name__, e.status_code, e.error.code if e.error else None]
    return "allowed"


def available(name):
    answer = services.check_name_availability(name)
    return [answer.is_name_available, answer.reason]


def service(sku="basic", **more):
    return m.SearchService(location="japaneast", sku=m.Sku(name=sku), **more)


def make(name, made):
    return services.begin_create_or_update(GROUP, name, made)


def change(**more):
    return services.update(GROUP, NAME, m.SearchServiceUpdate(**more))


def mine(all):
    return [s.name for s in all if s.name.startswith(NAME)]


say("name", available(NAME), available("-" + NAME))
made = make(NAME, service(tags={"is": "new"}, replica_count=2, semantic_search="free", auth_options=m.DataPlaneAuthOptions(
    aad_or_api_key=m.DataPlaneAadOrApiKeyAuthOption(aad_auth_failure_mode="http401WithBearerChallenge")))).result()
say("create", made.name, made.type, made.location, made.sku.name, made.replica_count, made.partition_count, made.hosting_mode, made.provisioning_state, made.status,
    made.auth_options.aad_or_api_key.aad_auth_failure_mode, made.semantic_search, made.public_network_access, made.endpoint, bool(made.e_tag))
resources.resource_groups.create_or_update("rg-" + NAME, {"location": "japaneast"})
say("name taken", available(NAME), refusal(services.begin_create_or_update, "rg-" + NAME, NAME, service()))
say("errors", refusal(make, NAME + "sku", service("tiny")), refusal(make, "No-" + NAME, service()), refusal(make, NAME + "units", service(replica_count=4)),
    refusal(make, NAME, service("storage_optimized_l1")), refusal(change, auth_options=m.DataPlaneAuthOptions(
        aad_or_api_key=m.DataPlaneAadOrApiKeyAuthOption(aad_auth_failure_mode="http404"))), refusal(services.get, GROUP, "none"), refusal(change, partition_count=5))
made.tags["is"], made.partition_count = "changed", 3
changed = make(NAME, made).result()
say("update", changed.tags, changed.partition_count, change(replica_count=1, partition_count=1).replica_count, change(tags={"is": "patched"}).tags, services.get(GROUP, NAME).partition_count)
changed = change(identity=m.Identity(type="SystemAssigned"), public_network_access="disabled", network_rule_set=m.NetworkRuleSet(ip_rules=[m.IpRule(value="203.0.113.0/24")], bypass="AzureServices"))
say("network", changed.public_network_access, [r.value for r in changed.network_rule_set.ip_rules], changed.network_rule_set.bypass, changed.identity.type, len(changed.identity.principal_id),
    refusal(change, network_rule_set=m.NetworkRuleSet(ip_rules=[m.IpRule(value="::1")])))
changed = change(disable_local_auth=True)
say("keys off", changed.disable_local_auth, changed.auth_options, change(disable_local_auth=False).auth_options.api_key_only is not None,
    change(auth_options=m.DataPlaneAuthOptions(aad_or_api_key=m.DataPlaneAadOrApiKeyAuthOption())).auth_options.aad_or_api_key.aad_auth_failure_mode)
say("list", mine(services.list_by_resource_group(GROUP)), mine(services.list_by_subscription()),
    resources.resources.check_existence_by_id(made.id, api_version=VERSION), resources.resources.check_existence_by_id(made.id + "none", api_version=VERSION))

before = search.admin_keys.get(GROUP, NAME)
first, second = (search.admin_keys.regenerate(GROUP, NAME, kind) for kind in ("primary", "secondary"))
say("admin keys", len(before.primary_key), before.primary_key != first.primary_key, before.secondary_key == first.secondary_key,
    first.primary_key == second.primary_key, first.secondary_key != second.secondary_key)
made_key = keys.create(GROUP, NAME, "story")
say("query keys", made_key.name, [k.name for k in keys.list_by_search_service(GROUP, NAME)], keys.delete(GROUP, NAME, made_key.key),
    [k.name for k in keys.list_by_search_service(GROUP, NAME)], keys.delete(GROUP, NAME, made_key.key), refusal(keys.create, GROUP, "none", "story"))


def link(group="blob", target=STORAGE, message="Please"):
    return m.SharedPrivateLinkResource(properties=m.SharedPrivateLinkResourceProperties(private_link_resource_id=target, group_id=group, request_message=message))


made_link = links.begin_create_or_update(GROUP, NAME, "link", link()).result()
say("link", made_link.name, made_link.properties.group_id, made_link.properties.status, made_link.properties.provisioning_state,
    links.get(GROUP, NAME, "link").properties.request_message, [x.name for x in links.list_by_service(GROUP, NAME)],
    [x.name for x in services.get(GROUP, NAME).shared_private_link_resources])
say("link changed", links.begin_create_or_update(GROUP, NAME, "link", link(message="Now")).result().properties.request_message,
    resources.resources.begin_update_by_id(made_link.id, {"properties": {"requestMessage": "At last"}}, api_version=VERSION).result().properties["requestMessage"],
    resources.resources.check_existence_by_id(made_link.id, api_version=VERSION))
say("link errors", refusal(links.begin_create_or_update, GROUP, NAME, "link", link(group="dfs")), refusal(links.begin_create_or_update, GROUP, NAME, "other", link(group="mail")),
    refusal(links.begin_create_or_update, GROUP, NAME, "other", link(target="storage")), refusal(links.begin_create_or_update, GROUP, NAME, "-", link()), refusal(links.get, GROUP, NAME, "none"))
say("link deleted", links.begin_delete(GROUP, NAME, "link").result(), links.begin_delete(GROUP, NAME, "link").result(), [x.name for x in links.list_by_service(GROUP, NAME)])

connections, perimeters = search.private_endpoint_connections, search.network_security_perimeter_configurations
say("private endpoints", list(connections.list_by_service(GROUP, NAME)), refusal(connections.get, GROUP, NAME, "none"), refusal(connections.update, GROUP, NAME, "none", m.PrivateEndpointConnection()),
    refusal(connections.delete, GROUP, NAME, "none"))
supported = next(iter(search.private_link_resources.list_supported(GROUP, NAME))).properties
say("private links", supported.group_id, supported.required_zone_names, "openai_account" in [t.name for t in supported.shareable_private_link_resource_types])
say("perimeters", list(perimeters.list_by_service(GROUP, NAME)), refusal(perimeters.get, GROUP, NAME, "none"), refusal(perimeters.begin_reconcile, GROUP, NAME, "none"))
usages = {u.name.value: [u.current_value > 0, u.limit] for u in search.usages.list_by_subscription("japaneast")}
say("usages", usages["free"], usages["basic"], usages["standard3"], search.usage_by_subscription_sku("japaneast", "basic").name.localized_value,
    refusal(search.usage_by_subscription_sku, "japaneast", "tiny"))
say("operations", "Microsoft.Search/searchServices/listAdminKeys/action" in [o.name for o in search.operations.list()])
say("deleted", services.delete(GROUP, NAME), services.delete(GROUP, NAME), refusal(services.get, GROUP, NAME), available(NAME))
