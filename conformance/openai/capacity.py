"""An application that exhausts a deployment of capacity 1: first with the
package's patience off, then as the package comes. Prints what it saw."""
import json
import time

from openai import AzureOpenAI, RateLimitError

client = AzureOpenAI(azure_endpoint="https://aoai-sample.openai.azure.com", api_version="2024-10-21")


def ask(**options):
    return client.with_options(**options).chat.completions.create(
        model="gpt-35-turbo", messages=[{"role": "user", "content": "Who are you?"}]).choices[0].message.content


ask(max_retries=0)
began = time.monotonic()
try:
    ask(max_retries=0)
except RateLimitError as error:
    seen = {"status": error.status_code, "code": error.code, "message": error.body["message"], "headers": dict(error.response.headers)}
seen["text"] = ask()
seen["waited"] = time.monotonic() - began
print(json.dumps(seen))
