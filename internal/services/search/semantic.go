package search

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rivo/uniseg"

	"sekisho/internal/api"
	"sekisho/internal/services/search/analysis"
	"sekisho/internal/services/search/schema"
)

// Reranker scores texts by how well they answer a query, from 0 to 1.
type Reranker interface {
	Rank(ctx context.Context, query string, texts []string) ([]float64, error)
}

// Limits of semantic ranking. Source: azure-docs search/semantic-search-overview.md
// ("the top 50", scores of 0 to 4), semantic-answers.md, semantic-how-to-query-request.md.
const (
	ranked           = 50
	topScore         = 4
	maxAnswers       = 10
	defaultThreshold = 0.7
	minWait          = 700
	maxRankedText    = 8000 // about the 2,048 tokens that the ranker reads of a document
)

// semantic is what a request asks of the semantic ranker.
type semantic struct {
	of        *schema.SemanticConfiguration
	query     string
	captions  bool
	tags      bool
	answers   int
	threshold float64
	fail      bool // rather than answer with what the first ranking found
	wait      time.Duration
	boosts    bool // the scoring profile boosts what the ranker says, too
}

// ranking is what the ranker says of a document.
type ranking struct {
	score     float64
	boosted   *float64 // score, with the scoring profile; nil if there is none
	caption   string
	highlight string
	cover     float64 // of the caption
}

// readSemantic is nil for a request that is not for the ranker.
// Source of the texts: microsoft/rag-experiment-accelerator#329,
// Azure-Samples/aisearch-openai-rag-audio#53.
func (s *Search) readSemantic(call *api.Call, of *schema.Index, in searchRequest) (*semantic, error) {
	if in.QueryType != "semantic" && in.SemanticQuery == "" {
		if in.Answers != "" && in.Answers != "none" || in.Captions != "" && in.Captions != "none" {
			return nil, badInput("queryType", "Answers and captions are for requests whose 'queryType' is 'semantic'.\r\nParameter name: queryType")
		}
		return nil, nil
	}
	_, p, err := s.limits(call.Request.Context(), string(call.Target.Scope))
	if err != nil {
		return nil, err
	}
	if p.Semantic == "" || p.Semantic == "disabled" {
		e := badInput("queryType", "Semantic search is not enabled for this service.\r\nParameter name: queryType")
		e.Code, e.Details = "FeatureNotSupportedInService", []api.Error{{Code: "SemanticQueriesNotAvailable", Message: "Semantic search is not enabled for this service."}}
		return nil, e
	}
	q := &semantic{query: in.SemanticQuery, fail: in.SemanticError == "fail", threshold: defaultThreshold, boosts: schema.Knows(versionOf(call), "2025-09-01", "2025-03-01")}
	if q.query == "" && in.Search != nil {
		q.query = *in.Search
	}
	if in.OrderBy != "" {
		return nil, badInput("orderby", "The 'orderby' parameter can't be set for a request that is ranked semantically.\r\nParameter name: orderby")
	}
	if w := in.SemanticWait; w != nil {
		if *w < minWait {
			return nil, badInput("semanticMaxWaitInMilliseconds", "Value must be at least %d.\r\nParameter name: semanticMaxWaitInMilliseconds", minWait)
		}
		q.wait = time.Duration(*w) * time.Millisecond
	}
	if q.of, err = semanticConfiguration(of, in.Semantic); err != nil {
		return nil, err
	}
	return q, q.readExtras(in)
}

func semanticConfiguration(of *schema.Index, name string) (*schema.SemanticConfiguration, error) {
	if of.Semantic != nil {
		name = cmp.Or(name, of.Semantic.Default)
		for i := range of.Semantic.Configurations {
			if of.Semantic.Configurations[i].Name == name {
				return &of.Semantic.Configurations[i], nil
			}
		}
	}
	if name == "" {
		return nil, badInput("semanticConfiguration", "A semantic configuration is required: the request names none, and the index has no default.\r\nParameter name: semanticConfiguration")
	}
	e := badInput("semanticConfiguration", "Unknown semantic configuration '%s'.\r\nParameter name: semanticConfiguration", name)
	e.Details = []api.Error{{Code: "UnknownSemanticConfiguration", Message: "Unknown semantic configuration '" + name + "'."}}
	return nil, e
}

