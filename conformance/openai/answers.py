"""What an application does with the newest openai package: prints one JSON
object of what it got, by the way of asking."""
import json
import os
import sys

from azure.identity import EnvironmentCredential, get_bearer_token_provider
from openai import AzureOpenAI, OpenAI

ENDPOINT = "https://aoai-sample.openai.azure.com"
VERSION = "2024-10-21"
KEY = os.environ["AZURE_OPENAI_API_KEY"]
QUESTION = [
    {"role": "system", "content": "Answer from the text: Mount Fuji is 3776 m high. Lake Biwa is 104 m deep."},
    {"role": "user", "content": "How high is Mount Fuji?"},
]
seen = {}


def chat(client, model="gpt-35-turbo"):
    reply = client.chat.completions.create(model=model, messages=QUESTION)
    return {"text": reply.choices[0].message.content, "finish": reply.choices[0].finish_reason, "model": reply.model,
            "usage": reply.usage.model_dump()}


def stream(client):
    text, finish, usage, chunks, counted = "", [], None, 0, []
    events = client.chat.completions.create(model="gpt-35-turbo", messages=QUESTION, stream=True, stream_options={"include_usage": True})
    for event in events:
        chunks += 1
        for choice in event.choices:
            text += choice.delta.content or ""
            if choice.finish_reason:
                finish.append(choice.finish_reason)
        if event.usage:
            usage = event.usage.model_dump()
            counted.append(len(event.choices))
    return {"text": text, "finish": finish, "usage": usage, "chunks": chunks, "choicesOfUsage": counted}


del os.environ["AZURE_OPENAI_API_KEY"]  # or the clients without a key would find it
with_key = AzureOpenAI(azure_endpoint=ENDPOINT, api_version=VERSION, api_key=KEY)
with_token = AzureOpenAI(azure_endpoint=ENDPOINT, api_version=VERSION, azure_ad_token_provider=get_bearer_token_provider(
    EnvironmentCredential(), "https://cognitiveservices.azure.com/.default"))
v1 = OpenAI(base_url=ENDPOINT + "/openai/v1/", api_key=KEY)

seen["key"] = chat(with_key)
seen["token"] = chat(with_token)
seen["v1"] = chat(v1)
seen["keyStream"] = stream(with_key)
seen["tokenStream"] = stream(with_token)
seen["v1Stream"] = stream(v1)

texts = ["富士山の高さは3776メートルです。", "How high is Mount Fuji?"]
# The package asks for base64 unless it is told otherwise, and decodes it.
seen["base64"] = [item.embedding for item in with_key.embeddings.create(model="ada", input=texts).data]
seen["float"] = [item.embedding for item in with_token.embeddings.create(model="ada", input=texts, encoding_format="float").data]
seen["v1Embedding"] = v1.embeddings.create(model="ada", input=texts[0]).data[0].embedding
seen["completion"] = with_key.completions.create(model="instruct", prompt="Mount Fuji is", max_tokens=5).choices[0].text
seen["models"] = [model.id for model in with_token.models.list()]
seen["v1Models"] = [model.id for model in v1.models.list()]
seen["model"] = v1.models.retrieve(seen["v1Models"][0]).id
seen["requestId"] = with_key.chat.completions.with_raw_response.create(model="gpt-35-turbo", messages=QUESTION).headers["apim-request-id"]

json.dump(seen, sys.stdout)
