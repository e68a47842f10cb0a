package arm

import "strings"

// Location is an Azure region.
type Location struct {
	Name, DisplayName, RegionalDisplayName, Geography string
}

// Locations are the regions that a resource may name. None of them is a place
// here: they matter to names, regional hosts and to what clients expect.
// Source: az account list-locations.
var Locations = []Location{
	{"eastus", "East US", "(US) East US", "US"},
	{"eastus2", "East US 2", "(US) East US 2", "US"},
	{"southcentralus", "South Central US", "(US) South Central US", "US"},
	{"westus2", "West US 2", "(US) West US 2", "US"},
	{"westus3", "West US 3", "(US) West US 3", "US"},
	{"australiaeast", "Australia East", "(Asia Pacific) Australia East", "Asia Pacific"},
	{"southeastasia", "Southeast Asia", "(Asia Pacific) Southeast Asia", "Asia Pacific"},
	{"northeurope", "North Europe", "(Europe) North Europe", "Europe"},
	{"swedencentral", "Sweden Central", "(Europe) Sweden Central", "Europe"},
	{"uksouth", "UK South", "(Europe) UK South", "Europe"},
	{"westeurope", "West Europe", "(Europe) West Europe", "Europe"},
	{"centralus", "Central US", "(US) Central US", "US"},
	{"southafricanorth", "South Africa North", "(Africa) South Africa North", "Africa"},
	{"centralindia", "Central India", "(Asia Pacific) Central India", "Asia Pacific"},
	{"eastasia", "East Asia", "(Asia Pacific) East Asia", "Asia Pacific"},
	{"japaneast", "Japan East", "(Asia Pacific) Japan East", "Asia Pacific"},
	{"japanwest", "Japan West", "(Asia Pacific) Japan West", "Asia Pacific"},
	{"koreacentral", "Korea Central", "(Asia Pacific) Korea Central", "Asia Pacific"},
	{"canadacentral", "Canada Central", "(Canada) Canada Central", "Canada"},
	{"canadaeast", "Canada East", "(Canada) Canada East", "Canada"},
	{"francecentral", "France Central", "(Europe) France Central", "Europe"},
	{"germanywestcentral", "Germany West Central", "(Europe) Germany West Central", "Europe"},
	{"norwayeast", "Norway East", "(Europe) Norway East", "Europe"},
	{"polandcentral", "Poland Central", "(Europe) Poland Central", "Europe"},
	{"spaincentral", "Spain Central", "(Europe) Spain Central", "Europe"},
	{"switzerlandnorth", "Switzerland North", "(Europe) Switzerland North", "Europe"},
	{"uaenorth", "UAE North", "(Middle East) UAE North", "Middle East"},
	{"brazilsouth", "Brazil South", "(South America) Brazil South", "South America"},
	{"northcentralus", "North Central US", "(US) North Central US", "US"},
	{"westus", "West US", "(US) West US", "US"},
	{"italynorth", "Italy North", "(Europe) Italy North", "Europe"},
}

// normalLocation is a region's name: "East US 2" and "eastus2" are one.
func normalLocation(s string) (string, bool) {
	name := strings.ToLower(strings.ReplaceAll(s, " ", ""))
	for _, l := range Locations {
		if l.Name == name {
			return name, true
		}
	}
	return name, false
}

func locationNames() string {
	names := make([]string, len(Locations))
	for i, l := range Locations {
		names[i] = l.Name
	}
	return strings.Join(names, ",")
}