// readExtras reads "extractive|count-3,threshold-0.8" and "extractive|highlight-true".
func (q *semantic) readExtras(in searchRequest) error {
	read := func(parameter, text string, set func(name, value string) bool) (bool, error) {
		kind, options, _ := strings.Cut(text, "|")
		if kind == "" || kind == "none" {
			return false, nil
		}
		if kind != "extractive" {
			return false, badInput(parameter, "The value '%s' of the parameter %s is not one of none, extractive.\r\nParameter name: %[2]s", kind, parameter)
		}
		for option := range strings.SplitSeq(options, ",") {
			if option = strings.TrimSpace(option); option == "" {
				continue
			}
			name, value, _ := strings.Cut(option, "-")
			if !set(name, value) {
				return false, badInput(parameter, "The option '%s' of the parameter %s is not known, or its value can't be.\r\nParameter name: %[2]s", option, parameter)
			}
		}
		return true, nil
	}
	count := 1
	asked, err := read("answers", in.Answers, func(name, value string) (ok bool) {
		var err error
		switch name {
		case "count":
			count, err = strconv.Atoi(value)
			return err == nil && count >= 1 && count <= maxAnswers
		case "threshold":
			q.threshold, err = strconv.ParseFloat(value, 64)
			return err == nil && q.threshold >= 0 && q.threshold <= 1
		}
		return false
	})
	if err != nil {
		return err
	}
	if asked {
		q.answers = count
	}
	q.tags = true
	q.captions, err = read("captions", in.Captions, func(name, value string) (ok bool) {
		var err error
		q.tags, err = strconv.ParseBool(value)
		return name == "highlight" && err == nil
	})
	return err
}

// candidate is a document that is ranked, as the ranker reads it.
type candidate struct {
	title, whole map[int]bool // words of the query, by where they begin in it
	passages     []passage
	text         string
}

// passage is a sentence, or what stands for one.
type passage struct {
	text  string
	words map[int]bool
	spans []span
}

// rank orders the best documents by how well they answer the query, and finds what to
// quote of them. Without a Reranker, it goes by how many of the query's words, the
// rare ones first, stand together in one sentence, in the document, and in its title:
// that is no model of language, and README says so.
func (s *Search) rank(ctx context.Context, q *question, docs []stored) ([]ranking, error) {
	candidates := make([]candidate, len(docs))
	found := map[int]int{} // documents that have a word
	asked := map[int]bool{}
	for i, d := range docs {
		c, err := q.candidate(d, asked)
		if err != nil {
			return nil, err
		}
		for word := range c.whole {
			found[word]++
		}
		candidates[i] = c
	}
	cover := func(words map[int]bool) float64 {
		have, all := 0.0, 0.0
		for word := range asked {
			n := float64(found[word])
			idf := math.Log(1 + (float64(len(docs))-n+0.5)/(n+0.5))
			if all += idf; words[word] {
				have += idf
			}
		}
		if all == 0 {
			return 0
		}
		return have / all
	}
	ranks := make([]ranking, len(docs))
	for i, c := range candidates {
		var best passage
		for _, p := range c.passages {
			if x := cover(p.words); best.text == "" || x > ranks[i].cover {
				best, ranks[i].cover = p, x
			}
		}
		ranks[i].caption = best.text
		if len(best.spans) > 0 && q.semantic.tags {
			ranks[i].highlight = tagged(best.text, 0, best.spans, "<em>", "</em>")
		}
		ranks[i].score = topScore * (0.5*ranks[i].cover + 0.3*cover(c.whole) + 0.2*cover(c.title))
	}
	if s.reranker == nil {
		return ranks, nil
	}
	if q.semantic.wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, q.semantic.wait)
		defer cancel()
	}
	texts := make([]string, len(candidates))
	for i, c := range candidates {
		texts[i] = c.text
	}
	scores, err := s.reranker.Rank(ctx, q.semantic.query, texts)
	for i := range scores {
		ranks[i].score = topScore * scores[i]
	}
	return ranks, err
}

// candidate reads the fields that the configuration names. What its content and keywords
// take for a word of the query goes into asked.
func (q *question) candidate(d stored, asked map[int]bool) (c candidate, err error) {
	c.title, c.whole = map[int]bool{}, map[int]bool{}
	var text strings.Builder
	read := func(path string, asks bool, each func(value string, tokens []analysis.Token, words map[string]int)) error {
		t := q.text[path]
		if t == nil || t.index == nil || t.search == nil {
			return nil
		}
		looked, err := t.search.Analyze(q.semantic.query)
		if err != nil {
			return badInput("search", "The search text can't be analyzed for the field '%s': %v.\r\nParameter name: search", path, err)
		}
		words := map[string]int{}
		for _, token := range looked {
			words[token.Text] = token.Start
			if asks {
				asked[token.Start] = true
			}
		}
		for _, value := range valuesAt(d.Fields, path) {
			if tokens, err := t.index.Analyze(value); err == nil {
				each(value, tokens, words)
			}
			if text.Len() < maxRankedText {
				text.WriteString(value + "\n")
			}
		}
		return nil
	}
	if f := q.semantic.of.Fields.Title; f != nil {
		err = read(f.Name, false, func(_ string, tokens []analysis.Token, words map[string]int) {
			mark := among(tokens, words)
			maps.Copy(c.title, mark)
			maps.Copy(c.whole, mark)
		})
	}
	for _, f := range slices.Concat(q.semantic.of.Fields.Content, q.semantic.of.Fields.Keywords) {
		if err != nil {
			return c, err
		}
		err = read(f.Name, true, func(value string, tokens []analysis.Token, words map[string]int) {
			maps.Copy(c.whole, among(tokens, words))
			c.passages = append(c.passages, passages(value, tokens, words)...)
		})
	}
	if c.text = text.String(); len(c.text) > maxRankedText {
		c.text = strings.ToValidUTF8(c.text[:maxRankedText], "")
	}
	return c, err
}

