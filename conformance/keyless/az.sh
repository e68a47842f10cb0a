#!/usr/bin/env bash
# The keyless story with the Azure CLI. Prints each step that it has taken.
# CLOUD_CONFIG is what `sekisho cloud-config` printed, for an own name, or empty.
set -euo pipefail

az() { "$AZ_PYTHON" -m azure.cli "$@" --only-show-errors; }
account=(-g rg-keyless -n "$ACCOUNT")

if [ -n "$CLOUD_CONFIG" ]; then
	az cloud register -n Sekisho --cloud-config "@$CLOUD_CONFIG"
	az cloud set -n Sekisho
fi
az login --service-principal -u "$AZURE_CLIENT_ID" -p "$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID" -o none

ask() { # OPTION... of az rest
	az rest -m post --url "${endpoint}openai/deployments/chat/chat/completions?api-version=2024-10-21" --body '{"messages": [
	  {"role": "system", "content": "Answer from the text: Mount Fuji is 3776 m high. Lake Biwa is 104 m deep."},
	  {"role": "user", "content": "How high is Mount Fuji?"}]}' --query 'choices[0].message.content' "$@"
}
answered() {
	grep -q 3776 <<<"$(ask "$@")"
}
refused() { # WORD COMMAND...
	local word=$1 said
	shift
	if said=$("$@" 2>&1); then
		echo "answered, not refused with $word" >&2
		exit 1
	fi
	grep -q "$word" <<<"$said" || { echo "$said" >&2; exit 1; }
}
key() { echo --skip-authorization-header --headers "api-key=$1"; }
token=(--resource https://cognitiveservices.azure.com)

az group create -n rg-keyless -l japaneast -o none
endpoint=$(az cognitiveservices account create "${account[@]}" --kind OpenAI --sku S0 -l japaneast --custom-domain "$ACCOUNT" --yes \
	--query properties.endpoint -o tsv)
az cognitiveservices account deployment create "${account[@]}" --deployment-name chat --model-format OpenAI --model-name gpt-4o-mini \
	--model-version 2024-07-18 --sku-name Standard --sku-capacity 10 -o none
[ "$(az cognitiveservices account deployment list "${account[@]}" --query '[].name' -o tsv)" = chat ]
echo built

read -r old other <<<"$(az cognitiveservices account keys list "${account[@]}" --query '[key1, key2]' -o tsv | paste -s)"
answered $(key "$old")
echo key answered

read -r new same <<<"$(az cognitiveservices account keys regenerate "${account[@]}" --key-name key1 --query '[key1, key2]' -o tsv | paste -s)"
[ "$new" != "$old" ] && [ "$same" = "$other" ]
refused 'Access denied due to invalid subscription key' ask $(key "$old")
answered $(key "$new")
echo key rotated

refused PermissionDenied ask "${token[@]}"
echo token denied

id=$(az cognitiveservices account show "${account[@]}" --query id -o tsv)
az role assignment create --assignee "$AZURE_CLIENT_ID" --role "Cognitive Services OpenAI User" --scope "$id" -o none
answered "${token[@]}"
echo token answered

az rest -m patch --uri "$id?api-version=2023-05-01" --body '{"properties": {"disableLocalAuth": true}}' -o none
refused AuthenticationTypeDisabled ask $(key "$new")
refused 'disableLocalAuth is set to be true' az cognitiveservices account keys list "${account[@]}"
echo keys disabled

answered "${token[@]}"
echo keyless
