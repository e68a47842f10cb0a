package arm

import "regexp"

// GroupType declares resource groups.
func GroupType() *Type {
	return &Type{
		Name: TypeGroup, Source: "azure-rest-api-specs resources/stable/2024-11-01/resources.json",
		Names: regexp.MustCompile(`^[\p{L}\p{Nd}._()-]{0,89}[\p{L}\p{Nd}_()-]$`), NameRule: "1 to 90 letters, digits, underscores, hyphens, periods and parentheses, not ending in a period",
		Tracked:  true,
		Versions: []string{"2025-04-01", "2024-11-01", "2021-04-01"},
		Plan: func(old, in *Resource) (*Resource, error) {
			if in.ManagedBy == "" && old != nil {
				in.ManagedBy = old.ManagedBy
			}
			in.Kind, in.SKU = "", nil
			return in, in.SetProperties(map[string]string{"provisioningState": "Succeeded"})
		},
	}
}