// among are those of some words that tokens have.
func among(tokens []analysis.Token, words map[string]int) map[int]bool {
	found := map[int]bool{}
	for _, t := range tokens {
		if at, ok := words[t.Text]; ok {
			found[at] = true
		}
	}
	return found
}

// passages are the sentences of a text.
func passages(value string, tokens []analysis.Token, words map[string]int) (all []passage) {
	tokens = slices.SortedStableFunc(slices.Values(tokens), func(a, b analysis.Token) int { return a.Start - b.Start })
	at := 0
	for rest, state := value, -1; rest != ""; {
		var sentence string
		sentence, rest, state = uniseg.FirstSentenceInString(rest, state)
		end := at + len(sentence)
		n := 0
		for n < len(tokens) && tokens[n].End <= end {
			n++
		}
		here := tokens[:n]
		tokens = tokens[n:]
		p := passage{text: strings.TrimSpace(sentence), words: among(here, words)}
		lead := at + len(sentence) - len(strings.TrimLeft(sentence, " \t\r\n"))
		for _, s := range spans(here, []mark{wordMark(func(w string) bool { _, ok := words[w]; return ok })}) {
			p.spans = append(p.spans, span{s.from - lead, s.to - lead})
		}
		if p.text != "" {
			all = append(all, p)
		}
		at = end
	}
	return all
}

// rerank puts the best documents into the order that the ranker gives them. What it
// can't do in time, or at all, is answered with the first ranking, unless the request
// would rather fail. Source: azure-rest-api-specs searchindex.json
// SemanticErrorHandling, SemanticSearchResultsType.
func (s *Search) rerank(ctx context.Context, q *question, docs []stored, reply map[string]any) ([]stored, int, error) {
	best := docs[:min(len(docs), ranked)]
	ranks, err := s.rank(ctx, q, best)
	var bad *api.Error
	switch {
	case errors.As(err, &bad), err != nil && ctx.Err() != nil:
		return nil, 0, err
	case err != nil:
		s.log.WarnContext(ctx, "the semantic ranker did not answer", "error", err)
		if q.semantic.fail {
			return nil, 0, api.Errorf(http.StatusServiceUnavailable, "SemanticRankerUnavailable", "The semantic ranker did not answer.")
		}
		reason := "transient"
		if errors.Is(err, context.DeadlineExceeded) {
			reason = "maxWaitExceeded"
		}
		reply["@search.semanticPartialResponseReason"], reply["@search.semanticPartialResponseType"] = reason, "baseResults"
		return docs, http.StatusPartialContent, nil
	}
	for i := range best {
		best[i].rank = &ranks[i]
		if q.profile != nil && q.semantic.boosts {
			boosted := ranks[i].score * best[i].factor
			ranks[i].boosted = &boosted
		}
	}
	slices.SortStableFunc(best, func(a, b stored) int { return cmp.Compare(b.rank.order(q.semantic), a.rank.order(q.semantic)) })
	if q.semantic.answers > 0 {
		answers := []map[string]any{}
		for _, d := range best {
			if len(answers) < q.semantic.answers && d.rank.cover >= q.semantic.threshold {
				answers = append(answers, map[string]any{"key": d.Key, "text": d.rank.caption, "highlights": d.rank.highlight, "score": d.rank.cover})
			}
		}
		reply["@search.answers"] = answers
	}
	return docs, http.StatusOK, nil
}

// order is by what documents are ranked: by the boosted score unless the configuration
// says otherwise. Source: azure-ai-docs search/semantic-how-to-enable-scoring-profiles.md.
func (r *ranking) order(q *semantic) float64 {
	if r.boosted == nil || q.of.RankingOrder == "RerankerScore" {
		return r.score
	}
	return *r.boosted
}

// show adds what the ranker says to a document.
func (r *ranking) show(q *semantic, body map[string]any) {
	if r == nil {
		return
	}
	body["@search.rerankerScore"] = r.score
	if r.boosted != nil {
		body["@search.rerankerBoostedScore"] = *r.boosted
	}
	if q.captions {
		body["@search.captions"] = []map[string]any{{"text": r.caption, "highlights": r.highlight}}
	}
}
