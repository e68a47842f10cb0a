package schema

import "encoding/json"

// Index is the definition of an index. The tag "api" of a property says from which
// versions of the API on it is there, stable ones and previews ("-" is none);
// "until" is up to which.
type Index struct {
	ODataType             string           `json:"@odata.type,omitempty"`
	Name                  string           `json:"name"`
	Description           string           `json:"description,omitempty" api:"2025-09-01,2025-05-01"`
	Fields                []*Field         `json:"fields"`
	ScoringProfiles       []ScoringProfile `json:"scoringProfiles"`
	DefaultScoringProfile string           `json:"defaultScoringProfile,omitempty"`
	CORS                  *CORS            `json:"corsOptions"`
	Suggesters            []Suggester      `json:"suggesters"`
	Analyzers             []Component      `json:"analyzers"`
	Normalizers           []Component      `json:"normalizers,omitzero" api:"2025-09-01,2020-06-30"`
	Tokenizers            []Component      `json:"tokenizers"`
	TokenFilters          []Component      `json:"tokenFilters"`
	CharFilters           []Component      `json:"charFilters"`
	EncryptionKey         *EncryptionKey   `json:"encryptionKey,omitempty"`
	Similarity            *Similarity      `json:"similarity"`
	Semantic              *Semantic        `json:"semantic,omitempty" api:"2023-11-01,2021-04-30"`
	Vectors               *VectorSearch    `json:"vectorSearch,omitempty" api:"2023-11-01,2023-07-01"`
	PermissionFilter      string           `json:"permissionFilterOption,omitempty" api:"-,2025-05-01"` // "enabled" or "disabled"
	Purview               *bool            `json:"purviewEnabled,omitempty" api:"-,2025-11-01"`
}

// Field is a field, or a sub-field of a complex one.
type Field struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
	// Attributes that are nil have the default of their type (Complete fills it in).
	Key         *bool `json:"key,omitempty"`
	Retrievable *bool `json:"retrievable,omitempty"`
	Stored      *bool `json:"stored,omitempty" api:"2024-07-01,2024-03-01"`
	Searchable  *bool `json:"searchable,omitempty"`
	Filterable  *bool `json:"filterable,omitempty"`
	Sortable    *bool `json:"sortable,omitempty"`
	Facetable   *bool `json:"facetable,omitempty"`

	Analyzer       string   `json:"analyzer,omitempty"`
	IndexAnalyzer  string   `json:"indexAnalyzer,omitempty"`
	SearchAnalyzer string   `json:"searchAnalyzer,omitempty"`
	Normalizer     string   `json:"normalizer,omitempty" api:"2025-09-01,2020-06-30"`
	SynonymMaps    []string `json:"synonymMaps,omitempty"`

	Dimensions     int    `json:"dimensions,omitempty" api:"2023-11-01,2023-07-01"`
	VectorProfile  string `json:"vectorSearchProfile,omitempty" api:"2023-11-01,2023-10-01"`
	VectorEncoding string `json:"vectorEncoding,omitempty" api:"2024-07-01,2024-05-01"` // "packedBit"

	PermissionFilter string `json:"permissionFilter,omitempty" api:"-,2025-05-01"` // userIds, groupIds or rbacScope
	SensitivityLabel *bool  `json:"sensitivityLabel,omitempty" api:"-,2025-11-01"`

	Fields []*Field `json:"fields,omitempty"` // of a complex type
}

// Is reads an attribute of a completed definition.
func Is(attribute *bool) bool { return attribute != nil && *attribute }

// Component is an analyzer, a tokenizer, a token filter, a char filter or a
// normalizer that the index defines: what all of them have, and the whole as the
// client wrote it.
type Component struct {
	ODataType string
	Name      string
	Raw       json.RawMessage
}

