// Package openai is Microsoft.CognitiveServices: accounts, their keys and model
// deployments in ARM, and the data plane of Azure OpenAI. It holds no
// permission check of its own; its tables say what gate has to ask.
//
// What the gateway does about a call beside passing it on (the limits of a
// deployment's capacity, the content filter, counting) are its Duties, which
// the configuration may replace while calls are under way.
package openai
