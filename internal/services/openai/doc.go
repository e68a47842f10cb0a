// Package openai is Microsoft.CognitiveServices: accounts, their keys and model
// deployments in ARM, and the data plane of Azure OpenAI. It holds no
// permission check of its own; its tables say what gate has to ask.
package openai