// UnmarshalJSON keeps the text.
func (c *Component) UnmarshalJSON(raw []byte) error {
	var head struct {
		ODataType string `json:"@odata.type"`
		Name      string `json:"name"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return err
	}
	c.ODataType, c.Name, c.Raw = head.ODataType, head.Name, append([]byte(nil), raw...)
	return nil
}

// MarshalJSON gives the text.
func (c Component) MarshalJSON() ([]byte, error) { return c.Raw, nil }

// EncryptionKey is a customer's key that the index would be sealed with.
type EncryptionKey struct {
	Name        string          `json:"keyVaultKeyName"`
	Version     string          `json:"keyVaultKeyVersion,omitempty"`
	Vault       string          `json:"keyVaultUri"`
	Credentials json.RawMessage `json:"accessCredentials,omitempty"`
	Identity    json.RawMessage `json:"identity,omitempty" api:"2026-04-01,2021-04-30"`
}

// Suggester lets fields be suggested from. Its only mode is
// analyzingInfixMatching.
type Suggester struct {
	Name   string   `json:"name"`
	Mode   string   `json:"searchMode"`
	Fields []string `json:"sourceFields"`
}

// CORS lets pages of other origins call the index.
type CORS struct {
	Origins []string `json:"allowedOrigins"`
	MaxAge  *int64   `json:"maxAgeInSeconds,omitempty"`
}

// Similarity is how text is scored: BM25, with Lucene's defaults (k1 1.2, b 0.75)
// for what is nil.
type Similarity struct {
	ODataType string   `json:"@odata.type"`
	K1        *float64 `json:"k1,omitempty"`
	B         *float64 `json:"b,omitempty"`
}

// BM25 is the only similarity of new services.
const BM25 = "#Microsoft.Azure.Search.BM25Similarity"

// ScoringProfile boosts what matches by fields and by functions.
type ScoringProfile struct {
	Name        string            `json:"name"`
	Text        *TextWeights      `json:"text,omitempty"`
	Functions   []ScoringFunction `json:"functions,omitempty"`
	Aggregation string            `json:"functionAggregation,omitempty"` // sum, average, minimum, maximum, firstMatching, product
}

// TextWeights multiply the scores of fields.
type TextWeights struct {
	Weights map[string]float64 `json:"weights"`
}

// ScoringFunction boosts by the value of a field. One of the last four is set, as
// Type says.
type ScoringFunction struct {
	Type          string  `json:"type"`
	FieldName     string  `json:"fieldName"`
	Boost         float64 `json:"boost"`
	Interpolation string  `json:"interpolation,omitempty"` // linear, constant, quadratic, logarithmic

	Freshness *struct {
		Duration string `json:"boostingDuration"` // ISO 8601
	} `json:"freshness,omitempty"`
	Magnitude *struct {
		Start    float64 `json:"boostingRangeStart"`
		End      float64 `json:"boostingRangeEnd"`
		Constant *bool   `json:"constantBoostBeyondRange,omitempty"`
	} `json:"magnitude,omitempty"`
	Distance *struct {
		Reference string  `json:"referencePointParameter"`
		Distance  float64 `json:"boostingDistance"` // km
	} `json:"distance,omitempty"`
	Tag *struct {
		Parameter string `json:"tagsParameter"`
	} `json:"tag,omitempty"`
}

// Semantic are the configurations that rank by meaning.
type Semantic struct {
	Default        string                  `json:"defaultConfiguration,omitempty"`
	Configurations []SemanticConfiguration `json:"configurations"`
}

// SemanticConfiguration names the fields that a reranker reads.
type SemanticConfiguration struct {
	Name         string         `json:"name"`
	Fields       SemanticFields `json:"prioritizedFields"`
	RankingOrder string         `json:"rankingOrder,omitempty" api:"2025-09-01,2025-03-01"`
	Flighting    *bool          `json:"flightingOptIn,omitempty" api:"-,2025-03-01"`
}

// SemanticFields are fields by what they hold.
type SemanticFields struct {
	Title    *SemanticField  `json:"titleField,omitempty"`
	Content  []SemanticField `json:"prioritizedContentFields"`
	Keywords []SemanticField `json:"prioritizedKeywordsFields"`
}

// SemanticField names a field.
type SemanticField struct {
	Name string `json:"fieldName"`
}

// VectorSearch is how vector fields are searched.
type VectorSearch struct {
	Profiles     []VectorProfile `json:"profiles"`
	Algorithms   []Algorithm     `json:"algorithms"`
	Vectorizers  []Vectorizer    `json:"vectorizers,omitzero" api:"2024-07-01,2023-10-01"`
	Compressions []Compression   `json:"compressions,omitzero" api:"2024-07-01,2024-03-01"`
}

// VectorProfile joins an algorithm with what makes vectors and what packs them.
type VectorProfile struct {
	Name        string `json:"name"`
	Algorithm   string `json:"algorithm"`
	Vectorizer  string `json:"vectorizer,omitempty" api:"2024-07-01,2023-10-01"`
	Compression string `json:"compression,omitempty" api:"2024-07-01,2024-03-01"`
}

// Algorithm is hnsw or exhaustiveKnn.
type Algorithm struct {
	Name       string      `json:"name"`
	Kind       string      `json:"kind"`
	HNSW       *HNSW       `json:"hnswParameters,omitempty"`
	Exhaustive *Exhaustive `json:"exhaustiveKnnParameters,omitempty"`
}

// HNSW are the parameters of a graph: m 4–10 (4), efConstruction 100–1000 (400),
// efSearch 100–1000 (500).
type HNSW struct {
	Metric         string `json:"metric,omitempty"`
	M              *int   `json:"m,omitempty"`
	EFConstruction *int   `json:"efConstruction,omitempty"`
	EFSearch       *int   `json:"efSearch,omitempty"`
}

// Exhaustive is a scan of all vectors.
type Exhaustive struct {
	Metric string `json:"metric,omitempty"`
}

// Vectorizer makes a vector of a query's text.
type Vectorizer struct {
	Name        string          `json:"name"`
	Kind        string          `json:"kind"` // azureOpenAI, customWebApi
	AzureOpenAI *AzureOpenAI    `json:"azureOpenAIParameters,omitempty"`
	WebAPI      *WebAPI         `json:"customWebApiParameters,omitempty"`
	Vision      json.RawMessage `json:"aiServicesVisionParameters,omitempty" api:"-,2024-05-01"`
	AML         json.RawMessage `json:"amlParameters,omitempty" api:"2026-04-01,2024-05-01"`
}

// WebAPI is an endpoint of the customer's that embeds. Source:
// azure-docs search/vector-search-vectorizer-custom-web-api.md.
type WebAPI struct {
	URI            string            `json:"uri"`
	Headers        map[string]string `json:"httpHeaders,omitempty"`
	Method         string            `json:"httpMethod,omitempty"` // POST, PUT
	Timeout        string            `json:"timeout,omitempty"`    // PT1S to PT230S
	AuthResourceID string            `json:"authResourceId,omitempty"`
	AuthIdentity   json.RawMessage   `json:"authIdentity,omitempty"`
}

// AzureOpenAI is a deployment that embeds. Without a key it is called as the
// search service's managed identity.
type AzureOpenAI struct {
	ResourceURI  string          `json:"resourceUri"`
	DeploymentID string          `json:"deploymentId"`
	APIKey       string          `json:"apiKey,omitempty"`
	AuthIdentity json.RawMessage `json:"authIdentity,omitempty"`
	ModelName    string          `json:"modelName,omitempty" api:"2024-07-01,2024-05-01"`
}

// Compression packs vectors: scalarQuantization or binaryQuantization.
type Compression struct {
	Name       string     `json:"name"`
	Kind       string     `json:"kind"`
	Truncation int        `json:"truncationDimension,omitempty" api:"2025-09-01,2024-09-01"`
	Rescoring  *Rescoring `json:"rescoringOptions,omitempty" api:"2025-09-01,2024-11-01"`
	Scalar     *struct {
		Type string `json:"quantizedDataType,omitempty"` // int8
	} `json:"scalarQuantizationParameters,omitempty"`
	// What api-versions before 2024-11-01-preview had instead of rescoringOptions.
	Rerank       *bool    `json:"rerankWithOriginalVectors,omitempty" api:"2024-07-01,2024-03-01" until:"2025-09-01,2025-08-01"`
	Oversampling *float64 `json:"defaultOversampling,omitempty" api:"2024-07-01,2024-03-01" until:"2025-09-01,2025-08-01"`
}

// Rescoring computes the order of the best again.
type Rescoring struct {
	Enabled      *bool    `json:"enableRescoring,omitempty"`
	Oversampling *float64 `json:"defaultOversampling,omitempty"`
	Storage      string   `json:"rescoreStorageMethod,omitempty"` // preserveOriginals, discardOriginals
}
