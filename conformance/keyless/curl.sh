#!/usr/bin/env bash
# The keyless story with curl. Prints each step that it has taken. DOOR_URL is an
# own name, or empty.
set -euo pipefail

login=${DOOR_URL:-https://login.microsoftonline.com}
arm=${DOOR_URL:-https://management.azure.com}
group=/subscriptions/$SUBSCRIPTION/resourceGroups/rg-keyless
account=$group/providers/Microsoft.CognitiveServices/accounts/$ACCOUNT
version=2025-06-01

token() { # AUDIENCE
	curl -sS --fail-with-body "$login/$AZURE_TENANT_ID/oauth2/v2.0/token" -d grant_type=client_credentials -d "scope=$1/.default" \
		-d "client_id=$AZURE_CLIENT_ID" --data-urlencode "client_secret=$AZURE_CLIENT_SECRET" | jq -er .access_token
}
management=$(token https://management.azure.com)

manage() { # METHOD PATH VERSION [BODY]
	curl -sS --fail-with-body -X "$1" "$arm$2?api-version=$3" -H "Authorization: Bearer $management" -H 'Content-Type: application/json' ${4:+-d "$4"}
}

question='{"messages": [
  {"role": "system", "content": "Answer from the text: Mount Fuji is 3776 m high. Lake Biwa is 104 m deep."},
  {"role": "user", "content": "How high is Mount Fuji?"}]}'
ask() { # DEPLOYMENT HEADER [OPTION...]
	curl -sS "${endpoint}openai/deployments/$1/chat/completions?api-version=2024-10-21" -H "$2" -H 'Content-Type: application/json' -d "$question" "${@:3}"
}
answered() { # DEPLOYMENT HEADER [OPTION...]
	ask "$@" --fail | jq -e '.choices[0].message.content | contains("3776")' >/dev/null
}
is() { # STATUS CODE ANSWER, which ends in its status
	local status code
	status=$(tail -n1 <<<"$3")
	code=$(head -n-1 <<<"$3" | jq -r .error.code)
	[ "$status $code" = "$1 $2" ] || { echo "got $status $code, not $1 $2" >&2; exit 1; }
}
refused() { # STATUS CODE HEADER
	is "$1" "$2" "$(ask chat "$3" -w '\n%{http_code}')"
}
deploy() { # NAME MODEL VERSION
	manage PUT "$account/deployments/$1" $version '{"sku": {"name": "Standard", "capacity": 10},
	  "properties": {"model": {"format": "OpenAI", "name": "'"$2"'", "version": "'"$3"'"}}}' | jq -e '.properties.provisioningState == "Succeeded"' >/dev/null
}

manage PUT "$group" 2024-11-01 '{"location": "japaneast"}' >/dev/null
endpoint=$(manage PUT "$account" $version '{"kind": "OpenAI", "location": "japaneast", "sku": {"name": "S0"},
  "properties": {"customSubDomainName": "'"$ACCOUNT"'"}}' | jq -er .properties.endpoint)
deploy chat gpt-4o-mini 2024-07-18
deploy busy gpt-4o 2024-11-20
manage GET "$account/deployments" $version | jq -e '[.value[].name] | sort == ["busy", "chat"]' >/dev/null
echo built

keys=$(manage POST "$account/listKeys" $version)
old=$(jq -er .key1 <<<"$keys")
answered chat "api-key: $old"
echo key answered

rotated=$(manage POST "$account/regenerateKey" $version '{"keyName": "Key1"}')
new=$(jq -er .key1 <<<"$rotated")
[ "$new" != "$old" ] && [ "$(jq .key2 <<<"$rotated")" = "$(jq .key2 <<<"$keys")" ]
refused 401 401 "api-key: $old"
answered chat "api-key: $new"
echo key rotated

bearer="Authorization: Bearer $(token https://cognitiveservices.azure.com)"
refused 401 PermissionDenied "$bearer"
echo token denied

role=$(manage GET "$account/providers/Microsoft.Authorization/roleDefinitions" "2022-04-01&\$filter=roleName%20eq%20'Cognitive%20Services%20OpenAI%20User'" |
	jq -er '.value | if length == 1 then .[0].id else empty end')
manage PUT "$account/providers/Microsoft.Authorization/roleAssignments/$(cat /proc/sys/kernel/random/uuid)" 2022-04-01 \
	'{"properties": {"roleDefinitionId": "'"$role"'", "principalId": "'"$PRINCIPAL"'", "principalType": "ServicePrincipal"}}' >/dev/null
answered chat "$bearer"
echo token answered

manage PATCH "$account" $version '{"properties": {"disableLocalAuth": true}}' >/dev/null
refused 403 AuthenticationTypeDisabled "api-key: $new"
is 400 BadRequest "$(curl -sS -X POST "$arm$account/listKeys?api-version=$version" -H "Authorization: Bearer $management" -w '\n%{http_code}')"
echo keys disabled

answered chat "$bearer"
echo keyless

answered busy "$bearer" --retry 1
echo 429 obeyed
