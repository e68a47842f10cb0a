"""An application on a machine: it has nothing but the machine's identity."""
from azure.identity import ManagedIdentityCredential, get_bearer_token_provider
from openai import AzureOpenAI

client = AzureOpenAI(
    azure_endpoint="https://aoai-sample.openai.azure.com",
    api_version="2024-10-21",
    azure_ad_token_provider=get_bearer_token_provider(ManagedIdentityCredential(), "https://cognitiveservices.azure.com/.default"),
)
reply = client.chat.completions.create(model="gpt-35-turbo", messages=[
    {"role": "system", "content": "Answer from the text: Mount Fuji is 3776 m high. Lake Biwa is 104 m deep."},
    {"role": "user", "content": "How high is Mount Fuji?"},
])
print(reply.choices[0].message.content)
