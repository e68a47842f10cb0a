"""How refusals arrive in an application that uses the newest openai package:
prints one JSON object of exceptions, by the way of asking."""
import json
import os
import sys

import openai
from azure.identity import EnvironmentCredential, get_bearer_token_provider
from openai import AzureOpenAI, OpenAI

ENDPOINT = "https://aoai-sample.openai.azure.com"
KEY = os.environ.pop("AZURE_OPENAI_API_KEY")


def azure(**credential):
    return AzureOpenAI(azure_endpoint=ENDPOINT, api_version="2024-10-21", max_retries=0, **credential)


def token(scope):
    return get_bearer_token_provider(EnvironmentCredential(), scope)


def ask(client, model="gpt-35-turbo"):
    try:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Who are you?"}])
    except openai.APIStatusError as e:
        return {"type": type(e).__name__, "status": e.status_code, "body": e.response.json(), "text": str(e)}
    return {"type": "answered"}


json.dump({
    "key": ask(azure(api_key=KEY)),
    "wrongKey": ask(azure(api_key=KEY[:-1] + ("A" if KEY[-1] != "A" else "B"))),
    "v1Key": ask(OpenAI(base_url=ENDPOINT + "/openai/v1/", api_key=KEY, max_retries=0)),
    "v1WrongKey": ask(OpenAI(base_url=ENDPOINT + "/openai/v1/", api_key="0" * 84, max_retries=0)),
    "token": ask(azure(azure_ad_token_provider=token("https://cognitiveservices.azure.com/.default"))),
    "foreignToken": ask(azure(azure_ad_token_provider=token("https://management.azure.com/.default"))),
    "brokenToken": ask(azure(azure_ad_token="not.a.token")),
    "unknownDeployment": ask(azure(api_key=KEY), "gpt-5"),
    "embeddingModel": ask(azure(api_key=KEY), "ada"),
}, sys.stdout)
