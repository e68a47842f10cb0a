package builtin

// Advised names the roles, by provider namespace, that Microsoft's documents
// give to people for the provider's resources and data; rbac.NewCatalog weighs
// them first. Providers that are not in it hold no such choice yet.
// Source: azure-docs role-based-access-control/built-in-roles/*.md, and of
// Cognitive Services azure-ai-docs openai/how-to/role-based-access-control.md.
func Advised() map[string][]string {
	const (
		owner       = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
		contributor = "b24988ac-6180-42a0-ab88-20f7382dd24c"
		reader      = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	)
	return map[string][]string{
		"Microsoft.Resources": {reader, contributor, owner},
		"Microsoft.Authorization": {
			reader,
			"f58310d9-a9f6-439a-9e8d-f62e7b41a168", // Role Based Access Control Administrator
			"18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", // User Access Administrator
			owner,
		},
		"Microsoft.CognitiveServices": {
			"5e0bd9bd-7b93-4f28-af87-19fc36ad61bd", // Cognitive Services OpenAI User
			"a001fd3d-188f-4b5d-821b-7da978bf7442", // Cognitive Services OpenAI Contributor
			"25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68", // Cognitive Services Contributor
			"a97b65f3-24c7-4388-baec-2e87135dc908", // Cognitive Services User
		},
		"Microsoft.Compute": {
			reader,
			"9980e02c-c2be-4d73-94e8-173b1dc7cf3c", // Virtual Machine Contributor
			contributor,
		},
		"Microsoft.ManagedIdentity": {
			"f1a07417-d97a-45cb-824c-7a7467783830", // Managed Identity Operator
			"e40ec5ca-96e0-45a2-b4ff-59039f2c2b59", // Managed Identity Contributor
			reader, contributor,
		},
		"Microsoft.Search": {
			"1407120a-92aa-4202-b7e9-c0e197c71c8f", // Search Index Data Reader
			"8ebe5a00-799e-43f5-93ac-243d3dce84a7", // Search Index Data Contributor
			"7ca78c08-252a-4471-8644-bb5ff32d4ba0", // Search Service Contributor
		},
		"Microsoft.Storage": {
			"2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", // Storage Blob Data Reader
			"ba92f5b4-2d11-453d-a403-e96b0029c9fe", // Storage Blob Data Contributor
			"b7e6dc6d-f1e8-4753-8033-0f276bb0955b", // Storage Blob Data Owner
			"69566ab7-960f-475b-8e7c-b3118f30c6bd", // Storage File Data Privileged Contributor
			"81a9662b-bebf-436f-a333-f67b29880f12", // Storage Account Key Operator Service Role
			"17d1049b-9a84-46fb-8f53-869881c3d3ab", // Storage Account Contributor
		},
		"Microsoft.ContainerRegistry": {
			"7f951dda-4ed3-4680-a7ca-43fe172d538d", // AcrPull
			"8311e382-0749-4cb8-b61a-304f252e45ec", // AcrPush
		},
	}
}
